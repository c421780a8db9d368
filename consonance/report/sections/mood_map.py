"""The plane of valence and arousal: where reports are."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from consonance.release.parameters import small_group
from consonance.report.figures import Figure, Table, drawn, shades
from consonance.report.grids import Grid, finest
from consonance.report.reading import Marts
from consonance.report.section import Section
from consonance.report.sentences import counted, number, percent

# From fine to coarse.
SIDES: tuple[dict[str, str | float], ...] = (
    {"cells_per_side": 9},
    {"cells_per_side": 5},
    {"cells_per_side": 3},
    {"cells_per_side": 2},
)


def valence_arousal_map(marts: Marts) -> Section:
    """The plane of valence and arousal: where reports are."""
    lead = (
        "Valence says how pleasant a mood is, arousal how intense. Each person counts alike, however many reports there are of them.",
    )
    share = {"mean_share": ("mean over everyone", "share")}
    grid = finest(marts, "mood_map", SIDES, ("valence_cell", "arousal_cell"), "reports", share)
    if grid is None:
        found = marts.persons("emotion_reports where valence is not null and arousal is not null")
        why = (
            "there are no reports with both."
            if not found
            else f"reports with both are of {marts.in_words([found])[found]} persons; a cell needs more than {small_group()}, and even four cells have fewer."
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
                row.persons_in_words,
                number(row.percent),
            )
            for row in frame.itertuples()
        ),
        texts=2,
    )
    return Figure(
        "map", title, description, (seen,), drawn("map", title, description, drawing), table, (grid.sql,), tuple(notes)
    )
