"""Who takes part: ``participants.csv``, and the secrets drawn for each participant once."""

from __future__ import annotations

import re
import secrets
import string
import zoneinfo
from collections.abc import Collection, Container
from datetime import datetime
from functools import cache

import duckdb

from consonance.study.codes import NO_CODE, is_code
from consonance.study.folder import Study
from consonance.study.tables import TableReader, refuse_erased

COLUMNS = ("participant_code", "birth_year", "gender", "country", "timezone", "enrolled_at")
PSEUDONYM_ALPHABET = string.ascii_lowercase.replace("l", "").replace("o", "") + "23456789"
MAX_SHIFT_WEEKS = 260
# The sum of two numbers is an INTEGER still.
MAX_NUMBER = 1_000_000_000


def load_participants(connection: duckdb.DuckDBPyConnection, study: Study) -> int:
    """Replace ``raw.participants`` by what ``participants.csv`` says and draw missing keys.

    Returns:
        The number of enrolled participants.

    Raises:
        BadTable: a line cannot be used, or names somebody who was erased; nothing is changed then.
    """
    reader = TableReader(study.participants_path)
    rows: list[tuple[object, ...]] = []
    seen: set[str] = set()
    places: list[tuple[int, str]] = []
    for line, row in reader.rows(COLUMNS):
        code = row["participant_code"]
        if not is_code(code):
            reader.fault(line, NO_CODE)
        if code in seen:
            reader.fault(line, "repeats a participant_code")
        seen.add(code)
        places.append((line, code))
        year = row["birth_year"]
        if year and not (year.isdigit() and 1900 <= int(year) <= 2100):
            reader.fault(line, "has no year in birth_year")
        if row["country"] and not re.fullmatch(r"[A-Za-z]{2}", row["country"]):
            reader.fault(line, "has no ISO 3166-1 alpha-2 code in country")
        if row["timezone"] and not _is_zone(row["timezone"]):
            reader.fault(line, "has no IANA zone in timezone (such as Europe/Berlin)")
        enrolled_at = _enrolled_at(reader, line, row["enrolled_at"])
        rows.append(
            (
                code,
                int(year) if year.isdigit() else None,
                row["gender"] or None,
                row["country"].upper() or None,
                row["timezone"] or None,
                enrolled_at,
            )
        )
    reader.close()
    refuse_erased(connection, study.participants_path, places)
    connection.begin()
    connection.execute("delete from vault.raw.participants")
    if rows:
        connection.executemany("insert into vault.raw.participants values (?, ?, ?, ?, ?, ?)", rows)
    _draw_keys(connection)
    connection.commit()
    return len(rows)


@cache
def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return False
    return True


def _enrolled_at(reader: TableReader, line: int, text: str) -> datetime | None:
    if not text:
        return None
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        text += "T00:00:00+00:00"
    return reader.moment(line, "enrolled_at", text)


def _draw_keys(connection: duckdb.DuckDBPyConnection) -> None:
    """Give every enrolled participant without keys a number, a pseudonym, a shift and a secret for play ids.

    The number is drawn too: one that counted up would tell the order of codes and of enrolment. The
    pseudonym has 11 symbols of 32 (55 bits) behind a 'p': nothing of the participant goes into
    it. The shift is a whole number of weeks, so that weekday and hour survive, never 0.
    """
    codes = connection.execute(
        "select participant_code from vault.raw.participants anti join vault.raw.keyring using (participant_code) order by participant_code"
    ).fetchall()
    taken = connection.execute("select participant_no, pseudonym from vault.raw.keyring").fetchall()
    numbers = {number for number, _ in taken}
    names = {name for _, name in taken}
    for (code,) in codes:
        number, pseudonym = draw_number(numbers), draw_pseudonym(names)
        numbers.add(number)
        names.add(pseudonym)
        connection.execute(
            "insert into vault.raw.keyring (participant_no, participant_code, pseudonym, shift_weeks, play_secret) values (?, ?, ?, ?, ?)",
            [number, code, pseudonym, draw_shift(set()), draw_secret()],
        )


def draw_number(taken: Container[int]) -> int:
    """A random number of a participant, from 1 to ``MAX_NUMBER``, that is not among ``taken``."""
    while True:
        number = 1 + secrets.randbelow(MAX_NUMBER)
        if number not in taken:
            return number


def draw_pseudonym(taken: Container[str]) -> str:
    """A random pseudonym that is not among ``taken``."""
    while True:
        pseudonym = "p" + "".join(secrets.choice(PSEUDONYM_ALPHABET) for _ in range(11))
        if pseudonym not in taken:
            return pseudonym


def draw_shift(taken: Collection[int]) -> int:
    """A random number of weeks from 1 to ``MAX_SHIFT_WEEKS``, forward or back, that is not among ``taken``.

    Raises:
        IndexError: every shift is taken.
    """
    weeks = range(1, MAX_SHIFT_WEEKS + 1)
    return secrets.choice([shift for week in weeks for shift in (week, -week) if shift not in taken])


def draw_secret() -> str:
    """128 random bits, in hex."""
    return secrets.token_hex(16)
