"""The secrets drawn for each participant once: number, pseudonym, shift, and a secret for the ids of records."""

from __future__ import annotations

import secrets
import string
from collections.abc import Collection, Container

import duckdb

PSEUDONYM_ALPHABET = string.ascii_lowercase.replace("l", "").replace("o", "") + "23456789"
MAX_SHIFT_WEEKS = 260
# The columns of ids of records, which are made with a participant's secret. Other whole numbers are counts and lengths.
RECORD_IDS = ("play_id", "session_id", "report_id", "previous_report_id", "prompt_id")
# The sum of two numbers is an INTEGER still.
MAX_NUMBER = 1_000_000_000


def draw_keys(connection: duckdb.DuckDBPyConnection) -> None:
    """Give every enrolled participant without keys a number, a pseudonym, a shift and a secret for play ids.

    The number is drawn too: one that counts up would show the order of codes and of enrolment. The
    pseudonym has 11 symbols of 32 (55 bits) behind a 'p': nothing of the participant goes into
    it. The shift is a whole number of weeks, so that weekday and hour survive, never 0.
    """
    codes = connection.execute(
        "select participant_code from vault.raw.participants anti join vault.raw.keyring using (participant_code) order by participant_code"
    ).fetchall()
    taken = connection.execute("select participant_no, pseudonym from vault.raw.keyring").fetchall()
    numbers = {number for number, _ in taken}
    names = {name for _, name in taken}
    rows = []
    for (code,) in codes:
        number, pseudonym = draw_number(numbers), draw_pseudonym(names)
        numbers.add(number)
        names.add(pseudonym)
        rows.append(
            [number, code, pseudonym, draw_shift(set()), draw_secret()],
        )
    if rows:
        # In one statement: one for each row takes a millisecond.
        columns = dict(zip("abcde", map(list, zip(*rows, strict=True)), strict=True))
        connection.execute(
            "insert into vault.raw.keyring (participant_no, participant_code, pseudonym, shift_weeks, play_secret) "
            "select unnest($a), unnest($b), unnest($c), unnest($d), unnest($e)",
            columns,
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
