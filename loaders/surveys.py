"""Emotion reports: questionnaires, one answer a line, into ``raw.survey_answers``."""

from __future__ import annotations

import duckdb

from consonance.consent.state import held_codes
from consonance.study.folder import Study
from consonance.study.schema import insert_row
from loaders.export_kinds import CLOCK, DATE
from loaders.instruments import known_instruments
from loaders.load_report import FileReport
from loaders.side_files import ROWS, NotRead, SideTable, content_of, name_in_reports, read_side_table, side_files

COLUMNS = ("participant_code", "answered_at", "instrument", "item", "answer")
WITH_OFFSET = rf"{DATE}[T ]{CLOCK}(:[0-5]\d(\.\d{{1,9}})?)?(Z|[+-]([01]\d|2[0-3]):?[0-5]\d)"

# An answer is a number or nothing; anything else is free text and is not landed.
JUDGE = f"""
    create or replace temp table judged_answers as
    with answers as (
        select
            cast(line as integer) as line,
            nullif(trim(participant_code), '') as participant_code,
            case when regexp_full_match(trim(answered_at), '{WITH_OFFSET}') then timezone('UTC', try_cast(trim(answered_at) as timestamptz)) end as answered_at,
            lower(trim(instrument)) as instrument,
            lower(trim(item)) as item,
            nullif(trim(answer), '') as answer_text,
            try_cast(replace(trim(answer), ',', '.') as double) as answer
        from survey_rows
    )
    select
        answers.* exclude (answer_text),
        case
            when answers.participant_code is null then 'no_code'
            when consents.participant_code is null then 'not_enrolled'
            when consents.held_because is not null then consents.held_because
            when answered_at is null then 'no_time_with_offset'
            when coalesce(instrument, '') = '' or coalesce(item, '') = '' then 'no_instrument_or_item'
            when answer_text is not null and (answer is null or not isfinite(answer)) then 'not_a_number'
        end as reason
    from answers
    left join survey_consents as consents on answers.participant_code = consents.participant_code
"""

# What lands and says nothing, or may say something else than it should.
DOUBTS = """
    with landed as (select * from judged_answers where reason is null),
    ranges as (
        select instrument, item, min(answer_min) as answer_min, max(answer_max) as answer_max
        from instrument_ranges
        group by instrument, item
    ),
    known as (select instrument, count(*) as items from ranges group by instrument),
    answers as (
        select landed.*, known.items, ranges.item is not null as is_known, ranges.answer_min, ranges.answer_max
        from landed
        left join known using (instrument)
        left join ranges using (instrument, item)
    ),
    reports as (
        select count(*) as lines, any_value(items) as items
        from answers
        group by participant_code, answered_at, instrument
    )
    select what, lines
    from (
        select 'unknown_instrument' as what, count(*) filter (where items is null) as lines from answers
        union all
        select 'unknown_item', count(*) filter (where items is not null and not is_known) from answers
        union all
        select 'outside_range', count(*) filter (where answer not between answer_min and answer_max) from answers
        union all
        select 'one_item_reports', count(*) filter (where lines = 1 and items > 1) from reports
    )
    where lines > 0
"""

ADVICE = {
    "no_time_with_offset": "Write answered_at like 2026-03-01T10:00:00+01:00: without the offset the moment is not known.",
    "not_a_number": "Answers are numbers: export the values, not the labels. Free text is never landed.",
    "unknown_instrument": "Their instrument is neither in seeds/instruments.csv nor in the study's folder instruments/: they are landed, but not scored.",
    "unknown_item": "Their item is not one of the instrument's items (docs/instruments.md): they are landed, but not scored.",
    "outside_range": (
        "These answers are outside the range of their item, and their scale is not scored (docs/instruments.md). "
        "Was the instrument recoded, such as 0 to 4 for 1 to 5?"
    ),
    "one_item_reports": "These reports have only one item of an instrument that has several. Check whether each item has its own time: the items of one report need the same answered_at.",
}

MADE_NUMBERS = (
    " {alike:,} of them differ from an enrolled code only in leading zeros or capital letters: spreadsheets turn 007 into 7. "
    "Save the column as text."
)

