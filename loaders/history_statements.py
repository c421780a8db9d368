"""The statements that land one member of listening history, from the templates in ``loaders/history_sql``.

DuckDB's JSON reader gives each row as a map from key to raw JSON value, so nothing is guessed about types. A row is
*usual* if it has just the keys of the first recognisable row, in that order, and every value is what it should be. As
a rule all rows are: they are inserted in one statement, straight from the file. Only where rows are missing after it
are the *odd* ones read again and judged one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from loaders.export_kinds import ACCOUNT_KEY, DURATION_COLUMN, EXTENDED, Kind

MAX_ROW_BYTES = 1 << 20  # a larger row is split by loaders/json_rows.py
KEY_NAME = "[A-Za-z_][A-Za-z0-9_]{0,63}"
UNNAMED_KEY = "(no plain name)"

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("history_sql")), undefined=StrictUndefined, autoescape=False
)
TEMPLATES.globals.update(number=r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", max_duration_ms=10**12, kept_reject_chars=2000)

# Counts the rows of a file while they are read; of the session, never reset.
COUNT_ROWS = "create temp sequence if not exists row_numbers"
ROWS_COUNTED = "select nextval('row_numbers')"

# Where rows are that were not read straight from a file.
SALVAGED_ROWS = "salvaged_rows"
TEXT_ROWS = "text_rows"

# The key lists of odd rows, each with its hash.
ODD_SHAPES = "select distinct hash(keys), keys from odd_fields where keys is not null"

# Rejected rows by reason.
REASONS = "select reason, count(*) from odd_rows where reason is not null group by reason order by reason"

# Odd rows by key; a key that looks like no name of Spotify's stays unnamed.
ODD_KEYS = f"""
    select case when regexp_full_match(key, '{KEY_NAME}') then key else '{UNNAMED_KEY}' end as name, count(*)
    from (select unnest(keys) as key from odd_rows)
    group by name
    order by name
"""

# Landed rows by key whose value has another JSON type than listed.
WRONG_TYPES = """
    select key, count(*)
    from (select unnest(wrong_types) as key from odd_rows where reason is null)
    group by key
    order by key
"""

# The Spotify accounts that odd rows name.
USERNAMES = "select distinct username from odd_rows where username is not null order by username"


def json_rows(address: str) -> str:
    """The relation of the rows of the JSON array at ``address``, in the order of the file: (fields, fault)."""
    return f"""(
        select fields, cast(null as varchar) as fault
        from read_json(
            '{address}',
            format = 'array', records = false, maximum_object_size = {MAX_ROW_BYTES}, columns = {{fields: 'MAP(VARCHAR, JSON)'}}
        )
    )"""


def set_rows_aside(cursor: duckdb.DuckDBPyConnection, texts: list[str | None], faults: list[str | None]) -> None:
    """Fill ``salvaged_rows`` from one JSON text (or the fault found in it) a row."""
    cursor.execute(TEMPLATES.get_template("salvaged_rows.sql").render(), {"texts": texts, "faults": faults})


def set_csv_rows_aside(cursor: duckdb.DuckDBPyConnection, address: str, delimiter: str, kind: Kind) -> None:
    """Fill ``salvaged_rows`` from the CSV at ``address``."""
    cursor.execute(
        TEMPLATES.get_template("csv_rows.sql").render(address=address, delimiter=delimiter), _keys_by_type(kind)
    )


def set_text_rows_aside(cursor: duckdb.DuckDBPyConnection, rows: str, kind: Kind) -> None:
    """Fill ``text_rows`` from the relation ``rows``, in which a donation tool has made a text of every value."""
    cursor.execute(TEMPLATES.get_template("text_rows.sql").render(rows=rows), _keys_by_type(kind))


def _keys_by_type(kind: Kind) -> dict[str, list[str]]:
    types = {field.key: field.type for field in kind.fields} | {kind.duration_key: "stamp"}
    return {
        "number_keys": [key for key, type in types.items() if type == "stamp"],
        "flag_keys": [key for key, type in types.items() if type == "flag"],
    }


@dataclass(frozen=True)
class MemberStatements:
    """The statements for one member.

    Attributes:
        kind: What it is.
        keys: The keys of its first recognisable row, in their order.
        username: The JSON text of the Spotify account that this row names, if it does.
        rows: The relation its rows are read from: (fields, fault).
        participant_no, member_id: Whose it is.
    """

    kind: Kind
    keys: tuple[str, ...]
    username: str | None
    rows: str
    participant_no: int
    member_id: int

    def land_usual(self, cursor: duckdb.DuckDBPyConnection, rows_before: int) -> int:
        """Insert the usual rows; how many they are. ``rows_before``: what the session had counted before."""
        ((rows,),) = self._run(
            cursor, "land_usual.sql", **self._ids, **self._first_row, rows_before=rows_before
        ).fetchall()
        return int(rows)

    def find_odd(self, cursor: duckdb.DuckDBPyConnection, rows_before: int) -> None:
        """Set the odd rows aside in ``odd_fields``."""
        self._run(cursor, "find_odd.sql", **self._first_row, rows_before=rows_before)

    def land_odd(self, cursor: duckdb.DuckDBPyConnection, foreign_shapes: list[int]) -> None:
        """Judge the rows of ``odd_fields``, and insert them into the plays or the rejected rows.

        Args:
            cursor: As for ``find_odd``.
            foreign_shapes: Hashes of key lists that are those of another kind.
        """
        self._run(cursor, "judge_odd.sql", foreign_shapes=foreign_shapes)
        self._run(cursor, "land_odd.sql", **self._ids)
        self._run(cursor, "reject_odd.sql", **self._ids, listed_keys=list(self.kind.listed_keys))

    def _run(self, cursor: duckdb.DuckDBPyConnection, name: str, **parameters: Any) -> duckdb.DuckDBPyConnection:
        return cursor.execute(TEMPLATES.get_template(name).render(self._names), parameters)

    @property
    def _ids(self) -> dict[str, int]:
        return {"participant_no": self.participant_no, "member_id": self.member_id}

    @property
    def _first_row(self) -> dict[str, Any]:
        return {"keys": list(self.keys), "username": self.username}

    @cached_property
    def _names(self) -> Mapping[str, Any]:
        """What the templates go by. Keys that the file brings are in none of them: they are parameters."""
        kind = self.kind
        columns = {kind.time_column: kind.time_key, DURATION_COLUMN: kind.duration_key}
        columns |= {field.column: field.key for field in kind.fields}
        return {
            "kind": kind,
            "rows": self.rows,
            "landed_columns": list(columns),
            "json_columns": columns | {"username": ACCOUNT_KEY},
            "places": {key: place for place, key in enumerate(self.keys, start=1)},
            "origin": "cardinality(fields) as key_count" if kind is EXTENDED else f"'{kind.name}' as kind",
        }
