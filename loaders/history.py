"""Landing one file of listening history: JSON rows in, plays, rejects and drift out.

DuckDB splits the array into rows and judges them in SQL; only a file that DuckDB refuses is split
here, row by row. The rules are those of docs/numbers.md, "What counts as a row".
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import duckdb

from loaders import history_sql
from loaders.archive import DOWNLOAD_AGAIN, MIB, MemberBroken
from loaders.formats import ACCOUNT_KEY, BYTE_ORDER_MARK, KINDS, Kind, recognise
from loaders.history_sql import MemberSql
from loaders.memory import in_memory

MAX_VALUES = 16 * MIB
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")

# One element of an array of rows: an object without objects inside, or a scalar. Possessive, so
# that damaged input cannot make it backtrack.
STRING = rb'"(?:[^"\\]++|\\.)*+"'
FLAT_ELEMENT = re.compile(
    rb"\s*+(\{(?:[^\"{}\[\]]++|" + STRING + rb")*+\}|" + STRING + rb"|[^\s\"{}\[\],]++)\s*+", re.DOTALL
)
NESTED_TOKEN = re.compile(rb"[^\"{}\[\]]++|" + STRING + rb"|[{}\[\]]", re.DOTALL)
KEY_NAME = re.compile(history_sql.KEY_NAME)
SPACE = re.compile(rb"\s*+")


@dataclass(frozen=True)
class Landed:
    """What became of the rows of one member.

    Attributes:
        kind: Which listed kind it is.
        rows_in: Rows of the file.
        reasons: Rows that could not be landed, by reason.
        usernames: The accounts its rows name.
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


def may_hold_history(start: bytes) -> bool:
    """Whether a file that begins so is worth reading: a JSON array, perhaps in a wrong encoding."""
    return _is_wide(start) or _unmarked(start).lstrip()[:1] in (b"[", b"")


