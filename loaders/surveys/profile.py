"""What the columns of a table hold, counted: the ground on which a map is proposed. No value leaves this module but
words that are published."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import duckdb

from consonance.consent.rules import with_rules
from loaders.side_files import ROWS, SideTable
from loaders.surveys.moments import WITH_OFFSET, WITHOUT_OFFSET

# A time of day may look like an IPv6 address, and ids of lines have many digits: here such a cell is nothing else.
ADDRESSES = with_rules("{{ email_pattern() }}|{{ ipv4_pattern() }}")
NUMBERS = with_rules("{{ telephone_pattern() }}") + "|([0-9A-Fa-f]{0,4}:){3,}[0-9A-Fa-f]{0,4}"
# Seconds or milliseconds since 1970, of this century.
STAMP = "number between 946684800 and 4102444800 or number between 946684800000 and 4102444800000"
PROFILE = """
    with cells as (
        select unnest([{cells}]) as cell
        from side_rows
    ),
    filled as (
        select cell.place as place, trim(cell.text) as text, try_cast(replace(trim(cell.text), ',', '.') as double) as number
        from cells
        where trim(cell.text) <> '' and not list_contains($missing, lower(trim(cell.text)))
    )
    select
        place,
        count(*),
        count(number),
        min(number),
        max(number),
        count(*) filter (where regexp_full_match(text, '{with_offset}')),
        count(*) filter (where regexp_full_match(text, '{without_offset}')),
        count(*) filter (
            where not regexp_full_match(text, '{without_offset}.*')
            and (
                regexp_matches(text, '{addresses}')
                or (regexp_full_match(text, '{numbers}') and not coalesce({is_stamp}, false))
            )
        ),
        count(distinct text),
        count(distinct text) filter (where list_contains($codes, trim(text, '"')))
    from filled
    group by place
"""


@dataclass(frozen=True)
class Column:
    """One column: its name, its place, and counts of its cells that are not empty.

    Attributes:
        filled, numbers, distinct: Cells, numbers among them, and different cells.
        least, greatest: Of the numbers.
        with_offset, without_offset: Moments in ISO 8601.
        addresses: What looks like an e-mail or IP address or a telephone number.
        codes: Different cells that are codes of enrolled participants.
    """

    name: str
    place: int
    filled: int = 0
    numbers: int = 0
    least: float | None = None
    greatest: float | None = None
    with_offset: int = 0
    without_offset: int = 0
    addresses: int = 0
    distinct: int = 0
    codes: int = 0

    @property
    def is_numeric(self) -> bool:
        return self.filled > 0 and self.numbers == self.filled


def profile(
    connection: duckdb.DuckDBPyConnection, table: SideTable, codes: Collection[str], missing: Collection[str]
) -> list[Column]:
    """Count what each column of ``side_rows`` holds.

    Args:
        connection: With the table.
        table: Its header.
        codes: Of the enrolled participants.
        missing: What stands for no answer, in small letters.
    """
    cells = ", ".join(f"{{'place': {place}, 'text': c{place}}}" for place in range(len(table.header)))
    query = PROFILE.format(
        cells=cells,
        with_offset=WITH_OFFSET,
        without_offset=WITHOUT_OFFSET,
        addresses=ADDRESSES,
        numbers=NUMBERS,
        is_stamp=STAMP,
    )
    found = {
        place: counts
        for place, *counts in connection.execute(query, {"codes": list(codes), "missing": list(missing)}).fetchall()
    }
    return [Column(name, place, *found.get(place, ())) for place, name in enumerate(table.header)]


def words_of(connection: duckdb.DuckDBPyConnection, column: Column, known: Collection[str]) -> tuple[list[str], int]:
    """The words of ``known`` that occur in a column, as written there, and how many other texts it has.

    A number before a word, as in "3 - Moderately", is passed over.
    """
    rows = connection.execute(
        f"""
        select text, list_contains($known, regexp_replace(lower(text), '^[0-9]+[ .:=)-]*', ''))
        from (select distinct trim(c{column.place}) as text from {ROWS})
        where text <> '' and try_cast(text as double) is null
        order by text
        """,
        {"known": list(known)},
    ).fetchall()
    return [text for text, is_known in rows if is_known], sum(not is_known for _, is_known in rows)


def values_where(
    connection: duckdb.DuckDBPyConnection, column: Column, answers: Collection[Column], most: int = 20
) -> list[str]:
    """What a column says on lines that have an answer, if it says few things; empty otherwise."""
    answered = ", ".join(f"nullif(trim(c{answer.place}), '')" for answer in answers)
    rows = connection.execute(
        f"select distinct trim(c{column.place}) as word from {ROWS} where coalesce({answered}) is not null and trim(c{column.place}) <> '' order by word"
    ).fetchall()
    return [word for (word,) in rows] if len(rows) <= most else []
