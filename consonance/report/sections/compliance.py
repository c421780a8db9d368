"""How many of the prompts were answered, and whether it depends on mood."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from consonance.release.parameters import small_group
from consonance.report.day import PARTS_OF_DAY, half_width, hours_axis
from consonance.report.figures import COLOURS, Figure, Table, drawn, named
from consonance.report.grids import finest
from consonance.report.reading import Marts
from consonance.report.sentences import Evidence, Sentence, counted, number, percent, warns
from consonance.report.statistics.missingness import answers_by_mood
from consonance.report.statistics.results import NoResult

# The mood at a prompt that was not answered is not known: whose it is taken from.
MOOD_FROM = {
    "same_day": "as the person's other reports of the day say",
    "previous_report": "as the person's report before says",
}


OVERALL = {
    "prompts": ("sum", "prompts"), "mean_share": ("mean", "share_answered"), "median_minutes": ("median", "minutes")
}  # fmt: skip


def compliance(marts: Marts) -> Figure | str:
    """The share of prompts that were answered, by part of the day; or why it cannot be shown."""
    answered = {
        "mean_share": ("mean", "share_answered"),
        "standard_deviation": ("standard deviation", "share_answered"),
    }
    grid = finest(marts, "compliance", PARTS_OF_DAY, ("hour",), "prompts", answered)
    if grid is None:
        if not marts.persons("emotion_prompts where prompted_at_local is not null"):
            return "The questionnaires of this study have no prompts: nobody was asked at a moment, so nothing can be missed."
        return f"Each part of the day needs prompts of more than {small_group()} persons."
    frame = grid.cells.copy()
    frame["percent"] = 100 * frame["mean_share"]
    half = [100 * half_width(row.standard_deviation, row.persons) for row in frame.itertuples()]
    frame["low"] = (frame["percent"] - half).clip(lower=0)
    frame["high"] = (frame["percent"] + half).clip(upper=100)
    step = int(grid.choice["hours"])
    frame["middle"] = frame["hour"] + step / 2

    def drawing(width: float) -> Any:
        base = alt.Chart(frame).encode(x=hours_axis(width, "hour of the prompt"))
        y = alt.Y("low:Q", title=None, scale=alt.Scale(domain=[0, 100]), axis=alt.Axis(values=[0, 25, 50, 75, 100]))
        rules = base.mark_rule(strokeWidth=2, color=COLOURS[0]).encode(y=y, y2="high:Q")
        points = base.mark_point(filled=True, size=60, opacity=1, color=COLOURS[0]).encode(y="percent:Q")
        return (rules + points).properties(
            width=width, height=180, title=named("% of a person's prompts that were answered")
        )

    overall = marts.cells("compliance_overall", ("whose",), OVERALL)
    whole = overall.frame.iloc[0]
    title = "Prompts that were answered, over the day"
    description = "Points with lines: mean share of a person's prompts that were answered, by the hour of the prompt, with its 95 % interval over persons."
    seen = (
        f"{counted(int(whole['prompts']), 'prompt')} of {whole['persons_in_words']} persons: on average "
        f"{percent(whole['mean_share'])} of a person's prompts were answered"
    )
    # Some programs do not say when a prompt was answered.
    has_delay = pd.notna(whole["median_minutes"])
    seen += f", half of the persons usually within {whole['median_minutes']:.0f} minutes." if has_delay else "."
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
                row.persons_in_words,
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
        (grid.sql, overall.sql),
        notes,
    )


def in_bad_mood(marts: Marts) -> Sentence:
    """Whether prompts are answered less often in a bad mood."""
    result = answers_by_mood(marts.rows("prompts").frame)
    known = "" if isinstance(result, NoResult) else f" ({MOOD_FROM[result.mood_from]})"
    return warns(
        f"prompts are answered less often in a worse mood{known}",
        f"prompts are answered more often in a worse mood{known}",
        "of the prompts for one standard deviation of the person's mood",
        "Reports are missing depending on mood: what is found holds for the prompts that were answered.",
        Evidence(result) if isinstance(result, NoResult) else Evidence.of_effect(result.effect),
    )
