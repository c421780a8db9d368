"""Mood over the day, and how many of the prompts were answered."""

from __future__ import annotations

import math
from typing import Any

import altair as alt
import pandas as pd
from scipy import stats

from consonance.release.parameters import small_group
from consonance.report.cells import Grid, finest, persons
from consonance.report.figures import COLOURS, Figure, Table, drawn, named, shades, told_apart, zero_line
from consonance.report.reading import Marts
from consonance.report.section import Section
from consonance.report.sentences import Evidence, Sentence, counted, differs, number, percent, warns
from consonance.report.statistics.missingness import answers_by_mood
from consonance.report.statistics.results import Interval, NoResult

PARTS_OF_DAY: tuple[dict[str, str | float], ...] = (
    {"hours": 1},
    {"hours": 2},
    {"hours": 4},
    {"hours": 6},
    {"hours": 12},
)
OUTCOMES = {
    "valence": "valence",
    "arousal": "arousal",
    "positive_affect": "positive affect",
    "negative_affect": "negative affect",
}
# The mood at a prompt that was not answered is not known: whose it is taken from.
MOOD_FROM = {
    "same_day": "as the person's other reports of the day say",
    "previous_report": "as the person's report before says",
}
SIDES: tuple[dict[str, str | float], ...] = (
    {"cells_per_side": 9},
    {"cells_per_side": 5},
    {"cells_per_side": 3},
    {"cells_per_side": 2},
)


def mood_over_the_day(marts: Marts) -> Section:
    """Reports by hour, and compliance with the prompts."""
    lead = (
        "Each person's reports are compared with the mean of all their reports. So an hour at which cheerful people "
        "report more often does not look cheerful. The sentences are about the part of the day that is farthest from this mean; "
        "p values are corrected for the number of parts.",
    )
    figures: list[Figure] = []
    findings: list[Sentence] = []
    warnings: list[Sentence] = []
    missing: list[str] = []
    for key, outcomes in {"mood": ("valence", "arousal"), "affect": ("positive_affect", "negative_affect")}.items():
        grids = {
            outcome: finest(
                marts, "mood_by_hour", [part | {"outcome": outcome} for part in PARTS_OF_DAY], "hour", "reports"
            )
            for outcome in outcomes
        }
        found = {outcome: grid for outcome, grid in grids.items() if grid is not None}
        if found:
            figures.append(_rhythm(key, found))
            findings += [_farthest(outcome, grid) for outcome, grid in found.items()]
        elif key == "mood":
            missing.append(f"Mood over the day: {_why_no_mood(marts)}")
    answered = _compliance(marts)
    if isinstance(answered, str):
        missing.append(f"Compliance: {answered}")
    else:
        figures.append(answered)
        warnings.append(_in_bad_mood(marts))
    return Section("mood", "Mood over the day", lead, tuple(findings), tuple(warnings), tuple(figures), tuple(missing))


def _why_no_mood(marts: Marts) -> str:
    found = _count(marts, "select count(distinct participant_id) from marts.emotion_reports where valence is not null")
    if not found:
        return "There are no reports with valence."
    return f"Reports with valence are of {persons(found)}; each part of the day needs more than {small_group()}."


def _count(marts: Marts, statement: str) -> int:
    return int(marts.connection.execute(statement).fetchall()[0][0])


def _rhythm(key: str, grids: dict[str, Grid]) -> Figure:
    parts = []
    for outcome, grid in grids.items():
        cells = grid.cells.assign(outcome=OUTCOMES[outcome], hours=int(grid.choice["hours"]))
        half = [_half(row.standard_deviation, row.persons) for row in cells.itertuples()]
        parts.append(cells.assign(half=half))
    frame = pd.concat(parts, ignore_index=True)
    frame["low"], frame["high"] = frame["mean_deviation"] - frame["half"], frame["mean_deviation"] + frame["half"]
    frame["middle"] = frame["hour"] + frame["hours"] / 2
    outcomes = [OUTCOMES[outcome] for outcome in grids]
    scale = "points from −1 to 1" if key == "mood" else "points of the questionnaire"

    def drawing(width: float) -> Any:
        looks = told_apart("outcome", outcomes)
        base = alt.Chart(frame).encode(x=_hours(width, "hour of the day"))
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
                f"{row.persons:,}",
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


def _hours(width: float, title: str) -> alt.X:
    """The day from 0 to 24 hours."""
    marks = list(range(0, 25, 3 if width > 500 else 6))
    return alt.X(
        "middle:Q", title=title, scale=alt.Scale(domain=[0, 24], nice=False), axis=alt.Axis(values=marks, grid=False)
    )


