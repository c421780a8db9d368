"""The report of a study: one HTML page without script and without network, made from marts alone."""

from __future__ import annotations

import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from consonance.release.parameters import small_group
from consonance.report.features import choose
from consonance.report.questions import questions
from consonance.report.reading import Marts, Origin, opened
from consonance.report.section import Section
from consonance.report.sections.association import (
    answer,
    music_and_mood,
)
from consonance.report.sections.coverage import coverage_and_its_bias
from consonance.report.sections.listening import what_was_heard_when
from consonance.report.sections.mood import mood_over_the_day
from consonance.report.sections.mood_map import valence_arousal_map
from consonance.report.sections.participants import who_takes_part
from consonance.report.sections.power import what_could_have_been_found
from consonance.report.sections.prediction import prediction
from consonance.report.sections.specifications import specifications
from consonance.site.pages import render
from consonance.study.errors import ConsonanceError
from consonance.study.files import replace_file

Progress = Callable[[str], None]
SOFTWARE = ("consonance", "duckdb", "pandas", "scipy", "statsmodels", "scikit-learn", "altair", "vl-convert-python")
SETTINGS = {
    "small_group_persons": "Largest number of persons that is not shown as a cell",
    "session_gap_minutes": "Pause that ends a session, in minutes",
    "counted_from_ms": "A play counts from, in milliseconds",
    "match_threshold": "Least confidence of a match of names",
    "emotion_windows_minutes": "Windows around a report, in minutes",
}


class CannotWrite(ConsonanceError):
    """The page cannot be written to its place."""


def write_report(origin: Origin, place: Path, progress: Progress = lambda _: None) -> list[Section]:
    """Compute the report of ``origin`` and write it to the file ``place``, which its owner alone may read.

    Args:
        origin: Where the marts are.
        place: The file to write; it is replaced.
        progress: Called with what is being done, in a few words.

    Returns:
        The sections, as they are on the page.

    Raises:
        NothingToReport, StoreError: the marts cannot be read.
        CannotWrite: the file cannot be written.
    """
    with opened(origin) as marts:
        sections = made_sections(marts, progress)
    progress("writing the page")
    page = render(
        "report.html",
        title=origin.title,
        kind=origin.kind,
        small_group=small_group(),
        sections=sections,
        limits=limits(),
        facts=facts(origin),
    )
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        replace_file(place, page.encode("utf-8"))
    except OSError as error:
        raise CannotWrite(f"{place} cannot be written: {error.strerror}.", "Name another file with --output.") from None
    return sections


def made_sections(marts: Marts, progress: Progress = lambda _: None) -> list[Section]:
    """Every section of the page, in order."""
    progress("who takes part")
    sections = [who_takes_part(marts)]
    progress("what was heard when")
    sections.append(what_was_heard_when(marts))
    progress("coverage")
    sections.append(coverage_and_its_bias(marts))
    progress("mood over the day")
    sections += [mood_over_the_day(marts), valence_arousal_map(marts)]
    progress("music and mood")
    windows = marts.rows("windows")
    choices = choose(marts)
    asked = questions(windows.frame, choices)
    why_none = why_no_question(windows.frame, bool(asked))
    answers = answer(windows.frame, asked, progress)
    sections.append(music_and_mood(answers, windows.sql, why_none, marts.persons("participants")))
    progress("specifications")
    first = asked[0] if asked else None
    family = choices["arousal" if first and first.outcome == "reported_arousal" else "valence"]
    sections.append(specifications(windows.frame, first, family, windows.sql, why_none, progress))
    progress("prediction")
    sections.append(prediction(marts, progress))
    sections.append(what_could_have_been_found(answers, windows.sql, why_none))
    return sections


def why_no_question(windows: Any, is_asked: bool) -> str:
    """Why there is no question to ask, if so."""
    if is_asked:
        return ""
    if windows.empty:
        return "There are no emotion reports: nothing can be asked about music and mood."
    return "No feature of the music before the reports is known, or no report has a score: nothing can be asked about music and mood."


def limits() -> tuple[str, ...]:
    """What the report does not show."""
    return (
        "The people of a study chose to take part, to donate and to report. They are not a sample of listeners.",
        "An export has what was played on one service. Music from elsewhere is missing, and so is what was heard and not listened to.",
        "Features are measured by programs and matched by names: they have errors, which make associations smaller.",
        "What is known of music, and which prompts are answered, is not random. The warnings above say where this was seen.",
        'A study of this size misses most associations that are smaller than those of "What this study could have found": no '
        "evidence of an association is not evidence that there is none.",
    )


def facts(origin: Origin) -> dict[str, str]:
    """How the page was made: from what, with which settings, by which versions."""
    made = {"Made from": f"the marts of a {origin.kind}", **origin.facts}
    made |= {words: _shown(origin.settings[name]) for name, words in SETTINGS.items() if name in origin.settings}
    made |= {name: version(name) for name in SOFTWARE}
    return made | {"Python": platform.python_version()}


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
