"""The purposes that models right of the wall declare in their ``meta``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from consonance.checks.lineage.layers import VAULT
from consonance.checks.lineage.project import Model, Project
from consonance.checks.lineage.reading import Reading
from consonance.checks.lineage.report import Findings
from consonance.checks.lineage.reviews import REVIEWED, Reviews, digest_of
from consonance.consent.state import PURPOSES
from consonance.study.declared_tables import STORES
from consonance.study.schema import tables


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


def check_given(
    model: Model, readings: Mapping[str, Reading], models: Mapping[str, Model], reviews: Reviews, findings: Findings
) -> None:
    """Check that all rows of a model at the wall need each purpose for which participants gave what it reads.

    Counts and conditions carry no column across the wall, and still say something of the rows. So this goes by what is
    read, through all models of the vault. A model without persons needs nothing: what it has does not depend on data that is
    held back, as the non-interference test sees.

    Args:
        model: At the wall.
        readings: Of each model, by name.
        models: The models by relation.
        reviews: Which models of the vault may be read for another purpose.
        findings: Where to add what is found.
    """
    said = model.meta.get("purposes") or {}
    if model.meta.get("no_persons") and not said:
        return
    for name, line in readings[model.name].reads:
        for purpose, table in sorted(_given_for(name, readings, models, reviews).items()):
            if said.get(purpose) is not True:
                findings.of_model(
                    "project",
                    model,
                    line,
                    f"{model.name} reads {name}, which is made of vault.raw.{table}: participants gave it for {purpose}, and "
                    f"not all rows of {model.name} need that purpose.",
                    f"Say {purpose}: true in its purposes, and keep the rows of those alone who grant it (grants_{purpose}). What has "
                    "rows of others belongs in another model.",
                )


def _given_for(
    relation: str, readings: Mapping[str, Reading], models: Mapping[str, Model], reviews: Reviews
) -> dict[str, str]:
    """The purposes for which the rows of a relation of the vault were given, each with a table that they were landed in."""
    given: dict[str, str] = {}
    seen, waiting = {relation}, [relation]
    while waiting:
        name = waiting.pop()
        if name.startswith(f"{VAULT}.raw."):
            table = tables().get(name.removeprefix(f"{VAULT}.raw."))
            if table and table.purpose:
                given.setdefault(table.purpose, table.name)
        elif name in models and name.startswith(f"{VAULT}.") and models[name].name not in reviews.given:
            reading = readings.get(models[name].name, Reading())
            reads = {other for other, _ in reading.reads} - seen
            waiting += reads
            seen |= reads
    return given


def check_reviewed_givers(project: Project, reviews: Reviews, findings: Findings) -> None:
    """Check that the models that may be read for another purpose are as they were reviewed, and the purposes of tables."""
    for name, (expected, _) in reviews.given.items():
        model = project.models.get(name)
        digest = digest_of(" ".join(model.sql.split())) if model else ""
        if model is None:
            findings.of_file("review", name, REVIEWED.name, f"There is no model {name}.", "Remove it from 'given'.")
        elif digest != expected:
            findings.of_model(
                "review",
                model,
                0,
                f"{name} may be read for other purposes than its rows were given for, and has changed since its review.",
                f"Read it; if it still says nothing of what was given, write digest {digest} into {REVIEWED.name}.",
            )
    for table in tables().values():
        if table.purpose and table.purpose not in PURPOSES:
            findings.of_file(
                "project",
                table.name,
                f"consonance/study/{STORES.name}",
                f"{table.name} was given for {table.purpose}, which is no purpose.",
                f"Known purposes are {', '.join(PURPOSES)}.",
            )
