"""Landing one file of listening history: rows in, plays, rejected rows and drift out.

DuckDB splits the array into rows and judges them in SQL; only a file that DuckDB refuses, or that has its rows in
another layout (one object a line, several arrays), is split row by row before. The rules are those of
docs/numbers.md, "What counts as a row".
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from loaders import history_statements
from loaders.export_kinds import ACCOUNT_KEY, Kind, recognise
from loaders.history_layouts import broken_csv, csv_delimiter, csv_header, csv_kind, first_row, is_array, text_of
from loaders.history_statements import KEY_NAME, SALVAGED_ROWS, TEXT_ROWS, UNNAMED_KEY, MemberStatements, json_rows
from loaders.json_rows import decoded_rows
from loaders.memory_files import in_memory


@dataclass(frozen=True)
class Landed:
    """How many rows of one member were landed and rejected.

    Attributes:
        kind: Which listed kind it is.
        rows_in: Rows of the file.
        reasons: Rows that could not be landed, by reason.
        usernames: The Spotify accounts that its rows name.
        drift: (what, name) to occurrences of keys and types that have no place here.
    """

    kind: Kind
    rows_in: int
    reasons: dict[str, int]
    usernames: list[str]
    drift: dict[tuple[str, str], int]

    @property
    def rejected(self) -> int:
        return sum(self.reasons.values())

    @property
    def landed(self) -> int:
        return self.rows_in - self.rejected


class MemberRefused(Exception):
    """DuckDB cannot split this member into rows; the transaction under way is lost."""


class HistoryLander:
    """Lands members one after the other over one cursor; not for use by two threads at once."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor
        self._cursor.execute(history_statements.COUNT_ROWS)

    def land(
        self,
        content: bytes,
        name: str,
        participant_no: int,
        member_id: int,
        *,
        salvage: bool = False,
        are_texts: bool = False,
    ) -> Landed | None:
        """Land the rows of ``content`` within the transaction under way; ``None`` if it is no listening history.

        Args:
            content: The whole file.
            name: What messages call it.
            participant_no, member_id: Whose it is.
            salvage: Split it row by row, because DuckDB refused it before.
            are_texts: Every value in it is a text.

        Raises:
            MemberBroken: it is listening history, but cannot be read; nothing of it was landed.
            MemberRefused: roll back and land it again with ``salvage``.
        """
        body = text_of(content, name)
        if body is None:
            return None
        ids = (participant_no, member_id)
        if header := csv_header(body):
            kind = csv_kind(header, name)
            if salvage:
                raise broken_csv(name, "and no well-formed one")
            with in_memory(body, ".csv") as address:
                try:
                    history_statements.set_csv_rows_aside(self._cursor, address, csv_delimiter(body), kind)
                except (duckdb.InvalidInputException, UnicodeDecodeError):
                    raise MemberRefused from None
            return self._land_rows(MemberStatements(kind, tuple(header), None, SALVAGED_ROWS, *ids))
        first = first_row(body, name)
        if first is None:
            return None
        kind, fields = first
        keys, username = tuple(fields), _as_json(fields)
        if salvage or not is_array(body):
            self._salvage(body, name)
            rows = self._typed(SALVAGED_ROWS, kind, are_texts)
            return self._land_rows(MemberStatements(kind, keys, username, rows, *ids))
        with in_memory(body, ".json") as address:
            try:
                rows = self._typed(json_rows(address), kind, are_texts)
                return self._land_rows(MemberStatements(kind, keys, username, rows, *ids))
            except (duckdb.InvalidInputException, UnicodeDecodeError):
                # DuckDB's message quotes the row it stumbled over: it is not passed on.
                raise MemberRefused from None

    def _salvage(self, body: bytes, name: str) -> None:
        history_statements.set_rows_aside(self._cursor, *decoded_rows(body, name))

    def _typed(self, rows: str, kind: Kind, are_texts: bool) -> str:
        """The relation ``rows``, or one with its texts as the values that they stand for."""
        if are_texts:
            history_statements.set_text_rows_aside(self._cursor, rows, kind)
        return TEXT_ROWS if are_texts else rows

    def _land_rows(self, member: MemberStatements) -> Landed:
        rows_before = self._rows_counted()
        usual_rows = member.land_usual(self._cursor, rows_before)
        rows_in = self._rows_counted() - rows_before - 1
        drift: Counter[tuple[str, str]] = Counter()
        for key in member.keys:
            drift["key", key if re.fullmatch(KEY_NAME, key) else UNNAMED_KEY] += usual_rows
        reasons: dict[str, int] = {}
        username = json.loads(member.username or "null")
        usernames = {username} if isinstance(username, str) and username else set()
        if usual_rows < rows_in:
            member.find_odd(self._cursor, self._rows_counted())
            member.land_odd(self._cursor, self._foreign_shapes(member.kind))
            reasons = self._counts(history_statements.REASONS)
            usernames |= {name for (name,) in self._cursor.execute(history_statements.USERNAMES).fetchall()}
            drift.update({("key", key): rows for key, rows in self._counts(history_statements.ODD_KEYS).items()})
            drift.update({("type", key): rows for key, rows in self._counts(history_statements.WRONG_TYPES).items()})
        for key in member.kind.listed_keys:
            del drift["key", key]
        return Landed(member.kind, rows_in, reasons, sorted(usernames), dict(+drift))

    def _foreign_shapes(self, kind: Kind) -> list[int]:
        """The hashes of the key lists of odd rows that are those of another kind."""
        shapes = self._cursor.execute(history_statements.ODD_SHAPES).fetchall()
        return [shape for shape, keys in shapes if recognise(keys) not in (kind, None)]

    def _counts(self, statement: str) -> dict[str, int]:
        return dict(self._cursor.execute(statement).fetchall())

    def _rows_counted(self) -> int:
        return int(self._cursor.execute(history_statements.ROWS_COUNTED).fetchall()[0][0])


def _as_json(fields: Mapping[str, object]) -> str | None:
    """The JSON text of the Spotify account that a row names."""
    username = fields.get(ACCOUNT_KEY)
    return None if username is None else json.dumps(username, ensure_ascii=False)
