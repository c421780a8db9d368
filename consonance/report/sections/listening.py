"""What was heard when: the hours of the week, and the months of the histories."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from consonance.release.parameters import parameters, small_group
from consonance.report.figures import BLUE, Figure, Table, drawn, named, shades
from consonance.report.grids import Grid, finest
from consonance.report.reading import Cells, Marts
from consonance.report.section import Section
from consonance.report.sentences import counted, number

# From fine to coarse. Days: 1 is Monday to 7 Sunday; 1 and 6 are the parts of the week; 0 is every day.
CLOCKS: tuple[dict[str, str | float], ...] = (
    {"days": "weekday", "hours": 1},
    {"days": "part of week", "hours": 1},
    {"days": "weekday", "hours": 3},
    {"days": "all", "hours": 1},
    {"days": "part of week", "hours": 3},
    {"days": "all", "hours": 3},
    {"days": "all", "hours": 6},
)
DAYS = {
    "weekday": dict(enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), start=1)),
    "part of week": {1: "Mon to Fri", 6: "Sat, Sun"},
    "all": {0: "all days"},
}


def what_was_heard_when(marts: Marts) -> Section:
    """The clock of listening, and hours of music by month since the first play."""
    seconds = parameters()["counted_from_ms"] // 1000
    lead = (
        f"Plays of at least {seconds} seconds, in the local time of the listener. Plays abroad are left out of the clock. "
        "Each person counts alike, whether they listen much or little.",
        "Dates are shifted by whole weeks, another number for each person: hours and weekdays stay right, and months of the "
        "calendar mean nothing. So months are counted from each person's first play.",
    )
    clock = finest(marts, "clock", CLOCKS, ("day", "hour"), "plays", {"mean_share": ("mean over everyone", "share")})
    months = marts.cells("months", ("month",), {"mean_hours": ("mean", "hours")})
    figures, missing = [], []
    if clock is not None:
        figures.append(_clock(clock))
    else:
        missing.append(f"The clock of listening: too few persons. Each cell needs more than {small_group()}.")
    if len(months.frame) > 1:
        figures.append(_months(months))
    else:
        missing.append(f"Months: no more than {small_group()} persons have a history of two months or more.")
    return Section("listening", "What was heard when", lead, figures=tuple(figures), missing=tuple(missing))


def _clock(grid: Grid) -> Figure:
    names = DAYS[str(grid.choice["days"])]
    step = int(grid.choice["hours"])
    frame = grid.cells.assign(
        day_name=grid.cells["day"].astype(int).map(names),
        hour=grid.cells["hour"].astype(int),
        # Cells of the week and of the weekend have other lengths: a share per hour can be compared.
        per_hour=grid.cells["mean_share"] / step / grid.cells["day"].astype(int).map(_days_of(grid)),
    )
    frame["percent"] = 100 * frame["per_hour"]

    def drawing(width: float) -> Any:
        hours = list(range(0, 24, step))
        axis = alt.Axis(labelAngle=0, ticks=False, domain=False, values=hours[:: max(1, 3 // step)])
        return (
            alt.Chart(frame)
            .mark_rect(stroke="white", strokeWidth=1)
            .encode(
                x=alt.X("hour:O", title="hour of the day", scale=alt.Scale(domain=hours), axis=axis),
                y=alt.Y(
                    "day_name:N",
                    title=None,
                    scale=alt.Scale(domain=list(names.values())),
                    axis=alt.Axis(ticks=False, domain=False),
                ),
                color=shades("% of a person's plays in one hour of the week", width),
            )
            .properties(width=width, height=26 * max(2, len(names)))
        )

    most = frame.loc[frame["per_hour"].idxmax()]
    least = frame.loc[frame["per_hour"].idxmin()]
    title = "The clock of listening"
    description = "Cells of the week by day and hour. The darker a cell, the larger the share of a person's plays that begin in it."
    seen = (
        f"{'Of the cells shown, most' if grid.left_out else 'Most'} plays begin {_when(most, step)} "
        f"({number(most['percent'])} % of a person's plays for each hour of the week), fewest {_when(least, step)} ({number(least['percent'])} %)."
        if len(frame) > 1
        else "All hours of all days are one cell."
    )
    notes = (f"{counted(grid.left_out, 'cell')} of up to {small_group()} persons left blank.",) if grid.left_out else ()
    table = Table(
        ("day", "from hour", "persons", "% of a person's plays"),
        tuple(
            (row.day_name, f"{row.hour}:00", row.persons_in_words, number(100 * row.mean_share))
            for row in frame.itertuples()
        ),
    )
    return Figure(
        "clock", title, description, (seen,), drawn("clock", title, description, drawing), table, (grid.sql,), notes
    )


def _days_of(grid: Grid) -> dict[int, int]:
    return {
        "weekday": dict.fromkeys(range(1, 8), 1),
        "part of week": {1: 5, 6: 2},
        "all": {0: 7},
    }[str(grid.choice["days"])]


def _when(cell: pd.Series, step: int) -> str:
    return f"from {int(cell['hour'])}:00 to {int(cell['hour']) + step}:00 ({cell['day_name']})"


def _months(months: Cells) -> Figure:
    frame = months.frame.assign(years=months.frame["month"] / 12)

    def drawing(width: float) -> Any:
        base = alt.Chart(frame).encode(
            x=alt.X("years:Q", title="years since the first play", axis=alt.Axis(grid=False, tickCount=6)),
            y=alt.Y("mean_hours:Q", title=None, axis=alt.Axis(tickCount=5)),
        )
        lines = base.mark_line(color=BLUE, strokeWidth=2) + base.mark_point(color=BLUE, filled=True, size=14)
        return lines.properties(width=width, height=200, title=named("hours of music in the month"))

    first, last = frame.iloc[0], frame.iloc[-1]
    title = "Hours of music by month of the history"
    description = "A line: mean hours of music in each month since a person's first play."
    seen = (
        f"On average {number(first['mean_hours'])} hours in the first month ({first['persons_in_words']} persons) and "
        f"{number(last['mean_hours'])} in month {int(last['month'])} ({last['persons_in_words']} persons). The persons "
        "change along the line: only those count whose history covers the whole month."
    )
    notes = (f"Months that are covered by the histories of up to {small_group()} persons are left out.",)
    table = Table(
        ("month", "persons", "mean hours"),
        tuple((str(row.month), row.persons_in_words, number(row.mean_hours)) for row in frame.itertuples()),
    )
    return Figure(
        "months", title, description, (seen,), drawn("months", title, description, drawing), table, (months.sql,), notes
    )
