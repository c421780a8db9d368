"""No cell of few persons, and none that could be computed from the others."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_marts import Shape, make

from consonance.release.parameters import small_group
from consonance.report import reading
from consonance.report.cells import (
    MEASURES,
    SmallCells,
    cells_of,
    persons,
    persons_apart,
    put_together,
    refuse_small_cells,
)
from consonance.report.reading import opened


@given(st.lists(st.integers(1, 200), max_size=12))
def test_groups_are_large_and_complete(sizes: list[int]) -> None:
    groups, may_be_shown = put_together((f"group {place}", size) for place, size in enumerate(sizes))
    assert sum(group.persons for group in groups) == sum(sizes)
    assert sorted(name for group in groups for name in group.names) == sorted(f"group {n}" for n in range(len(sizes)))
    assert may_be_shown == (not sizes or sum(sizes) > small_group())
    if may_be_shown:
        assert all(group.persons > small_group() for group in groups)
    assert sum(len(group.names) > 1 for group in groups) <= 1


def test_a_small_group_pulls_the_next_one_along() -> None:
    groups, may_be_shown = put_together([("a", 50), ("b", 30), ("c", 3)])
    assert [(group.names, group.persons) for group in groups] == [(("a",), 50), (("b", "c"), 33)]
    assert may_be_shown


def test_few_persons_have_no_number() -> None:
    few = small_group()
    assert [persons(n) for n in (0, 1, few, few + 1)] == [
        "no person", f"up to {few} persons", f"up to {few} persons", f"{few + 1} persons",
    ]  # fmt: skip


@given(st.lists(st.integers(0, 300), max_size=9))
def test_no_two_numbers_that_are_given_differ_by_few(counts: list[int]) -> None:
    words = persons_apart(counts)
    given_ = [count for count, said in words.items() if said == f"{count:,}"]
    assert words.keys() == set(counts) and (not counts or max(counts) <= small_group() or max(counts) in given_)
    assert all(a == b or min(a, b) == 0 or abs(a - b) > small_group() for a in given_ for b in given_)
    assert not any(0 < count <= small_group() for count in given_)


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(st.integers(0, 9), st.integers(1, 60), max_size=10))
def test_cells_are_counted_by_persons_and_small_ones_have_no_place(sizes: dict[int, int]) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "create schema marts; create table marts.participants as select i as participant_id from range(60) as t (i)"
        )
        connection.execute("create table rows_of_persons (participant_id bigint, hour integer, plays integer)")
        for hour, size in sizes.items():
            # Two rows of each person, and somebody who takes no part.
            connection.execute(
                f"insert into rows_of_persons select i, {hour}, n from range({size}) as t (i), range(2) as u (n) union all select 99, {hour}, 5"
            )
        connection.execute(f"set variable small_group = {small_group()}")
        query = cells_of("select * from rows_of_persons", ("hour",), {"plays": ("sum", "plays")})
        found = connection.execute(query).fetchall()
    large = {hour: size for hour, size in sizes.items() if size > small_group()}
    small = [size for size in sizes.values() if size <= small_group()]
    assert {row[0]: row[2:] for row in found if row[0] is not None} == {
        hour: (size, size) for hour, size in large.items()
    }
    rest = [row[1:] for row in found if row[0] is None]
    assert rest == ([(len(small), max(small), sum(small))] if small else [])


def test_no_measure_of_a_cell_is_the_value_of_one_person() -> None:
    assert not [sql for sql in MEASURES.values() if any(one in sql for one in ("min(", "max(", "first(", "list("))]


def test_numbers_of_few_persons_or_of_nobody_knows_how_many_are_refused() -> None:
    file = "consonance/report/queries/months.sql"
    refuse_small_cells([{"persons": small_group() + 1}, {"persons": 0}], ["persons"], file)
    for rows, columns in (([{"persons": 1}], ["persons"]), ([], ["share"]), ([], ["persons", "participant_id"])):
        with pytest.raises(SmallCells, match=file):
            refuse_small_cells(rows, columns, file)


def test_a_query_that_forgets_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queries = {
        "small": "select 'all' as whose, count(*) as persons from (from marts.participants limit 3)",
        "silent": "select avg(plays) as plays from marts.participants",
        "rows": "select participant_id, plays from marts.participants",
        "few": "select participant_id, plays, 1 as hour from marts.participants limit 3",
        "large": "select participant_id, plays, 1 as hour from marts.participants",
    }
    monkeypatch.setattr(reading, "_query", queries.__getitem__)
    with opened(make(tmp_path / "made.duckdb", Shape(persons=25, days=1))) as marts:
        for name in ("small", "silent", "rows"):
            with pytest.raises(SmallCells, match=f"queries/{name}.sql"):
                marts.ask(name)
        with pytest.raises(SmallCells):
            marts.rows("silent")
        by = ("hour",), {"plays": ("sum", "plays")}
        few = "participants where participant_id in (select participant_id from marts.participants limit 3)"
        assert marts.persons(few) == 3 and marts.counted(few) is None and marts.counted("participants") == (25, 25)
        assert marts.cells("few", *by).frame.empty and marts.cells("few", *by).left_out == 1
        assert list(marts.cells("large", *by).frame["persons"]) == [25]
        # The gate looks again at what the SQL of cells gives.
        monkeypatch.setattr(reading, "cells_of", lambda *_: "select 1 as hour, 1 as cells, 3 as persons, 7 as plays")
        with pytest.raises(SmallCells, match="shows numbers of"):
            marts.cells("few", *by)
