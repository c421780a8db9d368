"""Splitting JSON into its rows where DuckDB cannot: damaged files, and rows that are laid out in another way.

Only where a row ends is decided here; its values are judged in SQL. No library does this: ``ijson`` and ``jiter``
stop at the first fault, or pass over what comes after it, and ``json-repair`` guesses values. Here a broken row
is one rejected row, and nothing is guessed. Time is linear in the size of the file, whatever is in it.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator

from loaders.refusals import DOWNLOAD_AGAIN, MemberBroken

# All quantifiers are possessive: damaged input cannot make them backtrack.
STRING = rb'"(?:[^"\\]++|\\.)*+"'
UP_TO_BRACKET = re.compile(rb'(?:[^"{}\[\]]++|' + STRING + rb")*+", re.DOTALL)
SCALAR = re.compile(STRING + rb'|[^\s"{}\[\],]++', re.DOTALL)
SPACE = re.compile(rb"\s*+")
# What is before, between and after arrays that somebody pasted into one file.
BETWEEN = re.compile(rb"[^\[\]{}]*+")
# Numbers that are no JSON, and the texts in which they are not looked for.
NOT_FINITE = re.compile(rb"(" + STRING + rb")|-?+\b(?:NaN|Infinity)\b", re.DOTALL)


def split_rows(body: bytes, name: str) -> Iterator[bytes]:
    """The rows of ``body``, as bytes, judging only where each one ends.

    Rows are the elements of JSON arrays, and objects outside of one (one a line, as some programs write); a line
    of text between them is no row.

    Raises:
        MemberBroken: an array is cut off, or it is not clear where an element ends.
    """
    place = _after(BETWEEN, body, 0)
    while place < len(body):
        opening = body[place : place + 1]
        if opening == b"[":
            place = yield from _elements(body, place + 1, name)
        elif opening == b"{":
            end = _end_of_nested(body, place, name)
            yield body[place:end]
            place = end
        else:
            raise _not_apart(name)
        place = _after(BETWEEN, body, place)


def decoded_rows(body: bytes, name: str) -> tuple[list[str | None], list[str | None]]:
    """Of each row of ``body`` its JSON text, or what is wrong with its bytes.

    A number that is no JSON, such as NaN, becomes an empty array: a value of another type, and no fault of the row.

    Raises:
        MemberBroken: see ``split_rows``.
    """
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
    return texts, faults


def cut_off(name: str) -> MemberBroken:
    return MemberBroken("cut_off_json", f"{name} is cut off before its end.", DOWNLOAD_AGAIN)


def _elements(body: bytes, place: int, name: str) -> Generator[bytes, None, int]:
    """The elements of the array that was opened before ``place``; returns the place after its end."""
    while True:
        place = _after(SPACE, body, place)
        start, first = place, body[place : place + 1]
        if first == b"]":
            return place + 1
        if first in (b"{", b"["):
            place = _end_of_nested(body, place, name)
        elif scalar := SCALAR.match(body, place):
            place = scalar.end()
        else:
            raise cut_off(name) if first in (b"", b'"') else _not_apart(name)
        yield body[start:place]
        place = _after(SPACE, body, place)
        following = body[place : place + 1]
        if following == b",":
            place += 1
        elif following != b"]":
            raise _not_apart(name) if following else cut_off(name)


def _end_of_nested(body: bytes, place: int, name: str) -> int:
    """The place after the object or array that begins at ``place``."""
    depth = 0
    while True:
        place = _after(UP_TO_BRACKET, body, place)
        bracket = body[place : place + 1]
        if bracket in (b"", b'"'):  # a text without an end is cut off too
            raise cut_off(name)
        depth += 1 if bracket in (b"{", b"[") else -1
        place += 1
        if depth == 0:
            return place


def _after(pattern: re.Pattern[bytes], body: bytes, place: int) -> int:
    """Where ``pattern``, which matches anything, ends from ``place`` on."""
    match = pattern.match(body, place)
    return match.end() if match else place


def _not_apart(name: str) -> MemberBroken:
    return MemberBroken(
        "malformed_json", f"{name} is not well-formed JSON: it is not clear where a row ends.", DOWNLOAD_AGAIN
    )
