"""Which answers and prompts of a file land: ``judged_answers`` and ``landed_prompts``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb

from consonance.consent.rules import with_rules
from consonance.study.dbt_command import PROJECT
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from loaders.instruments import known_instruments
from loaders.memory_files import in_memory
from loaders.side_files import NotRead
from loaders.surveys.identifying import GREATEST
from loaders.surveys.maps import Maps
from loaders.surveys.moments import add_moments, start_moments
from loaders.surveys.rows import TEMPLATES, add_rows, start_rows
from loaders.surveys.survey_map import AS_IT_IS, SurveyMap
from loaders.surveys.tables import FORMATS, SurveyTable, is_listing, read_survey_table


class NoAnswers(ConsonanceError):
    """A file in ``surveys/`` has no answers, and is not meant to have any."""


# A scale of more steps is a slider: that one answer lies beside it does not show that all of them were recoded.
WIDEST_SCALE = 10
ADDRESSES = with_rules("{{ email_pattern() }}|{{ ipv4_pattern() }}|{{ ipv6_pattern() }}|{{ telephone_pattern() }}")


def lay_out_people(connection: duckdb.DuckDBPyConnection, held: Mapping[str, str | None], zones: str) -> None:
    """Lay out whose answers may land, as ``survey_people``.

    Args:
        connection: To lay it out in.
        held: Every enrolled participant, with the exclusion reason or ``None``.
        zones: SQL for (participant_code, timezone, country) of the enrolled participants.
    """
    with in_memory((PROJECT / "seeds" / "country_time_zones.csv").read_bytes(), ".csv") as countries:
        connection.execute(
            f"""
            create or replace temp table survey_people as
            with held as (
                select unnest($codes::varchar[]) as participant_code, unnest($reasons::varchar[]) as held_because
            )

            select
                held.participant_code,
                held.held_because,
                coalesce(people.timezone, countries.time_zone) as time_zone
            from held
            left join ({zones}) as people on held.participant_code = people.participant_code
            left join read_csv('{countries}', header = true, all_varchar = true) as countries on people.country = countries.country
            """,
            {"codes": list(held), "reasons": list(held.values())},
        )


def lay_out_instruments(connection: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Lay out the items that answers may belong to, as ``item_ranges`` (instrument, item, answer_min, answer_max, position)."""
    known_instruments(connection, study)
    connection.execute(
        """
        create or replace temp table item_ranges as
        select
            instrument, item, min(answer_min) as answer_min, max(answer_max) as answer_max, min(position) as position
        from instrument_ranges
        group by instrument, item
        """
    )


def judge_file(
    connection: duckdb.DuckDBPyConnection, study: Study, path: Path, maps: Maps
) -> tuple[SurveyTable, list[SurveyMap]]:
    """Read a questionnaire file and judge its rows.

    Args:
        connection: With ``survey_people`` and ``item_ranges``.
        study: Whose file.
        path: The file.
        maps: Of the study.

    Returns:
        The table, and the maps that were used.

    Raises:
        NotRead: the file, or a map that is for it, cannot be used.
        NoAnswers: the file is about questions.
    """
    if fault := maps.fault_of(study, path):
        raise NotRead("bad_map", fault.what, fault.remedy)
    used = list(maps.of_file(study, path).values()) or [AS_IT_IS]
    if len({one.format for one in used}) > 1:
        raise NotRead("bad_map", "Its maps say that it has several formats.", "Correct their settings files or format.")
    table = read_survey_table(connection, path, used[0].format)
    if used == [AS_IT_IS] and is_listing(table):
        raise NoAnswers("It is m-Path's list of questions.", "'consonance survey map' reads it. It has no answers.")
    judge_table(connection, table, used)
    return table, used


def judge_table(connection: duckdb.DuckDBPyConnection, table: SurveyTable, used: list[SurveyMap]) -> None:
    """Judge the rows of the table in ``side_rows``.

    Raises:
        NotRead: it lacks a column that a map names, or has one twice.
    """
    start_rows(connection)
    start_moments(connection)
    for map_no, one in enumerate(used, start=1):
        add_rows(connection, table, one, map_no)
        add_moments(connection, one, map_no)
    numbered = list(enumerate(used, start=1))
    lines = [number for number, one in numbered if one.columns]
    spans = [one.span for one in used]
    judge, answers = _statements("judge.sql", addresses=ADDRESSES, greatest=GREATEST)
    no_time = ["no_time_with_offset" if one.moments.clock.kind == "offset" else "no_time" for one in used]
    connection.execute(judge, {"maps_of_lines": lines, "no_time": no_time})
    commas = [number for number, one in numbered if FORMATS[one.format].has_decimal_commas]
    connection.execute(answers, {"maps_with_commas": commas})
    starts, belonging, copies, recoded = _statements("combine.sql", widest_scale=WIDEST_SCALE)
    connection.execute(starts, {"maps_of_lines": lines, "spans": spans})
    connection.execute(belonging)
    connection.execute(copies, {"spans": spans})
    connection.execute(recoded)
    (prompts,) = _statements("prompts.sql")
    connection.execute(prompts)


def _statements(name: str, **values: object) -> list[str]:
    """The statements of a template; each takes parameters of its own."""
    return [part for part in TEMPLATES.get_template(name).render(**values).split(";\n") if part.strip()]
