"""Landing one file of listening history: JSON rows in, plays, rejects and drift out.

DuckDB splits the array into rows and judges them in SQL; only a file that DuckDB refuses, or that holds
its rows in another way (one object a line, several arrays), is split here, row by row. A history saved
as CSV is split by DuckDB too. The rules are those of docs/numbers.md, "What counts as a row".
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Generator, Iterator
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
# What stands before, between and after arrays that somebody pasted into one file.
BETWEEN = re.compile(rb"[^\[\]{}]*+")
# Numbers that are no JSON, and the texts they are not looked for in.
NOT_FINITE = re.compile(rb"(" + STRING + rb")|-?+\b(?:NaN|Infinity)\b", re.DOTALL)
# The name of a play's length, in JSON or in the header of a CSV.
LENGTH_OF_PLAY = re.compile(rb"\b(?:" + "|".join({kind.duration_key for kind in KINDS}).encode() + rb")\b")
CSV_DELIMITERS = ",;\t"
ASK_FOR_JSON = "Ask the participant for the zip with the JSON files, as Spotify delivered it."


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
    """Whether a file that begins so is worth reading: a JSON array, or whatever names the length of a play."""
    return _is_wide(start) or _unmarked(start).lstrip()[:1] in (b"[", b"") or _names_a_play(start)


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
        body = _text_of(content, name)
        ids = {"participant_no": participant_no, "member_id": member_id}
        if body is None:
            return None
        if body[:1] not in (b"[", b"{") and (header := _csv_header(body)):
            return self._land_csv(body, header, name, ids, was_refused=salvage)
        first = _first_recognisable(body, name)
        is_array = body.startswith(b"[") and body.endswith(b"]")
        if first is None:
            if body.startswith(b"[") and not is_array and _names_a_play(body):
                raise _cut_off(name)
            if body.startswith(b"[") or not _names_a_play(body):
                return None
            raise _other_layout(name)
        kind, fields = first
        if isinstance(fields.get(kind.time_key), dict | list) and not body.startswith(b"["):
            raise _other_layout(name)
        if salvage or not is_array:
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

    def _land_csv(self, body: bytes, header: list[str], name: str, ids: dict[str, int], *, was_refused: bool) -> Landed:
        """Land a history that somebody saved as CSV, if its columns are called as Spotify's keys are."""
        kind = recognise(header)
        if kind is None or not {kind.time_key, kind.duration_key, *kind.names[:2]} <= set(header):
            raise MemberBroken(
                "history_as_csv", f"{name} is a history saved as CSV, with other columns than Spotify's.", ASK_FOR_JSON
            )
        if was_refused:
            raise MemberBroken(
                "history_as_csv", f"{name} is a history saved as CSV, and no well-formed one.", ASK_FOR_JSON
            )
        with in_memory(body, ".csv") as address:
            try:
                self._cursor.execute(history_sql.csv_rows(address, _delimiter(body), kind))
            except (duckdb.InvalidInputException, UnicodeDecodeError):
                raise MemberRefused from None
        return self._land_rows(MemberSql(kind, tuple(header), history_sql.SALVAGED_ROWS), None, ids)

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
            if b"NaN" in row or b"Infinity" in row:
                row = NOT_FINITE.sub(lambda token: token[1] or b"[]", row)
            try:
                texts.append(row.decode("utf-8"))
                faults.append(None)
            except UnicodeDecodeError:
                texts.append(None)
                faults.append("invalid_utf8")
        self._cursor.execute(history_sql.SALVAGE, {"texts": texts, "faults": faults})


def _text_of(content: bytes, name: str) -> bytes | None:
    """The text of a file that may hold plays; ``None`` if it holds none for certain."""
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
                    return kind, {key: value for key, value in fields.items() if _is_plain(key) and _is_plain(value)}
    except RecursionError:
        raise MemberBroken("too_deep", f"{name} nests values deeper than any history does.", DOWNLOAD_AGAIN) from None
    except MemberBroken:
        pass  # of no interest in a file that is no listening history
    return None


def _is_plain(value: object) -> bool:
    """Whether a value can be handed to DuckDB; a text with half a character in it cannot."""
    try:
        return not isinstance(value, str) or "\0" not in value.encode().decode()
    except UnicodeEncodeError:
        return False


def split_rows(body: bytes, name: str) -> Iterator[bytes]:
    """The rows of ``body``, as bytes, judging only where each one ends.

    Rows are the elements of JSON arrays, and objects that stand outside of one (one a line, as some
    programs write); a line of text between them is no row.

    Raises:
        MemberBroken: an array is cut off, or its elements cannot be told apart.
    """
    place = BETWEEN.match(body).end()  # type: ignore[union-attr]
    while place < len(body):
        opening = body[place : place + 1]
        if opening == b"[":
            place = yield from _elements(body, place + 1, name)
        elif opening == b"{":
            element = FLAT_ELEMENT.match(body, place)
            start, end = element.span(1) if element else _nested_element(body, place, name)
            yield body[start:end]
            place = end
        else:
            raise _not_apart(name)
        place = BETWEEN.match(body, place).end()  # type: ignore[union-attr]


def _elements(body: bytes, place: int, name: str) -> Generator[bytes, None, int]:
    """The elements of the array that was opened before ``place``; returns where it is closed."""
    while True:
        place = SPACE.match(body, place).end()  # type: ignore[union-attr]
        if body[place : place + 1] == b"]":
            return place + 1
        element = FLAT_ELEMENT.match(body, place)
        start, end = element.span(1) if element else _nested_element(body, place, name)
        yield body[start:end]
        place = SPACE.match(body, end).end()  # type: ignore[union-attr]
        if body[place : place + 1] == b",":
            place += 1
        elif place == len(body):
            raise _cut_off(name)
        elif body[place : place + 1] != b"]":
            raise _not_apart(name)


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
            raise _not_apart(name)
    raise _cut_off(name)


def _other_layout(name: str) -> MemberBroken:
    return MemberBroken(
        "unknown_layout", f"{name} names plays, but is no list of them as Spotify writes it.", ASK_FOR_JSON
    )


def _not_apart(name: str) -> MemberBroken:
    return MemberBroken(
        "malformed_json", f"{name} is no well-formed JSON: its rows cannot be told apart.", DOWNLOAD_AGAIN
    )


def _cut_off(name: str) -> MemberBroken:
    return MemberBroken("cut_off_json", f"{name} is cut off before its end.", DOWNLOAD_AGAIN)


def _unmarked(content: bytes) -> bytes:
    return content.removeprefix(BYTE_ORDER_MARK)


def _is_wide(content: bytes) -> bool:
    return content.startswith(UTF_16_MARKS) or b"\0" in content[:4]


def _names_a_play(content: bytes) -> bool:
    narrowed = content[: 64 * 1024].replace(b"\0", b"")
    return LENGTH_OF_PLAY.search(narrowed) is not None


def _delimiter(body: bytes) -> str:
    header = body.split(b"\n", 1)[0].decode("utf-8", "replace")
    return max(CSV_DELIMITERS, key=header.count)


def _csv_header(body: bytes) -> list[str]:
    """The names of its columns, if ``body`` is a CSV with plays."""
    (names, *_) = csv.reader([body.split(b"\n", 1)[0].decode("utf-8", "replace").strip()], delimiter=_delimiter(body))
    return names if any(kind.duration_key in names for kind in KINDS) else []
