"""Mood over the day, and how many of the prompts were answered."""

from __future__ import annotations

import math
from typing import Any

import altair as alt
import pandas as pd
from scipy import stats

from consonance.release.parameters import small_group
from consonance.report.day import PARTS_OF_DAY, half_width, hours_axis
from consonance.report.figures import Figure, Table, drawn, named, told_apart, zero_line
from consonance.report.grids import Grid, finest
from consonance.report.reading import Marts
from consonance.report.section import Section
from consonance.report.sections.compliance import compliance, in_bad_mood
from consonance.report.sentences import Evidence, Sentence, counted, differs, number
from consonance.report.statistics.results import Interval

OUTCOMES = {
    "valence": "valence",
    "arousal": "arousal",
    "positive_affect": "positive affect",
    "negative_affect": "negative affect",
}


DEVIATION = {
    "mean_deviation": ("mean", "deviation"), "standard_deviation": ("standard deviation", "deviation")
}  # fmt: skip


def mood_over_the_day(marts: Marts) -> Section:
    """Reports by hour, and compliance with the prompts."""
    lead = (
        "Each person's reports are compared with the mean of all their reports. So an hour at which cheerful people "
        "report more often does not look cheerful. The sentences are about the part of the day that is farthest from this mean; "
        "p values are corrected for all parts of the day of all outcomes.",
    )
    figures: list[Figure] = []
    grids_found: dict[str, Grid] = {}
    warnings: list[Sentence] = []
    missing: list[str] = []
    for key, outcomes in {"mood": ("valence", "arousal"), "affect": ("positive_affect", "negative_affect")}.items():
        grids = {
            outcome: finest(
                marts,
                "mood_by_hour",
                [part | {"outcome": outcome} for part in PARTS_OF_DAY],
                ("hour",),
                "reports",
                DEVIATION,
            )
            for outcome in outcomes
        }
        found = {outcome: grid for outcome, grid in grids.items() if grid is not None}
        if found:
            figures.append(_rhythm(key, found))
            grids_found |= found
        elif key == "mood":
            missing.append(f"Mood over the day: {_why_no_mood(marts)}")
    tests = sum(len(grid.cells) for grid in grids_found.values())
    findings = [_farthest(outcome, grid, tests) for outcome, grid in grids_found.items()]
    answered = compliance(marts)
    if isinstance(answered, str):
        missing.append(f"Compliance: {answered}")
    else:
        figures.append(answered)
        warnings.append(in_bad_mood(marts))
    return Section("mood", "Mood over the day", lead, tuple(findings), tuple(warnings), tuple(figures), tuple(missing))


def _why_no_mood(marts: Marts) -> str:
    found = marts.persons("emotion_reports where valence is not null")
    if not found:
        return "There are no reports with valence."
    return f"Reports with valence are of {marts.in_words([found])[found]} persons; each part of the day needs more than {small_group()}."


def _rhythm(key: str, grids: dict[str, Grid]) -> Figure:
    parts = []
    for outcome, grid in grids.items():
        cells = grid.cells.assign(outcome=OUTCOMES[outcome], hours=int(grid.choice["hours"]))
        half = [half_width(row.standard_deviation, row.persons) for row in cells.itertuples()]
        parts.append(cells.assign(half=half))
    frame = pd.concat(parts, ignore_index=True)
    frame["low"], frame["high"] = frame["mean_deviation"] - frame["half"], frame["mean_deviation"] + frame["half"]
    frame["middle"] = frame["hour"] + frame["hours"] / 2
    outcomes = [OUTCOMES[outcome] for outcome in grids]
    scale = "points from −1 to 1" if key == "mood" else "points of the questionnaire"

    def drawing(width: float) -> Any:
        looks = told_apart("outcome", outcomes)
        base = alt.Chart(frame).encode(x=hours_axis(width, "hour of the day"))
        y = alt.Y("low:Q", title=None, axis=alt.Axis(tickCount=5))
        band = base.mark_area(opacity=0.16).encode(y=y, y2="high:Q", color=looks["color"])
        line = base.mark_line(strokeWidth=2).encode(y="mean_deviation:Q", color=looks["color"])
        points = base.mark_point(filled=True, size=50, opacity=1).encode(y="mean_deviation:Q", **looks)
        layers = alt.layer(zero_line("y"), band, line, points)
        return layers.properties(width=width, height=220, title=named(f"above or below the own mean, {scale}"))

    title = "Mood over the day" if key == "mood" else "Positive and negative affect over the day"
    description = "Lines with bands: how far reports at each part of the day are above or below the person's own mean; the bands are 95 % intervals over persons."
    low, high = frame.loc[frame["mean_deviation"].idxmin()], frame.loc[frame["mean_deviation"].idxmax()]
    seen = (
        f"The lowest mean is {number(low['mean_deviation'])} ({low['outcome']}, from {int(low['hour'])}:00), the highest "
        f"{number(high['mean_deviation'])} ({high['outcome']}, from {int(high['hour'])}:00)."
    )
    table = Table(
        ("outcome", "from hour", "persons", "reports", "mean difference from the own mean", "95 % interval"),
        tuple(
            (
                row.outcome,
                f"{int(row.hour)}:00",
                row.persons_in_words,
                f"{row.reports:,}",
                number(row.mean_deviation),
                f"{number(row.low)} to {number(row.high)}",
            )
            for row in frame.itertuples()
        ),
    )
    left_out = sum(grid.left_out for grid in grids.values())
    notes = (
        (f"{counted(left_out, 'part')} of the day with reports of up to {small_group()} persons left out.",)
        if left_out
        else ()
    )
    return Figure(
        key,
        title,
        description,
        (seen,),
        drawn(key, title, description, drawing),
        table,
        tuple(grid.sql for grid in grids.values()),
        notes,
    )


def _farthest(outcome: str, grid: Grid, tests: int) -> Sentence:
    """Whether there is a part of the day at which reports are above or below the person's own mean."""
    cells = grid.cells
    farthest = cells.loc[cells["mean_deviation"].abs().idxmax()]
    value, count = float(farthest["mean_deviation"]), int(farthest["persons"])
    half = half_width(float(farthest["standard_deviation"]), count)
    error = float(farthest["standard_deviation"]) / math.sqrt(count)
    p = float(2 * stats.t.sf(abs(value) / error, count - 1)) if error else 1.0
    hours = f"from {int(farthest['hour'])}:00 to {int(farthest['hour'] + grid.choice['hours'])}:00"
    scale = "points on the scale from −1 to 1" if outcome in ("valence", "arousal") else "points of the questionnaire"
    # The farthest of several is far by chance, too: Bonferroni's correction for all parts of the day of all outcomes.
    evidence = Evidence(Interval(value, value - half, value + half), min(1.0, p * tests), tests)
    return differs(f"reported {OUTCOMES[outcome]}", f"{hours}, compared with the person's own mean", scale, evidence)
