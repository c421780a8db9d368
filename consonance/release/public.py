"""The public tier: cells of persons, suppressed until none shows a small group, and means in which everyone counts once.

``public_cells.sql`` says who is in which cell, and each person's own numbers. ``public_suppression.sql`` says which cells
cannot be published. Every table is made of these two by the same statement: nothing else can be in a public release.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from consonance.release.contents import PublicTable, public_tables
from consonance.release.making import too_few_for_the_public_tier
from consonance.release.parameters import small_group
from consonance.study.literals import literal

CELLS = Path(__file__).with_name("public_cells.sql")
SUPPRESSION = Path(__file__).with_name("public_suppression.sql")


def make_public_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables of the public tier in ``research.marts`` from the study ``made``; both are attached.

    Raises:
        NothingToPublish: the base population is a small group itself.
    """
    connection.execute(CELLS.read_text(encoding="utf-8"))
    ((persons,),) = connection.execute("select persons from population").fetchall()
    if persons <= small_group():
        raise too_few_for_the_public_tier()
    connection.execute(f"set variable small_group = {small_group()}")
    suppressed = f"create or replace temp table suppressed as {SUPPRESSION.read_text(encoding='utf-8')}"
    while connection.execute(suppressed).fetchall() != [(0,)]:
        connection.execute(
            "update cells set is_published = false where (series, cell) in (select series, cell from suppressed)"
        )
    for table in public_tables():
        connection.execute(f"create table research.marts.{table.name} as {_rows(table)}")


def _rows(table: PublicTable) -> str:
    """SQL for the rows of a table: one for each published cell of its series, or one for everyone. Means have four digits."""
    if not table.series:
        return "select persons from population"
    columns = [
        f"cast(nullif(split_part(cells.cell, chr(31), {part}), '') as {'integer' if name in table.whole_numbers else 'varchar'}) as {name}"
        for part, name in enumerate(table.cell, start=1)
    ]
    of = "population" if table.means_over == "everyone" else "cells"
    means = [
        f"round(sum(personal.value) filter (where personal.measure = {literal(name)}) / {of}.persons, 4) as {name}"
        for name in table.means
    ]
    return f"""
        select {", ".join([*columns, "cells.persons", *means])}
        from cells
        cross join population
        left join personal on personal.series = cells.series and personal.cell = cells.cell
        where cells.is_published and cells.series in ({", ".join(map(literal, table.series))})
        group by cells.series, cells.cell, cells.persons, population.persons
        order by all
    """