def _half(deviation: float, count: int) -> float:
    """Half of a 95 % interval of a mean over persons."""
    return float(stats.t.ppf(0.975, count - 1) * deviation / math.sqrt(count))


def _farthest(outcome: str, grid: Grid) -> Sentence:
    """Whether there is a part of the day at which reports are above or below the person's own mean."""
    cells = grid.cells
    farthest = cells.loc[cells["mean_deviation"].abs().idxmax()]
    value, count = float(farthest["mean_deviation"]), int(farthest["persons"])
    half = _half(float(farthest["standard_deviation"]), count)
    error = float(farthest["standard_deviation"]) / math.sqrt(count)
    p = float(2 * stats.t.sf(abs(value) / error, count - 1)) if error else 1.0
    hours = f"from {int(farthest['hour'])}:00 to {int(farthest['hour'] + grid.choice['hours'])}:00"
    scale = "points on the scale from −1 to 1" if outcome in ("valence", "arousal") else "points of the questionnaire"
    # The farthest of several is far by chance, too: Bonferroni's correction for all of them.
    evidence = Evidence(Interval(value, value - half, value + half), min(1.0, p * len(cells)), len(cells))
    return differs(f"reported {OUTCOMES[outcome]}", f"{hours}, compared with the person's own mean", scale, evidence)


def _compliance(marts: Marts) -> Figure | str:
    grid = finest(marts, "compliance", PARTS_OF_DAY, "hour", "prompts")
    if grid is None:
        if not _count(marts, "select count(*) from marts.emotion_prompts"):
            return "The questionnaires of this study have no prompts: nobody was asked at a moment, so nothing can be missed."
        return f"Each part of the day needs prompts of more than {small_group()} persons."
    frame = grid.cells.copy()
    frame["percent"] = 100 * frame["mean_share"]
    half = [100 * _half(row.standard_deviation, row.persons) for row in frame.itertuples()]
    frame["low"] = (frame["percent"] - half).clip(lower=0)
    frame["high"] = (frame["percent"] + half).clip(upper=100)
    step = int(grid.choice["hours"])
    frame["middle"] = frame["hour"] + step / 2

    def drawing(width: float) -> Any:
        base = alt.Chart(frame).encode(x=_hours(width, "hour of the prompt"))
        y = alt.Y("low:Q", title=None, scale=alt.Scale(domain=[0, 100]), axis=alt.Axis(values=[0, 25, 50, 75, 100]))
        rules = base.mark_rule(strokeWidth=2, color=COLOURS[0]).encode(y=y, y2="high:Q")
        points = base.mark_point(filled=True, size=60, opacity=1, color=COLOURS[0]).encode(y="percent:Q")
        return (rules + points).properties(
            width=width, height=180, title=named("% of a person's prompts that were answered")
        )

    ((prompts, asked, answered, delay),) = marts.connection.execute(
        """
        with personal as (
            select participant_id, count(*) as prompts, avg(case when status = 'answered' then 1.0 else 0 end) as share, median(delay_ms) as delay_ms
            from marts.emotion_prompts group by participant_id
        )
        select sum(prompts), count(*), avg(share), median(delay_ms) / 60000 from personal
        """
    ).fetchall()
    title = "Prompts that were answered, over the day"
    description = "Points with lines: mean share of a person's prompts that were answered, by the hour of the prompt, with its 95 % interval over persons."
    seen = (
        f"{counted(int(prompts), 'prompt')} of {persons(int(asked))}: on average {percent(answered)} of a person's "
        f"prompts were answered"
        + (f", half of the persons usually within {delay:.0f} minutes." if delay is not None else ".")
    )
    notes = (
        (f"{counted(grid.left_out, 'part')} of the day with prompts of up to {small_group()} persons left out.",)
        if grid.left_out
        else ()
    )
    table = Table(
        ("from hour", "persons", "prompts", "% answered", "95 % interval"),
        tuple(
            (
                f"{int(row.hour)}:00",
                f"{row.persons:,}",
                f"{row.prompts:,}",
                number(row.percent),
                f"{number(row.low)} to {number(row.high)}",
            )
            for row in frame.itertuples()
        ),
    )
    return Figure(
        "compliance",
        title,
        description,
        (seen,),
        drawn("compliance", title, description, drawing),
        table,
        (grid.sql,),
        notes,
    )


