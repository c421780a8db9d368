"""Moments as files write them, in UTC: ``survey_moments``, one row for each moment of a record."""

from __future__ import annotations

import duckdb

from consonance.study.literals import literal
from loaders.export_kinds import CLOCK, DATE
from loaders.surveys.rows import TEMPLATES
from loaders.surveys.survey_map import SurveyMap

WITHOUT_OFFSET = rf"{DATE}[T ]{CLOCK}(:[0-5]\d(\.\d{{1,9}})?)?"
WITH_OFFSET = rf"{WITHOUT_OFFSET}(Z|[+-]([01]\d|2[0-3]):?[0-5]\d)"
PER_SECOND = {"text": 1, "unix_seconds": 1, "unix_milliseconds": 1000}
EMPTY = """
    create or replace temp table survey_moments (
        map_no integer, line integer, kind varchar, moment timestamp, is_twice boolean, is_missing boolean
    )
"""


def start_moments(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the table of moments, empty."""
    connection.execute(EMPTY)


def add_moments(connection: duckdb.DuckDBPyConnection, one: SurveyMap, map_no: int) -> None:
    """Add the moments of the records of the map number ``map_no``; one that cannot be read is null.

    Args:
        connection: With ``survey_records`` and ``survey_people``.
        one: The map.
        map_no: Its number among the maps of the file.
    """
    clock = one.moments.clock
    date_format = literal(one.moments.date_format) if one.moments.date_format else ""
    connection.execute(
        TEMPLATES.get_template("moments.sql").render(
            map_no=map_no,
            clock=clock.kind,
            zone=clock.zone,
            written_as=one.moments.written_as,
            per_second=PER_SECOND[one.moments.written_as],
            date_format=date_format,
            with_offset=WITH_OFFSET,
            without_offset=WITHOUT_OFFSET,
            offset_at=_offset_at,
        )
    )


def how_read(one: SurveyMap) -> str:
    """How the moments of a file are read, in words."""
    clock = one.moments.clock
    return {
        "offset": "times by their offsets",
        "utc": "times as UTC",
        "zone": f"times as local time of {clock.zone}",
        "participant": "times as local time of each participant's zone",
        "column": f"times as local time, less the seconds in {clock.column}",
    }[clock.kind]


def _offset_at(moment: str) -> str:
    """SQL for what the clock of ``zone`` shows beyond UTC at ``moment``, a timestamp in UTC: milliseconds."""
    return f"epoch_ms(timezone(zone, timezone('UTC', {moment}))) - epoch_ms({moment})"
