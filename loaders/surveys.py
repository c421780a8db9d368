"""Emotion reports: questionnaire CSVs, one answer a line, into ``raw.survey_answers``."""

from __future__ import annotations

import duckdb

from loaders.consent import held_codes
from loaders.formats import BYTE_ORDER_MARK, CLOCK, DATE
from loaders.memory import in_memory
from loaders.report import FileReport
from loaders.tables import BadTable, delimiter_of
from stores.study import Study

COLUMNS = ("participant_code", "answered_at", "instrument", "item", "answer")
WITH_OFFSET = rf"{DATE}[T ]{CLOCK}(:[0-5]\d(\.\d{{1,9}})?)?(Z|[+-]([01]\d|2[0-3]):?[0-5]\d)"

# An answer is a number or nothing; anything else is free text and is not landed.
JUDGE = f"""
    create or replace temp table judged_answers as
    with answers as (
        select
            cast(row_number() over () + 1 as integer) as line,
            trim(participant_code) as participant_code,
            case when regexp_full_match(trim(answered_at), '{WITH_OFFSET}') then timezone('UTC', try_cast(trim(answered_at) as timestamptz)) end as answered_at,
            lower(trim(instrument)) as instrument,
            lower(trim(item)) as item,
            nullif(trim(answer), '') as answer_text,
            try_cast(replace(trim(answer), ',', '.') as double) as answer
        from read_csv('{{address}}', all_varchar = true, header = true, nullstr = '', null_padding = true, delim = '{{delimiter}}')
    )
    select
        *,
        case
            when participant_code is null or participant_code not in (select unnest($enrolled::varchar[])) then 'not_enrolled'
            when participant_code not in (select unnest($granted::varchar[])) then 'no_consent'
            when answered_at is null then 'no_time_with_offset'
            when coalesce(instrument, '') = '' or coalesce(item, '') = '' then 'no_instrument_or_item'
            when answer_text is not null and (answer is null or not isfinite(answer)) then 'not_a_number'
        end as reason
    from answers
"""


def load_surveys(connection: duckdb.DuckDBPyConnection, study: Study) -> list[FileReport]:
    """Replace ``raw.survey_answers`` by what the CSVs in ``surveys/`` say.

    Lines of people without consent to ``emotion_reports`` are held at the door.

    Raises:
        BadTable: a file lacks a column or is no UTF-8 CSV; nothing is changed then.
    """
    held = held_codes(connection, "emotion_reports")
    codes = {"enrolled": list(held), "granted": [code for code, reason in held.items() if reason is None]}
    reports = []
    connection.begin()
    try:
        connection.execute("delete from vault.raw.survey_answers")
        connection.execute("delete from vault.raw.survey_rejects")
        for path in sorted(study.surveys.glob("*.csv")):
            file = study.within(path)
            content = path.read_bytes().removeprefix(BYTE_ORDER_MARK)
            header = content.split(b"\n", 1)[0].decode("utf-8", "replace").strip()
            delimiter = delimiter_of(header)
            names = [name.strip().strip('"') for name in header.split(delimiter)]
            if missing := [column for column in COLUMNS if column not in names]:
                raise BadTable(f"{path} lacks the column {missing[0]}.", f"Its first line reads {','.join(COLUMNS)}.")
            with in_memory(content, ".csv") as address:
                try:
                    connection.execute(JUDGE.replace("{address}", address).replace("{delimiter}", delimiter), codes)
                except duckdb.Error:
                    raise BadTable(
                        f"{path} is no well-formed CSV in UTF-8.", "Save it as 'CSV UTF-8', one answer a line."
                    ) from None
            connection.execute(
                """
                insert into vault.raw.survey_answers
                select participant_code, answered_at, instrument, item, answer, $file, line from judged_answers where reason is null
                """,
                {"file": file},
            )
            reasons = dict(
                connection.execute(
                    "select reason, count(*) from judged_answers where reason is not null group by reason order by reason"
                ).fetchall()
            )
            for reason, lines in reasons.items():
                connection.execute("insert into vault.raw.survey_rejects values (?, ?, ?)", [file, reason, lines])
            rows_in = int(connection.execute("select count(*) from judged_answers").fetchall()[0][0])
            rejected = sum(reasons.values())
            reports.append(FileReport(file, rows_in, rows_in - rejected, rejected, reasons))
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    return reports
