"""In what form a listening history is written: which encoding, JSON or CSV, and of which kind its rows are.

A file is known by its content, never by its name.
"""

from __future__ import annotations

import csv
import json
import re
from contextlib import suppress

from loaders.archive import MIB
from loaders.export_kinds import BYTE_ORDER_MARK, KINDS, Kind, recognise
from loaders.json_rows import cut_off, split_rows
from loaders.refusals import DOWNLOAD_AGAIN, MemberBroken

MAX_VALUES = 16 * MIB
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# The name of a play's length, in JSON or in the header of a CSV.
LENGTH_OF_PLAY = re.compile(rb"\b(?:" + "|".join({kind.duration_key for kind in KINDS}).encode() + rb")\b")
# So much of a file is searched for that name.
SEARCHED = 64 * 1024
CSV_DELIMITERS = ",;\t"
ASK_FOR_JSON = "Ask the participant for the zip with the JSON files, as Spotify delivered it."


def may_hold_history(start: bytes) -> bool:
    """Whether a file that begins so is worth reading: a JSON array, or whatever names the length of a play."""
    return _is_wide(start) or _unmarked(start).lstrip()[:1] in (b"[", b"") or _names_a_play(start)


def text_of(content: bytes, name: str) -> bytes | None:
    """The text of a file that may hold plays; ``None`` if there are certainly none in it.

    Raises:
        MemberBroken: it is empty, no UTF-8, or has more values than any history.
    """
    content = _unmarked(content)
    if _is_wide(content):
        if _names_a_play(content):
            raise MemberBroken(
                "wrong_encoding", f"{name} is not UTF-8: it was saved again by another program.", DOWNLOAD_AGAIN
            )
        return None
    body = content if content[:1] == b"[" and content[-1:] == b"]" else content.strip()
    if not body:
        raise MemberBroken("empty_file", f"{name} is empty.", DOWNLOAD_AGAIN)
    if len(body) > MAX_VALUES and body.count(b",") > MAX_VALUES:
        raise MemberBroken(
            "too_many_values", f"{name} has more values than any listening history can have.", DOWNLOAD_AGAIN
        )
    return body


def is_array(body: bytes) -> bool:
    """Whether it looks like one JSON array, which DuckDB can split."""
    return body.startswith(b"[") and body.endswith(b"]")


def first_row(body: bytes, name: str) -> tuple[Kind, dict[str, object]] | None:
    """Kind and fields of the first row that is of a listed kind; ``None`` if the file is no listening history.

    Fields that DuckDB could not be handed, such as a text with half a character in it, are left out.

    Raises:
        MemberBroken: it is a history, but cut off in its first row, in another layout, or too deep.
    """
    found = _first_recognisable(body, name)
    if found is not None:
        kind, fields = found
        if isinstance(fields.get(kind.time_key), dict | list) and not body.startswith(b"["):
            raise _other_layout(name)
        return found
    if not _names_a_play(body):
        return None
    if not body.startswith(b"["):
        raise _other_layout(name)
    if not is_array(body):
        raise cut_off(name)
    return None


def csv_header(body: bytes) -> list[str]:
    """The names of its columns, if ``body`` is a CSV with plays."""
    if body[:1] in (b"[", b"{"):
        return []
    (names, *_) = csv.reader([_first_line(body).strip()], delimiter=csv_delimiter(body))
    return names if any(kind.duration_key in names for kind in KINDS) else []


def csv_delimiter(body: bytes) -> str:
    return max(CSV_DELIMITERS, key=_first_line(body).count)


def csv_kind(header: list[str], name: str) -> Kind:
    """The kind of a history that was saved as CSV, if its columns have the names of Spotify's keys.

    Raises:
        MemberBroken: they have not.
    """
    kind = recognise(header)
    if kind is None or not {kind.time_key, kind.duration_key, *kind.names[:2]} <= set(header):
        raise broken_csv(name, "with other columns than Spotify's")
    return kind


def broken_csv(name: str, how: str) -> MemberBroken:
    return MemberBroken("history_as_csv", f"{name} is a history saved as CSV, {how}.", ASK_FOR_JSON)


def _first_recognisable(body: bytes, name: str) -> tuple[Kind, dict[str, object]] | None:
    try:
        for row in split_rows(body, name):
            with suppress(ValueError):
                fields = json.loads(row) if row.startswith(b"{") else None
                if isinstance(fields, dict) and (kind := recognise(fields)):
                    return kind, {key: value for key, value in fields.items() if _is_plain(key) and _is_plain(value)}
    except RecursionError:
        raise MemberBroken(
            "too_deep", f"{name} has values nested deeper than in any history.", DOWNLOAD_AGAIN
        ) from None
    except MemberBroken:
        pass  # the file may be no listening history at all
    return None


def _is_plain(value: object) -> bool:
    try:
        return not isinstance(value, str) or "\0" not in value.encode().decode()
    except UnicodeEncodeError:
        return False


def _other_layout(name: str) -> MemberBroken:
    return MemberBroken(
        "unknown_layout", f"{name} has plays in it, but not as a list in Spotify's layout.", ASK_FOR_JSON
    )


def _unmarked(content: bytes) -> bytes:
    return content.removeprefix(BYTE_ORDER_MARK)


def _is_wide(content: bytes) -> bool:
    return content.startswith(UTF_16_MARKS) or b"\0" in content[:4]


def _names_a_play(content: bytes) -> bool:
    narrowed = content[:SEARCHED].replace(b"\0", b"")
    return LENGTH_OF_PLAY.search(narrowed) is not None


def _first_line(body: bytes) -> str:
    return re.split(rb"[\r\n]", body, maxsplit=1)[0].decode("utf-8", "replace")
