"""Pictures of a participant's own listening, drawn to SVG; nothing is drawn of nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from consonance.report.day import hours_axis
from consonance.report.figures import BLUE, GREY, VERMILION, drawn, named

Rows = Sequence[dict[str, Any]]
Drawn = tuple[str, str]


def years(rows: Rows) -> Drawn | None:
    """Hours of listening by year. ``rows`` have ``year`` and ``hours``; wide and narrow SVG, or none of none."""
    if not rows:
        return None
    frame = pd.DataFrame(rows)[["year", "hours"]]

    def drawing(width: float) -> Any:
        return (
            alt.Chart(frame, title=named("hours"))
            .mark_bar(color=BLUE, size=min(40, width / (2 * len(frame) + 1)))
            .encode(x=alt.X("year:O", title=None, axis=alt.Axis(labelAngle=0)), y=alt.Y("hours:Q", title=None))
            .properties(width=width, height=200)
        )

    return drawn("years", "Hours of listening by year", "One bar for each year: how many hours you listened.", drawing)


def clock(rows: Rows) -> Drawn | None:
    """What part of the listening began in each hour of the day. ``rows`` have ``middle`` (hours) and ``percent``."""
    if not rows:
        return None
    frame = pd.DataFrame(rows)[["middle", "percent"]]

    def drawing(width: float) -> Any:
        return (
            alt.Chart(frame, title=named("percent of your listening"))
            .mark_bar(color=BLUE, size=width / 32)
            .encode(x=hours_axis(width, "hour of the day, in your time zone"), y=alt.Y("percent:Q", title=None))
            .properties(width=width, height=180)
        )

    return drawn("clock", "When you listen", "One bar for each hour of the day: its part of your listening.", drawing)


def moods(rows: Rows) -> Drawn | None:
    """Each report as a point. ``rows`` have ``valence`` and ``arousal``, both from -1 to 1."""
    if not rows:
        return None
    frame = pd.DataFrame(rows)
    whole = alt.Scale(domain=[-1, 1], nice=False)

    def drawing(width: float) -> Any:
        ends = alt.Axis(values=[-1, 0, 1])
        points = (
            alt.Chart(frame, title=named("calm, below, to aroused, above"))
            .mark_circle(color=VERMILION, size=50, opacity=0.45)
            .encode(
                x=alt.X(
                    "valence:Q", title="unpleasant, on the left, to pleasant, on the right", scale=whole, axis=ends
                ),
                y=alt.Y("arousal:Q", title=None, scale=whole, axis=ends),
            )
        )
        zero = pd.DataFrame({"zero": [0]})
        lines = [alt.Chart(zero).mark_rule(color=GREY, strokeDash=[3, 3]).encode(**{axis: "zero:Q"}) for axis in "xy"]
        return alt.layer(*lines, points).properties(width=width, height=260)

    return drawn(
        "moods", "The moods you reported", "One point for each report: how pleasant, and how aroused.", drawing
    )