def _in_bad_mood(marts: Marts) -> Sentence:
    """Whether prompts are answered less often in a bad mood."""
    result = answers_by_mood(marts.ask("prompts").frame)
    known = "" if isinstance(result, NoResult) else f" ({MOOD_FROM[result.mood_from]})"
    return warns(
        f"prompts are answered less often in a worse mood{known}",
        f"prompts are answered more often in a worse mood{known}",
        "of the prompts for one standard deviation of the person's mood",
        "Reports are missing depending on mood: what is found holds for the prompts that were answered.",
        Evidence(result) if isinstance(result, NoResult) else Evidence.of_effect(result.effect),
    )


def valence_arousal_map(marts: Marts) -> Section:
    """The plane of valence and arousal: where reports are."""
    lead = (
        "Valence says how pleasant a mood is, arousal how intense. Each person counts alike, however many reports there are of them.",
    )
    grid = finest(marts, "mood_map", SIDES, "valence_cell", "reports")
    if grid is None:
        found = _count(
            marts,
            "select count(distinct participant_id) from marts.emotion_reports where valence is not null and arousal is not null",
        )
        why = (
            "there are no reports with both."
            if not found
            else f"reports with both are of {persons(found)}; a cell needs more than {small_group()}, and even four cells have fewer."
        )
        return Section("map", "Map of valence and arousal", lead, missing=(f"The map: {why}",))
    return Section("map", "Map of valence and arousal", lead, figures=(_map(grid),))


def _map(grid: Grid) -> Figure:
    side = int(grid.choice["cells_per_side"])
    frame = grid.cells.copy()
    for axis in ("valence", "arousal"):
        frame[f"{axis}_low"] = -1 + 2 * frame[f"{axis}_cell"] / side
        frame[f"{axis}_high"] = frame[f"{axis}_low"] + 2 / side
    frame["percent"] = 100 * frame["mean_share"]

    def drawing(width: float) -> Any:
        ticks = alt.Axis(values=[-1, -0.5, 0, 0.5, 1], grid=False)
        scale = alt.Scale(domain=[-1, 1], nice=False)
        cells = (
            alt.Chart(frame)
            .mark_rect(stroke="white", strokeWidth=1.5)
            .encode(
                x=alt.X("valence_low:Q", title="unpleasant  ←  valence  →  pleasant", scale=scale, axis=ticks),
                x2="valence_high:Q",
                y=alt.Y("arousal_low:Q", title="calm  ←  arousal  →  intense", scale=scale, axis=ticks),
                y2="arousal_high:Q",
                color=shades("% of a person's reports", width),
            )
        )
        cross = alt.Chart(pd.DataFrame({"zero": [0]}))
        lines = cross.mark_rule(color="#9aa6b2").encode(x="zero:Q") + cross.mark_rule(color="#9aa6b2").encode(
            y="zero:Q"
        )
        return (cells + lines).properties(width=width, height=min(width, 440) * 0.86)

    most = frame.loc[frame["mean_share"].idxmax()]
    pleasant = frame.loc[frame["valence_low"] >= 0, "mean_share"].sum()
    title = "Where reports are on the plane of valence and arousal"
    description = f"Cells of a square, {side} by {side}: valence from left to right, arousal from bottom to top. The darker, the larger the share of a person's reports."
    seen = (
        f"The fullest cell has {number(most['percent'])} % of a person's reports (valence {number(most['valence_low'])} to {number(most['valence_high'])}, "
        f"arousal {number(most['arousal_low'])} to {number(most['arousal_high'])})."
    )
    if side % 2 == 0:
        seen += f" {percent(pleasant)} of a person's reports are on the pleasant side."
    notes = []
    if grid.left_out:
        notes.append(f"{counted(grid.left_out, 'cell')} of up to {small_group()} persons left blank.")
    if side < int(SIDES[0]["cells_per_side"]):
        notes.append(
            f"A finer grid than {side} by {side} would leave too much blank, because its cells are of few persons."
        )
    table = Table(
        ("valence", "arousal", "persons", "% of a person's reports"),
        tuple(
            (
                f"{number(row.valence_low)} to {number(row.valence_high)}",
                f"{number(row.arousal_low)} to {number(row.arousal_high)}",
                f"{row.persons:,}",
                number(row.percent),
            )
            for row in frame.itertuples()
        ),
        texts=2,
    )
    return Figure(
        "map", title, description, (seen,), drawn("map", title, description, drawing), table, (grid.sql,), tuple(notes)
    )
