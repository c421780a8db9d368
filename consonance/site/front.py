"""The front page of the docs site in plain words: who takes part, what there is of them, and four pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from consonance.report.cells import persons, persons_apart
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
# Plays of the two kinds of history are apart: analyses that are about one kind add up to its number, so that with a number of
# all plays who has the other kind would be a difference.
COUNTED = {
    "plays of extended histories": "plays where history_source = 'extended'",
    "plays of account histories": "plays where history_source = 'account'",
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
            people = marts.persons("participants")
            sections = [section(marts) for section in SECTIONS]
            shown = {figure.key: figure for section in sections for figure in section.figures}
            return Front(
                persons(people, "participant"),
                _counts(people, {what: found for what, mart in COUNTED.items() if (found := marts.counted(mart))}),
                _grants(people, _granting(marts)),
                tuple(shown[key] for key in PICTURES if key in shown),
                tuple(text for section in sections for text in section.missing),
            )
    except NothingToReport as nothing:
        # What it says names the place of the desk on this machine.
        return Front(persons(0, "participant"), (), {}, (), (f"The pictures cannot be shown. {nothing.remedy}",))


def _granting(marts: Marts) -> dict[str, int]:
    return {
        column.removeprefix("grants_").replace("_", " "): marts.persons(f"participants where {column}")
        for column in sorted(marts.columns["participants"])
        if column.startswith("grants_")
    }


def _grants(people: int, granting: Mapping[str, int]) -> dict[str, str]:
    """The others, who do not grant it, may be few too."""
    words = persons_apart([people, *granting.values()])
    return {purpose: f"{words[count]} participants" for purpose, count in granting.items()}


def _counts(people: int, found: Mapping[str, tuple[int, int]]) -> tuple[tuple[str, int, str], ...]:
    words = persons_apart([people, *(of for _, of in found.values())])
    return tuple((what, rows, f"{words[of]} participants") for what, (rows, of) in found.items())
