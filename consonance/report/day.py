"""What figures over the day share: its parts, its axis, and the interval of a mean over persons."""

from __future__ import annotations

import math

import altair as alt
from scipy import stats

# From fine to coarse.
PARTS_OF_DAY: tuple[dict[str, str | float], ...] = (
    {"hours": 1},
    {"hours": 2},
    {"hours": 4},
    {"hours": 6},
    {"hours": 12},
)


def hours_axis(width: float, title: str) -> alt.X:
    """The day from 0 to 24 hours."""
    marks = list(range(0, 25, 3 if width > 500 else 6))
    return alt.X(
        "middle:Q", title=title, scale=alt.Scale(domain=[0, 24], nice=False), axis=alt.Axis(values=marks, grid=False)
    )


def half_width(deviation: float, count: int) -> float:
    """Half of a 95 % interval of a mean over persons."""
    return float(stats.t.ppf(0.975, count - 1) * deviation / math.sqrt(count))