# Codes that are not enrolled, and how many of them a spreadsheet may have made of an enrolled code.
STRANGERS = """
    with strangers as (select distinct participant_code as code from judged_answers where reason = 'not_enrolled'),
    known as (select lower(ltrim(participant_code, '0')) as code from survey_consents)
    select
        count(*),
        count(*) filter (where lower(ltrim(regexp_replace(code, '[.,]0+$', ''), '0')) in (select code from known))
    from strangers
"""


def load_surveys(connection: duckdb.DuckDBPyConnection, study: Study) -> list[FileReport]:
    """Replace ``raw.survey_answers`` by what the tables in ``surveys/`` say.

    Lines of people without consent to ``emotion_reports`` are not landed. A file that cannot be read is
    left out: the others are landed, and what an earlier load had landed of it is deleted.
    """
    known_instruments(connection, study)
    held = held_codes(connection, "emotion_reports")
    connection.execute(
        "create or replace temp table survey_consents as select unnest($codes::varchar[]) as participant_code, unnest($reasons::varchar[]) as held_because",
        {"codes": list(held), "reasons": list(held.values())},
    )
    paths = {name_in_reports(study, path): path for path in side_files(study.surveys)}
    for relation in ("survey_answers", "survey_rejects"):
        connection.execute(
            f"delete from vault.raw.{relation} where not list_contains($files, file)", {"files": list(paths)}
        )
    reports = []
    for file, path in paths.items():
        try:
            table = read_side_table(connection, content_of(path))
            _judge(connection, table)
            reports.append(_land(connection, file, table))
        except NotRead as error:
            reports.append(_drop(connection, file, error))
    return reports


def _judge(connection: duckdb.DuckDBPyConnection, table: SideTable) -> None:
    """Fill ``judged_answers`` with the rows of a table, each with the reason why it is not landed.

    Raises:
        NotRead: the table lacks a column, or has one twice.
    """
    columns = {name: table.column(name) for name in COLUMNS}
    if missing := [name for name, column in columns.items() if column is None]:
        raise NotRead(
            "lacks_columns",
            f"It has no column {missing[0]}.",
            f"Write one answer on each line; the first line must be {','.join(COLUMNS)}.",
        )
    cells = ", ".join(f"{column} as {name}" for name, column in columns.items())
    connection.execute(f"create or replace temp table survey_rows as select line, {cells} from {ROWS}")
    connection.execute(JUDGE)


def _land(connection: duckdb.DuckDBPyConnection, file: str, table: SideTable) -> FileReport:
    reasons = dict(
        connection.execute(
            "select reason, count(*) from judged_answers where reason is not null group by reason order by reason"
        ).fetchall()
    )
    if table.bad_lines:
        reasons["bad_line"] = table.bad_lines
    doubts = dict(connection.execute(DOUBTS).fetchall())
    advice = [ADVICE[what] for what in (*reasons, *doubts) if what in ADVICE]
    if "not_enrolled" in reasons:
        ((codes, alike),) = connection.execute(STRANGERS).fetchall()
        advice.append(
            f"Codes that participants.csv does not have: {codes:,}."
            + (MADE_NUMBERS.format(alike=alike) if alike else "")
        )
    connection.begin()
    try:
        _forget(connection, file)
        ((landed,),) = connection.execute(
            """
            insert into vault.raw.survey_answers by name
            select participant_code, answered_at, instrument, item, answer, $file as file, line
            from judged_answers
            where reason is null
            """,
            {"file": file},
        ).fetchall()
        for reason, lines in reasons.items():
            insert_row(connection, "survey_rejects", file=file, reason=reason, lines=lines)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    rejected = sum(reasons.values())
    return FileReport(file, landed + rejected, landed, rejected, reasons, doubts=doubts, advice=advice)


def _drop(connection: duckdb.DuckDBPyConnection, file: str, error: NotRead) -> FileReport:
    """Delete what an earlier load had landed of a file that cannot be read now."""
    advice = [f"{error.what} {error.remedy}"]
    if gone := _forget(connection, file):
        advice.append(
            f"The {gone:,} answers that an earlier load had landed from this file are no longer in the vault."
        )
    return FileReport(file, not_read=error.reason, advice=advice)


def _forget(connection: duckdb.DuckDBPyConnection, file: str) -> int:
    connection.execute("delete from vault.raw.survey_rejects where file = $file", {"file": file})
    ((lines,),) = connection.execute(
        "delete from vault.raw.survey_answers where file = $file", {"file": file}
    ).fetchall()
    return int(lines)
