"""Scoring a questionnaire file without landing it: the models' own SQL, on what would land."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from consonance.consent.state import held_codes
from consonance.study.dbt_command import PROJECT
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.shared_macros import with_macros
from consonance.study.tables import TableReader
from loaders.enrolment import COLUMNS
from loaders.instruments import ITEM_COLUMNS, SCALE_COLUMNS, own_instruments
from loaders.load_report import FileReport
from loaders.memory_files import in_memory
from loaders.surveys.judging import judge_file, judge_table, lay_out_instruments, lay_out_people
from loaders.surveys.loading import report_of
from loaders.surveys.maps import Maps
from loaders.surveys.survey_map import SurveyMap
from loaders.surveys.tables import SurveyTable

SCORING = "feat_emotion_scores"
SHOWN = 3

# What the models read of the answers; the reports are numbered as they stand in the file.
ANSWERS = """
    create or replace temp table anon_emotion_answers as
    with landed as (
        select *, row_number() over (partition by participant_code, reported_at, instrument, item order by line desc) as recency
        from judged_answers
        where is_answer and reason is null
    ),
    reports as (
        select participant_code, reported_at, instrument, min(line) as line
        from landed
        group by participant_code, reported_at, instrument
    ),
    numbered as (
        select *, row_number() over (order by line, instrument, reported_at, participant_code) as report_id
        from reports
    )
    select
        numbered.report_id, landed.participant_code as participant_id, landed.instrument, landed.item, landed.answer,
        landed.reported_at, numbered.line
    from landed
    inner join numbered using (participant_code, reported_at, instrument)
    where landed.recency = 1
"""
FIRST = """
    with reports as (
        select distinct report_id, participant_id, reported_at, line
        from anon_emotion_answers
        order by report_id
        limit $most
    )
    select
        reports.line, reports.participant_id, reports.reported_at, scores.instrument, scores.scale,
        scores.items_answered, scores.items_expected, scores.score, scores.score_status
    from reports
    inner join preview_scores as scores using (report_id)
    order by reports.report_id, scores.scale
"""
SCALES = """
    select instrument, scale, count(*), count(score), min(score), avg(score), max(score)
    from preview_scores
    group by instrument, scale
    order by instrument, scale
"""
COMPLIANCE = """
    select participant_code, count(*), count(*) filter (where status = 'answered')
    from landed_prompts
    group by participant_code
    order by participant_code
"""


class NotInSurveys(ConsonanceError):
    """A file is not among the study's questionnaires."""


@dataclass(frozen=True)
class Score:
    """One report on one scale, as it would be scored; ``score`` is null if it would not. ``reported_at``: UTC."""

    line: int
    participant_code: str
    reported_at: datetime
    instrument: str
    scale: str
    items_answered: int
    items_expected: int
    score: float | None
    score_status: str


@dataclass(frozen=True)
class ScaleSummary:
    """One scale over all reports of the file: how many there are, how many have a score, and its range."""

    instrument: str
    scale: str
    reports: int
    scored: int
    least: float | None
    mean: float | None
    greatest: float | None


@dataclass(frozen=True)
class Compliance:
    """The prompts of one participant, and how many of them were answered."""

    participant_code: str
    prompts: int
    answered: int


@dataclass(frozen=True)
class Preview:
    """What a load would do with a file, and how its reports would be scored."""

    report: FileReport
    first: list[Score]
    scales: list[ScaleSummary]
    compliance: list[Compliance]

    def as_json(self) -> dict[str, Any]:
        return {
            "file": self.report.file,
            **self.report.as_json(),
            "first": [asdict(score) | {"reported_at": f"{score.reported_at.isoformat()}Z"} for score in self.first],
            "scales": [asdict(scale) for scale in self.scales],
            "compliance": [asdict(one) for one in self.compliance],
        }


