"""Cells of few persons are not shown: ``small_group_persons`` of ``dbt_project.yml`` is the one threshold.

Who sees all the other cells must not be able to compute one that is left out. So cells that are left out count as one
cell together, and this too must hold more persons than the threshold, or none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from consonance.release.parameters import small_group
from consonance.report.reading import Answer, Marts

# A grid that shows less than this share of what was counted says more about its gaps than about its cells. 2026-11.
SHOWN_AT_LEAST = 0.8


def persons(count: int, one: str = "person") -> str:
    """A number of persons in words: no number from 1 to the threshold is on the page."""
    if 0 < count <= small_group():
        return f"up to {small_group()} {one}s"
    return f"{count:,} {one}s" if count else f"no {one}"


@dataclass(frozen=True)
class Group:
    """A group of persons. ``names`` has several names where small groups were put together."""

    names: tuple[str, ...]
    persons: int


def put_together(groups: Iterable[tuple[str, int]]) -> tuple[list[Group], bool]:
    """Put groups of few persons together, until each holds more persons than the threshold.

    Args:
        groups: Name and number of persons; each person is in one of them.

    Returns:
        The groups, the largest first, those put together last; and whether they may be shown. They may not if even
        all persons together are few.
    """
    ordered = sorted(
        (Group((name,), persons) for name, persons in groups), key=lambda group: (-group.persons, group.names)
    )
    shown = [group for group in ordered if group.persons > small_group()]
    small = ordered[len(shown) :]
    while small and shown and sum(group.persons for group in small) <= small_group():
        small.insert(0, shown.pop())
    if small:
        names = tuple(sorted(name for group in small for name in group.names))
        shown.append(Group(names, sum(group.persons for group in small)))
    return shown, all(group.persons > small_group() for group in shown)


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
    marts: Marts, query: str, choices: Sequence[Mapping[str, str | float]], key: str, weight: str
) -> Grid | None:
    """Ask ``query`` with coarser and coarser ``choices``, until its cells may be shown.

    Args:
        marts: What to ask.
        query: Its rows are cells with ``persons``. Cells of few persons are one row, with null in ``key``, and their
            number in ``cells``.
        choices: Variables of the query, from fine to coarse.
        key: A column of the place of a cell.
        weight: The column with what was counted in the cell.

    Returns:
        The grid; ``None`` if none may be shown.
    """
    for choice in choices:
        answer = marts.ask(query, **choice)
        grid = _shown(answer, choice, key, weight)
        if grid is not None:
            return grid
    return None


def _shown(answer: Answer, choice: Mapping[str, str | float], key: str, weight: str) -> Grid | None:
    frame = answer.frame
    small = frame[frame[key].isna()]
    cells = frame[frame[key].notna()]
    total = float(frame[weight].sum())
    if cells.empty or float(cells[weight].sum()) < SHOWN_AT_LEAST * total:
        return None
    if not small.empty and int(small["persons"].iloc[0]) <= small_group():
        return None
    return Grid(cells, int(small["cells"].sum()), choice, answer.sql)
