"""The front page of the docs site in plain words: who takes part, what there is of them, and four pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from consonance.release.parameters import small_group
from consonance.report.cells import persons
from consonance.report.figures import Figure
from consonance.report.reading import Marts, NothingToReport, Origin, opened
from consonance.report.section import Section
from consonance.report.sections.coverage import coverage_and_its_bias
from consonance.report.sections.listening import what_was_heard_when
from consonance.report.sections.mood_map import valence_arousal_map

# The pictures are the report's: hours of listening, months, coverage by source, map of moods.
SECTIONS: tuple[Callable[[Marts], Section], ...] = (what_was_heard_when, coverage_and_its_bias, valence_arousal_map)
PICTURES = ("clock", "months", "coverage-shares", "map")
# What there is, and the mart that has it: counted only if it is of more persons than a small group.
COUNTED = {
    "plays": "plays",
    "sessions of listening": "sessions",
    "emotion reports": "emotion_reports",
}


@dataclass(frozen=True)
class Front:
    """What stands at the beginning.

    Attributes:
        people: How many people the marts have, in words.
        counts: What there is, how much of it, and of how many people, in words.
        grants: How many people grant each purpose, in words.
        figures: The pictures that can be shown.
        missing: Why the others cannot.
    """

    people: str
    counts: tuple[tuple[str, int, str], ...]
    grants: Mapping[str, str]
    figures: tuple[Figure, ...]
    missing: tuple[str, ...]


def front(desk: Origin) -> Front:
    """What the front page of a study shows; with nobody in the marts, that there is nobody.

    Args:
        desk: Of the study.

    Raises:
        StoreError: the desk cannot be opened.
    """
    try:
        with opened(desk) as marts:
            sections = [section(marts) for section in SECTIONS]
            shown = {figure.key: figure for section in sections for figure in section.figures}
            return Front(
                persons(marts.persons("participants"), "participant"),
                tuple(_counts(marts)),
                _grants(marts),
                tuple(shown[key] for key in PICTURES if key in shown),
                tuple(text for section in sections for text in section.missing),
            )
    except NothingToReport as nothing:
        # What it says names the place of the desk on this machine.
        return Front(persons(0, "participant"), (), {}, (), (f"The pictures cannot be shown. {nothing.remedy}",))


def _grants(marts: Marts) -> dict[str, str]:
    """The others, who do not grant it, may be few too."""
    people = marts.persons("participants")
    return {
        column.removeprefix("grants_").replace("_", " "): _granting(
            marts.persons(f"participants where {column}"), people
        )
        for column in sorted(marts.columns["participants"])
        if column.startswith("grants_")
    }


def _granting(granting: int, people: int) -> str:
    if granting > small_group() and 0 < people - granting <= small_group():
        return f"all but up to {small_group()}"
    return persons(granting, "participant")


def _counts(marts: Marts) -> Iterator[tuple[str, int, str]]:
    for what, mart in COUNTED.items():
        if found := marts.counted(mart):
            rows, people = found
            yield what, rows, persons(people, "participant")
