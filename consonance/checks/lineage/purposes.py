"""The purposes that models right of the wall declare in their ``meta``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from consonance.checks.lineage.project import Model
from consonance.checks.lineage.report import Findings
from consonance.consent.state import PURPOSES


def check_purposes(
    model: Model, has_persons: bool, reads: Iterable[str], models: Mapping[str, Model], findings: Findings
) -> None:
    """Check that a model says which purposes its rows need, or why they need none.

    What every row of a model that it reads needs, it names too, for all of its own rows or for some.

    Args:
        model: Right of the wall.
        has_persons: Whether it has a participant_id.
        reads: The relations that it reads.
        models: The models by relation.
        findings: Where to add what is found.
    """
    said = model.meta.get("purposes")
    said = said if isinstance(said, Mapping) else {}
    if not said and not (model.meta.get("no_persons") and not has_persons):
        remedy = ": it has a participant_id." if has_persons else ", or meta: {no_persons: …} and why."
        findings.of_model(
            "project",
            model,
            0,
            f"{model.name} does not declare which purposes its rows need.",
            "Add meta: {purposes: {…}}" + remedy,
        )
        return
    if strange := [name for purpose in said for name in str(purpose).split(" or ") if name not in PURPOSES]:
        findings.of_model(
            "project",
            model,
            0,
            f"{model.name} names unknown purposes: {', '.join(strange)}.",
            f"Known purposes are {', '.join(PURPOSES)}.",
        )
    if said and True not in said.values():
        findings.of_model(
            "project",
            model,
            0,
            f"{model.name} names no purpose that all of its rows need.",
            "Give one purpose the condition true.",
        )
    if has_persons:
        _check_inherited(model, said, reads, models, findings)


def _check_inherited(
    model: Model,
    said: Mapping[str, object],
    reads: Iterable[str],
    models: Mapping[str, Model],
    findings: Findings,
) -> None:
    for name in reads:
        needs = models[name].meta.get("purposes") if name in models else None
        for purpose, condition in needs.items() if isinstance(needs, Mapping) else ():
            if condition is True and purpose not in said:
                findings.of_model(
                    "project",
                    model,
                    0,
                    f"{model.name} reads {name}, whose rows need {purpose}, and does not name that purpose.",
                    "Name it in its purposes, with the rows that need it.",
                )
