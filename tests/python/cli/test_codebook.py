"""The codebook of the docs site shows nothing that is of few persons."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consonance.release.parameters import small_group
from consonance.site.codebook import Entry, codebook
from consonance.site.pages import render

FEW, ENOUGH = small_group(), small_group() + 1


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        yield connection


def entries(connection: duckdb.DuckDBPyConnection, rows: str) -> dict[str, Entry]:
    connection.execute(f"create or replace table marts.plays as {rows}")
    (table,) = codebook(connection)
    return {entry.name: entry for entry in table.entries}


def test_words_of_few_persons_are_put_together_with_enough(warehouse: duckdb.DuckDBPyConnection) -> None:
    persons = f"select 'p' || i as participant_id, {{}} as word from range({4 * ENOUGH}) as persons(i)"
    case = f"case when i < {FEW} then 'few' when i < {FEW + ENOUGH} then 'enough' else 'many' end"
    found = entries(warehouse, persons.format(case))
    assert [bar.name for bar in found["word"].bars] == ["many", "other"]
    assert sum(bar.percent for bar in found["word"].bars) == pytest.approx(100)
    assert found["participant_id"].bars == ()
    assert (
        entries(warehouse, persons.format("case when i < 1 then 'one' else 'others' end"))["word"].bars[0].name
        == "other"
    )


def test_how_often_a_column_is_empty_is_not_said_of_few_persons(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = f"select 'p' || i as participant_id, case when i >= {FEW} then i end as a, case when i >= {ENOUGH} then i end as b, null::int as c from range(100) as persons(i)"
    found = entries(warehouse, rows)
    assert (found["a"].empty, found["b"].empty, found["c"].empty) == (None, ENOUGH, 100)


def test_the_outermost_bars_of_numbers_are_open(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = "select 'p' || i % 200 as participant_id, cast(i % 1000 as double) + 0.1234 as value from range(40000) as persons(i)"
    bars = entries(warehouse, rows)["value"].bars
    assert len(bars) == 10
    assert bars[0].name.startswith("below ") and bars[-1].name.endswith(" and above")
    assert "0.1234" not in str(bars)
    assert sum(bar.percent for bar in bars) == pytest.approx(100)


@pytest.mark.parametrize("people", [0, 1, FEW])
def test_of_few_people_there_is_only_what_columns_mean(warehouse: duckdb.DuckDBPyConnection, people: int) -> None:
    rows = f"select 'p' || i % {max(people, 1)} as participant_id, i % 3 as number, 'word' as word from range({100 * people}) as t(i)"
    found = entries(warehouse, rows)
    assert [(entry.empty, entry.bars) for entry in found.values()] == [(None, ())] * 3
    (table,) = codebook(warehouse)
    page = render("site_codebook.html", table=table, lineage={})
    assert 'id="word"' in page and "% of rows" not in page and "<rect" not in page


def test_everyone_alike_has_one_bar(warehouse: duckdb.DuckDBPyConnection) -> None:
    found = entries(
        warehouse, f"select 'p' || i as participant_id, 7 as number, 'word' as word from range({ENOUGH}) as t(i)"
    )
    assert [bar.name for bar in found["number"].bars] == ["7"]
    assert [bar.percent for bar in found["word"].bars] == [100]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from("abcdef"), st.floats(-1e6, 1e6)), max_size=300))
def test_each_bar_is_of_more_persons_than_a_small_group(rows: list[tuple[int, str, float]]) -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "create schema marts; create table marts.plays (participant_id varchar, word varchar, value double)"
        )
        if rows:
            connection.executemany("insert into marts.plays values (?, ?, ?)", [list(row) for row in rows])
        (table,) = codebook(connection)
        words, values = table.entries[1].bars, table.entries[2].bars
        named = {bar.name for bar in words} - {"other"}
        for name in named:
            assert len({person for person, word, _ in rows if word == name}) > FEW
        if any(bar.name == "other" for bar in words):
            assert len({person for person, word, _ in rows if word not in named}) > FEW
        if values:
            assert len({person for person, *_ in rows}) > FEW
        assert not words or sum(bar.percent for bar in words) == pytest.approx(100)
