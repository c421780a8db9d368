"""Emotion reports: the questionnaires of a study, into ``raw.survey_answers`` and ``raw.survey_prompts``."""

from __future__ import annotations

import duckdb

from consonance.consent.state import held_codes
from consonance.study.folder import Study
from consonance.study.schema import insert_row
from loaders.load_report import FileReport
from loaders.side_files import NotRead, name_in_reports
from loaders.surveys.doubts import DOUBTS, PROMPTS, REMARKS, advise, counted, how_it_was_read, lines_passed_over
from loaders.surveys.judging import NoAnswers, judge_file, lay_out_instruments, lay_out_people
from loaders.surveys.maps import Maps, questionnaire_files
from loaders.surveys.survey_map import SurveyMap
from loaders.surveys.tables import SurveyTable

TABLES = ("survey_answers", "survey_prompts", "survey_rejects")
ZONES = "select participant_code, timezone, country from vault.raw.participants"

LAND_ANSWERS = """
    insert into vault.raw.survey_answers by name
    select participant_code, reported_at as answered_at, instrument, item, answer, $file as file, line
    from judged_answers
    where is_answer and reason is null
"""
LAND_PROMPTS = """
    insert into vault.raw.survey_prompts by name
    select *, $file as file
    from landed_prompts
"""
REASONS = "select reason, count(*) from judged_answers where reason is not null group by reason order by reason"


def load_surveys(connection: duckdb.DuckDBPyConnection, study: Study) -> list[FileReport]:
    """Replace the study's answers and prompts by what the files in ``surveys/`` say, read as their maps say.

    Lines of people without consent to ``emotion_reports`` are not landed. A file that cannot be read is
    left out: the others are landed, and what an earlier load had landed of it is deleted.
    """
    lay_out_instruments(connection, study)
    lay_out_people(connection, held_codes(connection, "emotion_reports"), ZONES)
    maps = Maps.of(study)
    paths = {name_in_reports(study, path): path for path in questionnaire_files(study)}
    for relation in TABLES:
        connection.execute(
            f"delete from vault.raw.{relation} where not list_contains($files, file)", {"files": list(paths)}
        )
    reports = [
        FileReport(name_in_reports(study, path), not_read="bad_map", advice=[str(error)])
        for path, error in maps.faults.items()
    ]
    for file, path in paths.items():
        try:
            reports.append(_land(connection, file, *judge_file(connection, study, path, maps)))
        except NotRead as error:
            reports.append(_drop(connection, file, error))
        except NoAnswers as error:
            _forget(connection, file)
            reports.append(FileReport(file, decided=[f"{error.what} {error.remedy}"]))
    return reports


def report_of(
    connection: duckdb.DuckDBPyConnection, file: str, table: SurveyTable, used: list[SurveyMap]
) -> FileReport:
    """What the judged rows of a file are, and what an operator can do about those that are not landed."""
    reasons = counted(connection, REASONS)
    if table.bad_lines:
        reasons["bad_line"] = table.bad_lines
    doubts, remarks = counted(connection, DOUBTS), counted(connection, REMARKS)
    ((landed,),) = connection.execute("select count(*) from judged_answers where reason is null").fetchall()
    rejected = sum(reasons.values())
    if not landed + rejected and (lines := lines_passed_over(connection)):
        doubts["no_line_counts"] = lines
    return FileReport(
        file,
        landed + rejected,
        landed,
        rejected,
        reasons,
        doubts=doubts,
        remarks=remarks,
        prompts=counted(connection, PROMPTS),
        decided=how_it_was_read(connection, table, used),
        advice=advise(connection, [*reasons, *doubts, *remarks]),
    )


def _land(connection: duckdb.DuckDBPyConnection, file: str, table: SurveyTable, used: list[SurveyMap]) -> FileReport:
    report = report_of(connection, file, table, used)
    connection.begin()
    try:
        _forget(connection, file)
        connection.execute(LAND_ANSWERS, {"file": file})
        connection.execute(LAND_PROMPTS, {"file": file})
        for reason, lines in report.reasons.items():
            insert_row(connection, "survey_rejects", file=file, reason=reason, lines=lines)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    return report


def _drop(connection: duckdb.DuckDBPyConnection, file: str, error: NotRead) -> FileReport:
    """Delete what an earlier load had landed of a file that cannot be read now."""
    advice = [f"{error.what} {error.remedy}"]
    if gone := _forget(connection, file):
        advice.append(
            f"The {gone:,} answers that an earlier load had landed from this file are no longer in the vault."
        )
    return FileReport(file, not_read=error.reason, advice=advice)


def _forget(connection: duckdb.DuckDBPyConnection, file: str) -> int:
    """Delete what is landed of a file; the number of its answers."""
    gone = {}
    for table in TABLES:
        ((gone[table],),) = connection.execute(
            f"delete from vault.raw.{table} where file = $file", {"file": file}
        ).fetchall()
    return int(gone["survey_answers"])
