"""Music and mood: within and between persons, in both directions, and with every reasonable choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from consonance.report.cells import persons_apart
from consonance.report.figures import COLOURS, Figure, Table, drawn, intervals
from consonance.report.questions import WINDOW_MINUTES, Asked
from consonance.report.section import Section
from consonance.report.sentences import (
    Evidence,
    Sentence,
    counted,
    differs,
    explained_by,
    not_computed,
    number,
    probability,
)
from consonance.report.statistics.association import associate, with_and_without_time
from consonance.report.statistics.multiple_tests import correct
from consonance.report.statistics.results import Association, Effect, NoResult, TimeControl

SD_PER_SD = "standard deviations for one standard deviation"
NOT_A_CAUSE = (
    "An association is not a cause. People choose their music: a mood, a place, company or the hour can lead to both the music "
    "and the report. That music came before a report, and that earlier mood and the hour are held constant, rules out some "
    "other explanations and not all of them. Only an experiment that assigns music could show an effect of music."
)


@dataclass(frozen=True)
class Answered:
    """A question with its answers, corrected for the number of all questions."""

    asked: Asked
    before: Association | NoResult
    after: Association | NoResult
    time: TimeControl


def answer(windows: pd.DataFrame, asked: Sequence[Asked], progress: Callable[[str], None]) -> tuple[Answered, ...]:
    """Compute every question, and correct for their number."""
    timed, after = [], []
    for one in asked:
        progress(f"{one.feature_name} of the music and {one.outcome_name}")
        timed.append(with_and_without_time(windows, one.before))
        after.append(associate(windows, one.after))
    corrected = correct([*(time.with_control for time in timed), *after])
    return tuple(map(Answered, asked, corrected[: len(asked)], corrected[len(asked) :], timed))


def music_and_mood(answers: Sequence[Answered], sql: str, why_none: str, participants: int) -> Section:
    """The associations of a study of so many ``participants``, with sentences by rule."""
    lead: tuple[str, ...] = (
        NOT_A_CAUSE,
        f"The music is that of the {WINDOW_MINUTES} minutes before a report, or after it. Within persons: a person's reports are "
        "compared with other reports of the same person. Between persons: people are compared with each other. Held constant are "
        "the hour of day, the weekend, and the earlier value of what is explained. All intervals are 95 % intervals.",
    )
    title = "Music and mood"
    if not answers:
        return Section("association", title, lead, missing=(why_none,))
    findings = tuple(sentence for one in answers for sentence in sentences(one))
    figures = [figure for figure in (_effects(answers, sql, participants), _time(answers, sql)) if figure]
    fallbacks = dict.fromkeys(
        result.fallback
        for one in answers
        for result in (one.before, one.after)
        if isinstance(result, Association) and result.fallback
    )
    used = [result for one in answers for result in (one.before, one.after) if isinstance(result, Association)]
    if used:
        lead += (
            f"Intervals of the models: {used[0].df_rule}. p values are corrected by Holm's method, within and between apart.",
        )
    return Section(
        "association", title, (*lead, *(text for text in fallbacks if text)), findings, figures=tuple(figures)
    )


def sentences(one: Answered) -> tuple[Sentence, ...]:
    """What is claimed about one question: four effects, and what control for the hour does."""
    asked = one.asked
    music, mood = asked.feature_name, asked.outcome_name
    per_music = f"{asked.unit} for one standard deviation of the music"
    per_mood = "in units of the feature for one standard deviation of the reports"
    return (
        *_both_levels(
            one.before,
            (mood, f"after music of higher {music} than is usual for the person"),
            (mood, f"in people whose music has higher {music}"),
            per_music,
        ),
        *control_for_time(one),
        *_both_levels(
            one.after,
            (f"{music} of the next music", f"after reports of higher {_short(mood)} than are usual for the person"),
            (f"{music} of the music", f"in people who report higher {_short(mood)}"),
            per_mood,
        ),
    )


def _both_levels(
    result: Association | NoResult, within: tuple[str, str], between: tuple[str, str], unit: str
) -> tuple[Sentence, ...]:
    if isinstance(result, NoResult):
        return (not_computed(f"whether {' differs '.join(within)}", result),)
    return (
        differs(*within, unit, Evidence.of_effect(result.within)),
        differs(*between, unit, Evidence.of_effect(result.between)),
    )


def control_for_time(one: Answered) -> tuple[Sentence, ...]:
    """What is left of the association within persons if the hour of day is held constant."""
    without, held, asked = one.time.without_control, one.before, one.asked
    if isinstance(without, NoResult) or isinstance(held, NoResult):
        return ()
    return explained_by(
        f"the association of {asked.feature_name} of the music and {asked.outcome_name} within persons",
        "the time of day",
        without.within.per_sd,
        Evidence.of_effect(held.within),
    )


def _short(outcome: str) -> str:
    return outcome.removeprefix("reported ")


def _effects(answers: Sequence[Answered], sql: str, participants: int) -> Figure | None:
    rows: list[tuple[str, str, Effect, Association]] = []
    for one in answers:
        for name, result in (
            (f"{one.asked.feature_name} of music → {one.asked.outcome_name}", one.before),
            (f"{one.asked.outcome_name} → {one.asked.feature_name} of next music", one.after),
        ):
            if isinstance(result, Association):
                rows += [
                    (name, f"{effect.level} persons", effect, result)
                    for effect in (result.within, result.between)
                    if isinstance(effect, Effect)
                ]
    if not rows:
        return None
    frame = pd.DataFrame(
        [
            (name, kind, effect.standardised.value, effect.standardised.low, effect.standardised.high)
            for name, kind, effect, _ in rows
        ],
        columns=["name", "kind", "value", "low", "high"],
    )
    order = list(dict.fromkeys(frame["name"]))

    def drawing(width: float) -> Any:
        return intervals(frame, width, order=order, x_title=SD_PER_SD if width > 500 else "SD per SD")

    title = "Associations in both directions, within and between persons"
    description = (
        "Points with lines: each association with its 95 % interval, in standard deviations; a dashed line at 0."
    )
    away = [f"{name} ({kind})" for name, kind, effect, _ in rows if effect.excludes_zero]
    seen = (
        f"{len(away)} of {counted(len(rows), 'interval')} {'excludes' if len(away) == 1 else 'exclude'} 0"
        + (f": {'; '.join(away)}" if away else "")
        + ". What is left after the correction for the number of tests is in the sentences above and in the table."
    )
    words = persons_apart([participants, *(result.persons for *_, result in rows)])
    table = Table(
        ("association", "compared", "reports", "persons", "estimate (SD per SD)", "95 % interval", "p", "p corrected"),
        tuple(
            (
                name,
                kind,
                f"{result.reports:,}",
                words[result.persons],
                number(effect.standardised.value),
                f"{number(effect.standardised.low)} to {number(effect.standardised.high)}",
                probability(effect.p),
                probability(effect.p_adjusted),
            )
            for name, kind, effect, result in rows
        ),
        texts=2,
    )
    return Figure(
        "association", title, description, (seen,), drawn("association", title, description, drawing), table, (sql,)
    )


def _time(answers: Sequence[Answered], sql: str) -> Figure | None:
    rows: list[tuple[str, str, Association]] = []
    for one in answers:
        name = f"{one.asked.feature_name} of music → {one.asked.outcome_name}"
        for kind, result in (
            ("without control", one.time.without_control),
            ("hour and weekend held constant", one.time.with_control),
        ):
            if isinstance(result, Association):
                rows.append((name, kind, result))
    if not rows:
        return None
    frame = pd.DataFrame(
        [(name, kind, *_ends(result)) for name, kind, result in rows], columns=["name", "kind", "value", "low", "high"]
    )

    def drawing(width: float) -> Any:
        return intervals(
            frame,
            width,
            order=list(dict.fromkeys(frame["name"])),
            colours=[COLOURS[3], COLOURS[0]],
            x_title=SD_PER_SD if width > 500 else "SD per SD",
        )

    title = "What control for the time of day does"
    description = "Pairs of points with lines: the association within persons without and with control for hour and weekend, on the same reports."
    gone = [one.asked for one in answers if one.time.vanishes]
    seen = "An association that shrinks to 0 with control goes with the hour, as much music and many moods do. " + (
        f"{counted(len(gone), 'association')} of {len(answers)} {'is' if len(gone) == 1 else 'are'} there without control and not found with it."
        if gone
        else "No association is there without control and not found with it."
    )
    table = Table(
        ("association within persons", "control", "estimate (SD per SD)", "95 % interval"),
        tuple(
            (row.name, row.kind, number(row.value), f"{number(row.low)} to {number(row.high)}")
            for row in frame.itertuples()
        ),
        texts=2,
    )
    return Figure("time", title, description, (seen,), drawn("time", title, description, drawing), table, (sql,))


def _ends(result: Association) -> tuple[float, float | None, float | None]:
    effect = result.within.standardised
    return effect.value, effect.low, effect.high
