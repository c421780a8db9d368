"""What the study could have found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from consonance.report.figures import Figure, Table, drawn, names_axis, told_apart
from consonance.report.section import Section
from consonance.report.sections.association import SD_PER_SD, Answered
from consonance.report.sentences import number
from consonance.report.statistics.power import smallest_effect
from consonance.report.statistics.results import Association, Effect, NoResult


def what_could_have_been_found(answers: Sequence[Answered], sql: str, why_none: str) -> Section:
    """The smallest effects that a sample like this one finds."""
    lead = (
        "The smallest true association that a study like this one would find in four of five repetitions (power 80 %, two-sided test "
        "at 5 %, not corrected for the number of tests). It depends on how many persons and reports there are, and not on what was "
        "found. Published hourly means of the valence of music span about 0.05 (Park and others 2019): associations of interest are small.",
    )
    rows = [
        (
            f"{one.asked.feature_name} of music → {one.asked.outcome_name}",
            f"{effect.level} persons",
            smallest_effect(effect),
            one.asked,
        )
        for one in answers
        if isinstance(one.before, Association)
        for effect in (one.before.within, one.before.between)
        if isinstance(effect, Effect)
    ]
    title = "What this study could have found"
    if not rows:
        why = next((one.before.explanation for one in answers if isinstance(one.before, NoResult)), why_none)
        return Section("power", title, lead, missing=(f"The smallest effect: {why}",))
    frame = pd.DataFrame(
        [(name, kind, smallest.standardised) for name, kind, smallest, _ in rows], columns=["name", "kind", "value"]
    )

    def drawing(width: float) -> Any:
        kinds = list(dict.fromkeys(frame["kind"]))
        names = list(dict.fromkeys(frame["name"]))
        looks = told_apart("kind", kinds)
        y = alt.Y("name:N", title=None, sort=names, axis=names_axis(width))
        base = alt.Chart(frame).encode(y=y, yOffset=alt.YOffset("kind:N", sort=kinds))
        x = alt.X(
            "value:Q",
            title=SD_PER_SD if width > 500 else "SD per SD",
            axis=alt.Axis(tickCount=5),
            scale=alt.Scale(zero=True),
        )
        bars = base.mark_bar(height=3).encode(x=x, color=looks["color"])
        ends = base.mark_point(filled=True, size=70, opacity=1).encode(x=x, **looks)
        return (bars + ends).properties(width=width, height=44 * len(names))

    figure_title = "The smallest effects that would have been found"
    description = "Bars with points at their ends: the smallest effect for each association, in standard deviations."
    within = min((row for row in rows if row[1].startswith("within")), key=lambda row: row[2].standardised)
    seen = (
        f"Within persons the smallest effect is {number(within[2].standardised)} standard deviations ({within[0]}): {number(within[2].per_sd)} "
        f"{within[3].unit} for one standard deviation of the music. Smaller ones may be there and would mostly be missed."
    )
    table = Table(
        ("association", "compared", "SD per SD", "points per SD of the music"),
        tuple((name, kind, number(smallest.standardised), number(smallest.per_sd)) for name, kind, smallest, _ in rows),
        texts=2,
    )
    svg = drawn("power", figure_title, description, drawing)
    figure = Figure("power", figure_title, description, (seen,), svg, table, (sql,))
    return Section("power", title, lead, figures=(figure,))
