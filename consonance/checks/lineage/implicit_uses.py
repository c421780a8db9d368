"""What chooses values and rows right of the wall, compared with what a person has reviewed.

A condition, a join or a grouping on a column of persons chooses a value, or which rows there are, and shows something
of that column. What a function of ``functions/`` accepts needs no review; neither do rows that are joined because they
belong to one person, donation, member or row (``Flow.identity``). All else has a reason in ``reviewed.yml``, with the
kinds of the column and of what chose its values. Such a reason is about which rows there are; a column whose values are
chosen too, as by a join with a seed, is named there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from consonance.checks.lineage.flow import Choice
from consonance.checks.lineage.jinja import jinja_names
from consonance.checks.lineage.project import Project
from consonance.checks.lineage.report import Findings, ImplicitUse
from consonance.checks.lineage.reviews import REVIEWED, Review, Reviews, digest_of


def compare_with_reviews(
    project: Project, choices: Iterable[tuple[Choice, str]], reviews: Reviews, findings: Findings
) -> list[ImplicitUse]:
    """Every choice that arrives right of the wall; one without a review, or of other kinds, is a finding.

    A review that matches nothing is a finding, too: it would cover the next use.

    Args:
        choices: Each with what it chooses.
    """
    uses = []
    seen: dict[tuple[str, str, str], Choice] = {}
    for choice, what in sorted(choices):
        review = reviews.of(choice.key)
        seen[choice.key] = choice
        reason = review.reason if review else None
        uses.append(
            ImplicitUse(choice.column, choice.use, choice.model, choice.line, choice.privacy, choice.kinds, reason)
        )
        strange = sorted(set(choice.kinds) - (review.kinds if review else frozenset()))
        if review is None or strange or not choice.kinds:
            kinds = ", ".join(strange) or "an unknown kind"
            state = f"whose review does not name {kinds}" if review else f"that was not reviewed, by {kinds}"
            findings.of_model(
                "implicit",
                project.models[choice.model],
                choice.line,
                f"{choice.model} uses {choice.column} ({choice.privacy}) in a '{choice.use}' {state}. "
                f"It decides {what}.",
                "Do without it, pass what it decides through a function that accepts these kinds, or add "
                f"{choice.column} / {choice.use} / {choice.model}, its kinds and the reason to {REVIEWED.name}.",
            )
    for review in reviews.uses:
        _check_review(review, project, seen, findings)
    return uses


def check_chosen_values(
    project: Project, chosen: Mapping[tuple[str, str, str], Mapping[str, str]], reviews: Reviews, findings: Findings
) -> None:
    """Check that a review of a choice names each column right of the wall that has a value because of it, each argument of
    a function that might be any such value, each condition that goes by one, and no other.

    Args:
        chosen: By column, use and model of the choice what has such values, with the model.
    """
    needed: dict[Review, set[str]] = {review: set() for review in reviews.uses}
    for key, values in sorted(chosen.items()):
        if (review := reviews.of(key)) is None:  # that is a finding already
            continue
        needed[review] |= {review.covers(value) for value in values}
        by, use, name = key
        for value in sorted(value for value in values if not review.covers(value)):
            findings.of_model(
                "implicit",
                project.models[values[value]],
                1,
                f"{value} has or goes by values that a '{use}' of {name} chose by {by}, and the review of that is about rows alone.",
                f"Pass it through a function of functions/ that accepts {', '.join(sorted(review.kinds))}, or leave it out. "
                f"If its values may show what chose them, add it to the values of the review in {REVIEWED.name}.",
            )
    for review, met in needed.items():
        if needless := sorted(review.values - met):
            findings.of_file(
                "review",
                sorted(review.keys)[0][2],
                REVIEWED.name,
                f"A review names values that it does not choose: {', '.join(needless)}.",
                f"Remove them from the review with the reason '{review.reason[:60]}…'.",
            )


def _check_review(
    review: Review, project: Project, seen: Mapping[tuple[str, str, str], Choice], findings: Findings
) -> None:
    """Check that a review covers what is there: no column, no kind and no condition less or more."""
    for column, use, name in sorted(review.keys - seen.keys()):
        findings.of_file(
            "review",
            name,
            REVIEWED.name,
            f"{name} uses {column} in no '{use}' that decides anything right of the wall.",
            f"Remove {column} / {use} / {name}: a review that matches nothing would cover the next use.",
        )
    met = [seen[key] for key in sorted(review.keys & seen.keys())]
    if not met:
        return
    if needless := sorted(review.kinds.difference(*(choice.kinds for choice in met))):
        findings.of_file(
            "review",
            met[0].model,
            REVIEWED.name,
            f"A review names kinds that its columns do not have: {', '.join(needless)}.",
            f"Remove them from the review with the reason '{review.reason[:60]}…'.",
        )
    digest = _digest(met)
    if digest != review.digest:
        macros = {file for choice in met for file in _macro_files(project, choice.model)}
        written = f" It is written with macros of {', '.join(sorted(macros))}." if macros else ""
        findings.of_model(
            "review",
            project.models[met[0].model],
            met[0].line,
            f"A condition of {', '.join(sorted({choice.model for choice in met}))} has changed since its review: "
            f"{', '.join(sorted({f'{choice.column} in a {choice.use!r}' for choice in met}))}.{written}",
            f"Read it; if the reason '{review.reason[:60]}…' is still true, write digest {digest} into {REVIEWED.name}.",
        )


def _macro_files(project: Project, model: str) -> set[str]:
    """The files of the macros that a model is written with: a condition changes with them, too."""
    names = jinja_names(project.models[model].source) & project.macros.keys()
    return {project.macros[name].file for name in names}


def _digest(choices: Iterable[Choice]) -> str:
    """Of what is written where the choices are made."""
    text = json.dumps([[*choice.key, *choice.conditions] for choice in choices])
    return digest_of(text)
