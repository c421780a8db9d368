"""Who takes part: ``participants.csv``, into ``raw.participants``."""

from __future__ import annotations

import re
import zoneinfo
from datetime import datetime
from functools import cache

import duckdb

from consonance.study.codes import NO_CODE, is_code
from consonance.study.folder import Study
from consonance.study.keyring import draw_keys
from consonance.study.tables import TableReader, refuse_erased

COLUMNS = ("participant_code", "birth_year", "gender", "country", "timezone", "enrolled_at")


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
        connection.executemany(
            f"insert into vault.raw.participants ({', '.join(COLUMNS)}) values (?, ?, ?, ?, ?, ?)", rows
        )
    draw_keys(connection)
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
