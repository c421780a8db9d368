"""Implicit uses of direct columns, compared with what a person has reviewed."""

from __future__ import annotations

from consonance.checks.lineage.project import Project
from consonance.checks.lineage.reading import Reading
from consonance.checks.lineage.report import Findings, ImplicitUse
from consonance.checks.lineage.reviews import REVIEWED, Reviews


def compare_with_reviews(
    project: Project, readings: dict[str, Reading], reviews: Reviews, findings: Findings
) -> list[ImplicitUse]:
    """Every use of a direct column in a condition, a grouping or an order; one without a review is a finding.

    A review that matches nothing is a finding, too: it would cover the next use.
    """
    uses: dict[tuple[str, str, str], ImplicitUse] = {}
    for model in sorted(project.models.values(), key=lambda model: (model.layer, model.name)):
        for use in readings[model.name].uses:
            for origin in use.flow.bare("direct"):
                key = (origin.column, use.kind, model.name)
                if key in uses:
                    continue
                reason = reviews.uses.get(key)
                uses[key] = ImplicitUse(origin.column, use.kind, model.name, use.line, reason)
                if reason is None:
                    findings.of_model(
                        "implicit",
                        model,
                        use.line,
                        f"{model.name} uses {origin.column} (direct) in a '{use.kind}' that was not reviewed.",
                        f"Do without it, or add {origin.column} / {use.kind} / {model.name} and the reason to {REVIEWED.name}.",
                    )
    for column, kind, name in sorted(reviews.uses.keys() - uses.keys()):
        findings.of_file(
            "review",
            name,
            REVIEWED.name,
            f"{name} uses {column} in no '{kind}' any more.",
            f"Remove {column} / {kind} / {name}: a review that matches nothing would cover the next use.",
        )
    return list(uses.values())
