"""Cells of few persons are not shown: ``small_group_persons`` of ``dbt_project.yml`` is the one threshold.

Who sees all the other cells must not be able to compute one that is left out. So cells that are left out count as one
cell together, and this too must hold more persons than the threshold, or none.

Nothing is shown that does not say of how many persons it is. A query gives rows of persons, and ``cells_of`` counts the
persons of each cell; or its rows say it in a column ``persons``, which ``refuse_small_cells`` looks at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consonance.release.parameters import small_group
from consonance.study.errors import ConsonanceError

# What a cell may say of its persons: no largest and no smallest value, which are of one person.
MEASURES = {
    "sum": "cast(sum({value}) as bigint)",
    "mean": "avg({value})",
    "standard deviation": "stddev_samp({value})",
    "median": "median({value})",
    # Over everybody that the query knows, for whom the number is 0 outside of their cells.
    "mean over everyone": "sum({value}) / (select count(distinct participant_id) from found)",
}


def persons(count: int, one: str = "person") -> str:
    """A number of persons in words: no number from 1 to the threshold is on the page."""
    if 0 < count <= small_group():
        return f"up to {small_group()} {one}s"
    return f"{count:,} {one}s" if count else f"no {one}"


def persons_apart(counts: Iterable[int]) -> dict[int, str]:
    """Numbers of persons in words, so that no two of those that are given differ by 1 to the threshold.

    Who takes part and did not do what others did is counted by the difference of two numbers. The largest is given; of the
    others each that is far enough from all given before.

    Args:
        counts: All that a page or a table says of persons, in any order; how many there are is one of them.
    """
    words, given = dict[int, str](), None
    for count in sorted(set(counts), reverse=True):
        if 0 < count <= small_group():
            words[count] = f"up to {small_group()}"
        elif count and given is not None and given - count <= small_group():
            words[count] = f"up to {small_group()} fewer than {given:,}"
        else:
            words[count], given = f"{count:,}", count
    return words


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


class SmallCells(ConsonanceError):
    """A query gives numbers that are of few persons, or do not say of how many they are."""


def refuse_small_cells(rows: Sequence[Mapping[str, Any]], columns: Iterable[str], file: str) -> None:
    """Refuse to show what a query found, unless each row is of nobody or of more persons than the threshold.

    Args:
        rows: What it found.
        columns: Of the rows.
        file: Where the query is.

    Raises:
        SmallCells: see there.
    """
    if "persons" not in columns or "participant_id" in columns:
        raise SmallCells(
            f"{file} does not say of how many persons each number is.",
            f"Count them in a column 'persons' of the query in {file}, and leave out rows of up to {small_group()}.",
        )
    if any(0 < row["persons"] <= small_group() for row in rows):
        raise SmallCells(
            f"{file} shows numbers of {small_group()} persons or fewer.",
            f"Look at {file} and at consonance/report/cells.py: such rows must be left out.",
        )


def cells_of(query: str, by: Sequence[str], measures: Mapping[str, tuple[str, str]]) -> str:
    """SQL: one row for each cell of more persons than ``small_group``; all the others are one row without place.

    Args:
        query: Its rows are of persons: ``participant_id``, the columns of the place, and values.
        by: The columns of the place of a cell, none of them empty.
        measures: For each number of a cell which of ``MEASURES`` of which value it is.
    """
    keys = ", ".join(by)
    places = ", ".join(
        f"case when sizes.persons > getvariable('small_group') then found.{key} end as {key}" for key in by
    )
    numbers = [f"{MEASURES[kind].format(value=value)} as {name}" for name, (kind, value) in measures.items()]
    values = dict.fromkeys(value for _, value in measures.values())
    return f"""with asked as (
{query}
),

found as (
    select * from asked
    semi join marts.participants using (participant_id)
),

sizes as (
    select {keys}, count(distinct participant_id) as persons
    from found
    group by {keys}
),

placed as (
    select
        {places},
        struct_pack({", ".join(f"{key} := found.{key}" for key in by)}) as cell,
        {"".join(f"found.{value}, " for value in values)}found.participant_id
    from found
    inner join sizes using ({keys})
)

select
    {keys},
    count(distinct cell) as cells,
    {", ".join(["count(distinct participant_id) as persons", *numbers])}
from placed
group by {keys}
order by {keys}"""
