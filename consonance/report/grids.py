"""The finest grid of cells that may be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from consonance.release.parameters import small_group
from consonance.report.reading import Cells, Marts

# A grid that shows less than this share of what was counted says more about its gaps than about its cells. 2026-11.
SHOWN_AT_LEAST = 0.8


@dataclass(frozen=True)
class Grid:
    """The cells of the finest grid that may be shown.

    Attributes:
        cells: One row for each cell with more persons than the threshold.
        left_out: How many of the cells hold few persons.
        choice: The variables that the grid was asked with.
        sql: The query.
    """

    cells: pd.DataFrame
    left_out: int
    choice: Mapping[str, str | float]
    sql: str


def finest(
    marts: Marts,
    query: str,
    choices: Sequence[Mapping[str, str | float]],
    by: Sequence[str],
    weight: str,
    means: Mapping[str, tuple[str, str]],
) -> Grid | None:
    """Ask ``query`` with coarser and coarser ``choices``, until its cells may be shown.

    Args:
        marts: What to ask.
        query: Its rows are of persons.
        choices: Variables of the query, from fine to coarse.
        by: The columns of the place of a cell.
        weight: The value that says how much was counted of a person in a cell.
        means: The other numbers of a cell: see ``cells_of``.

    Returns:
        The grid; ``None`` if none may be shown.
    """
    for choice in choices:
        found = marts.cells(query, by, {weight: ("sum", weight), **means}, **choice)
        if _may_be_shown(found, weight):
            return Grid(found.frame, found.left_out, choice, found.sql)
    return None


def _may_be_shown(found: Cells, weight: str) -> bool:
    shown = float(found.frame[weight].sum())
    if found.frame.empty or shown < SHOWN_AT_LEAST * (shown + found.rest.get(weight, 0)):
        return False
    return not 0 < found.rest.get("persons", 0) <= small_group()