def start_preview(connection: duckdb.DuckDBPyConnection, study: Study) -> list[str]:
    """Lay out instruments and participants; returns the participants' codes.

    Participants are those of ``participants.csv``. Whom the vault knows without consent to ``emotion_reports`` is held.

    Raises:
        BadTable: ``participants.csv`` cannot be used.
    """
    lay_out_instruments(connection, study)
    rows = [row for _, row in TableReader(study.participants_path).rows(COLUMNS)]
    known = held_codes(connection, "emotion_reports")
    codes = [row["participant_code"] for row in rows]
    connection.execute(
        """
        create or replace temp table enrolled as
        select
            unnest($codes::varchar[]) as participant_code,
            nullif(unnest($zones::varchar[]), '') as timezone,
            upper(unnest($countries::varchar[])) as country
        """,
        {"codes": codes, "zones": [row["timezone"] for row in rows], "countries": [row["country"] for row in rows]},
    )
    lay_out_people(connection, {code: known.get(code) for code in codes}, "from enrolled")
    return codes


def preview_file(connection: duckdb.DuckDBPyConnection, study: Study, path: Path) -> Preview:
    """Judge and score the questionnaire file ``path`` as a load would read it, and land nothing.

    Args:
        connection: See ``start_preview``.
        study: Whose file.
        path: The file.

    Raises:
        NotRead: the file, or its map, cannot be used.
    """
    return _scored(connection, study, path, *judge_file(connection, study, path, Maps.of(study)))


def preview_map(
    connection: duckdb.DuckDBPyConnection, study: Study, path: Path, table: SurveyTable, one: SurveyMap
) -> Preview:
    """Judge and score the table in ``side_rows`` as the map ``one`` reads it.

    Raises:
        NotRead: it lacks a column that the map names, or has one twice.
    """
    judge_table(connection, table, [one])
    return _scored(connection, study, path, table, [one])


def in_surveys(study: Study, path: Path) -> Path:
    """``path``, as a file of the study's ``surveys/``.

    Raises:
        NotInSurveys: it is no file, or lies elsewhere.
    """
    within = path.resolve()
    if not within.is_relative_to(study.surveys.resolve()):
        raise NotInSurveys(f"{path} is not in {study.surveys}.", "Copy it there: a load reads what is there.")
    if not within.is_file():
        raise NotInSurveys(f"There is no file {path}.", f"The files that a load reads are in {study.surveys}.")
    return study.surveys / within.relative_to(study.surveys.resolve())


def _scored(
    connection: duckdb.DuckDBPyConnection, study: Study, path: Path, table: SurveyTable, used: list[SurveyMap]
) -> Preview:
    report = report_of(connection, study.within(path), table, used)
    connection.execute(ANSWERS)
    _lay_out_definitions(connection, study)
    connection.execute(f"create or replace temp table preview_scores as {_model(connection, SCORING)}")
    return Preview(
        report,
        [Score(*row) for row in connection.execute(FIRST, {"most": SHOWN}).fetchall()],
        [ScaleSummary(*row) for row in connection.execute(SCALES).fetchall()],
        [Compliance(*row) for row in connection.execute(COMPLIANCE).fetchall()],
    )


def _lay_out_definitions(connection: duckdb.DuckDBPyConnection, study: Study) -> None:
    """The instruments as the models read them: seeds, and the study's own as they come through the wall."""
    own = own_instruments(study)
    for name, columns, rows in (
        ("instrument_scales", SCALE_COLUMNS, own.scales),
        ("instrument_items", ITEM_COLUMNS, own.items),
    ):
        with in_memory((PROJECT / "seeds" / f"{name}.csv").read_bytes(), ".csv") as seed:
            connection.execute(f"create or replace temp table {name} as from read_csv('{seed}', header = true)")
        connection.execute(
            f"create or replace temp table anon_{name} as select {', '.join(columns)} from {name} where false"
        )
        if rows:
            places = ", ".join("?" for _ in columns)
            connection.executemany(f"insert into anon_{name} values ({places})", rows)


def _model(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """The SQL of a model of ``models/features``, with the tables that it reads as temporary tables."""
    ref: Callable[[str], str] = lambda other: other  # noqa: E731
    text = (PROJECT / "models" / "features" / f"{name}.sql").read_text(encoding="utf-8")
    for read in re.findall(r"ref\('(feat_\w+)'\)", text):
        connection.execute(f"create or replace temp table {read} as {_model(connection, read)}")
    return with_macros(text, (), ref=ref)