class HistoryLander:
    """Lands members one after the other over one cursor; not for use by two threads at once."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor
        self._cursor.execute(history_sql.COUNT_ROWS)

    def land(
        self, content: bytes, name: str, participant_no: int, member_id: int, *, salvage: bool = False
    ) -> Landed | None:
        """Land the rows of ``content`` within the transaction under way; ``None`` if it is no listening history.

        Args:
            content: The whole file.
            name: What messages call it.
            participant_no, member_id: Whose it is.
            salvage: Split it here, row by row, because DuckDB refused it before.

        Raises:
            MemberBroken: it is listening history, but cannot be read; nothing of it was landed.
            MemberRefused: roll back and land it again with ``salvage``.
        """
        body = _json_array(content, name)
        if body is None:
            return None
        first = _first_recognisable(body, name)
        if not body.endswith(b"]") and (first or _names_a_play(body)):
            raise _cut_off(name)
        if first is None:
            return None
        kind, fields = first
        ids = {"participant_no": participant_no, "member_id": member_id}
        if salvage:
            self._salvage(body, name)
            return self._land_rows(
                MemberSql(kind, tuple(fields), history_sql.SALVAGED_ROWS), fields.get(ACCOUNT_KEY), ids
            )
        with in_memory(body, ".json") as address:
            try:
                return self._land_rows(
                    MemberSql(kind, tuple(fields), history_sql.json_rows(address)), fields.get(ACCOUNT_KEY), ids
                )
            except (duckdb.InvalidInputException, UnicodeDecodeError):
                # DuckDB's message quotes the row it stumbled over: it is not passed on.
                raise MemberRefused from None

    def _land_rows(self, sql: MemberSql, username: object, ids: dict[str, int]) -> Landed:
        run = self._cursor.execute
        account = (
            {"username": json.dumps(username, ensure_ascii=False) if username is not None else None}
            if ACCOUNT_KEY in sql.keys
            else {}
        )
        rows_before = self._rows_counted()
        ((usual_rows,),) = run(sql.land_usual(), {**ids, **account, "rows_before": rows_before}).fetchall()
        rows_in = self._rows_counted() - rows_before - 1
        drift: Counter[tuple[str, str]] = Counter()
        for key in sql.keys:
            drift["key", key if KEY_NAME.fullmatch(key) else history_sql.UNNAMED_KEY] += usual_rows
        reasons: dict[str, int] = {}
        usernames = {username} if isinstance(username, str) and username else set()
        if usual_rows < rows_in:
            run(sql.find_odd(), {**account, "rows_before": self._rows_counted()})
            foreign = [
                shape
                for shape, keys in run(history_sql.ODD_SHAPES).fetchall()
                if recognise(keys) not in (sql.kind, None)
            ]
            run(sql.judge_odd(), {"foreign_shapes": foreign})
            run(sql.land_odd(), ids)
            run(sql.reject_odd(), ids)
            reasons = dict(run(history_sql.REASONS).fetchall())
            usernames |= {name for (name,) in run(history_sql.USERNAMES).fetchall()}
            drift.update({("key", key): rows for key, rows in run(history_sql.ODD_KEYS).fetchall()})
            drift.update({("type", key): rows for key, rows in run(history_sql.WRONG_TYPES).fetchall()})
        for key in sql.kind.listed_keys:
            del drift["key", key]
        return Landed(sql.kind, rows_in, reasons, sorted(usernames), dict(+drift))

    def _rows_counted(self) -> int:
        return int(self._cursor.execute(history_sql.ROWS_COUNTED).fetchall()[0][0])

    def _salvage(self, body: bytes, name: str) -> None:
        """Split in Python what DuckDB refuses, keeping apart the rows that are at fault."""
        texts: list[str | None] = []
        faults: list[str | None] = []
        for row in split_rows(body, name):
            try:
                texts.append(row.decode("utf-8"))
                faults.append(None)
            except UnicodeDecodeError:
                texts.append(None)
                faults.append("invalid_utf8")
        self._cursor.execute(history_sql.SALVAGE, {"texts": texts, "faults": faults})


def _json_array(content: bytes, name: str) -> bytes | None:
    """The text of the JSON array that a file holds, or begins to hold; ``None`` if it holds none."""
    content = _unmarked(content)
    if _is_wide(content):
        if _names_a_play(content):
            raise MemberBroken(
                "wrong_encoding", f"{name} is not UTF-8: it was saved again by some program.", DOWNLOAD_AGAIN
            )
        return None
    body = content if content[:1] == b"[" and content[-1:] == b"]" else content.strip()
    if not body:
        raise MemberBroken("empty_file", f"{name} is empty.", DOWNLOAD_AGAIN)
    if not body.startswith(b"["):
        return None
    if len(body) > MAX_VALUES and body.count(b",") > MAX_VALUES:
        raise MemberBroken("too_many_values", f"{name} holds more values than a lifetime of listening.", DOWNLOAD_AGAIN)
    return body


def _first_recognisable(body: bytes, name: str) -> tuple[Kind, dict[str, object]] | None:
    """Kind and fields of the first row that any listed kind recognises; looks no further."""
    try:
        for row in split_rows(body, name):
            with suppress(ValueError):
                fields = json.loads(row) if row.startswith(b"{") else None
                if isinstance(fields, dict) and (kind := recognise(fields)):
                    return kind, fields
    except RecursionError:
        raise MemberBroken("too_deep", f"{name} nests values deeper than any history does.", DOWNLOAD_AGAIN) from None
    except MemberBroken:
        pass  # of no interest in a file that is no listening history
    return None


def split_rows(body: bytes, name: str) -> Iterator[bytes]:
    """The elements of the JSON array ``body``, as bytes, judging only where each one ends.

    Raises:
        MemberBroken: the array is cut off, or its elements cannot be told apart.
    """
    place = 1
    while True:
        place = SPACE.match(body, place).end()  # type: ignore[union-attr]
        if body[place : place + 1] == b"]":
            if body[place + 1 :].strip():
                raise MemberBroken("malformed_json", f"{name} goes on after its end.", DOWNLOAD_AGAIN)
            return
        element = FLAT_ELEMENT.match(body, place)
        start, end = element.span(1) if element else _nested_element(body, place, name)
        yield body[start:end]
        place = SPACE.match(body, end).end()  # type: ignore[union-attr]
        if body[place : place + 1] == b",":
            place += 1
        elif place == len(body):
            raise _cut_off(name)
        elif body[place : place + 1] != b"]":
            raise MemberBroken(
                "malformed_json", f"{name} is no well-formed JSON: its rows cannot be told apart.", DOWNLOAD_AGAIN
            )


def _nested_element(body: bytes, start: int, name: str) -> tuple[int, int]:
    depth, place = 0, start
    while place < len(body):
        token = NESTED_TOKEN.match(body, place)
        if token is None:
            break
        place = token.end()
        if token[0] in b"{[":
            depth += 1
        elif token[0] in b"}]":
            depth -= 1
            if depth == 0:
                return start, place
        if depth == 0:
            raise MemberBroken(
                "malformed_json", f"{name} is no well-formed JSON: its rows cannot be told apart.", DOWNLOAD_AGAIN
            )
    raise _cut_off(name)


def _cut_off(name: str) -> MemberBroken:
    return MemberBroken("cut_off_json", f"{name} is cut off before its end.", DOWNLOAD_AGAIN)


def _unmarked(content: bytes) -> bytes:
    return content.removeprefix(BYTE_ORDER_MARK)


def _is_wide(content: bytes) -> bool:
    return content.startswith(UTF_16_MARKS) or b"\0" in content[:4]


def _names_a_play(content: bytes) -> bool:
    narrowed = content[: 64 * 1024].replace(b"\0", b"")
    return any(f'"{kind.duration_key}"'.encode() in narrowed for kind in KINDS)
