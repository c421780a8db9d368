"""From the table of a file to long rows: ``survey_records`` (one line that counts) and ``survey_cells`` (one answer).

The maps of a file say which columns to take. No other column is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from consonance.study.literals import literal
from loaders.side_files import NotRead
from loaders.surveys.survey_map import AS_IT_IS, SurveyMap
from loaders.surveys.tables import FORMATS, SurveyTable

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("sql")), undefined=StrictUndefined, autoescape=False
)
EMPTY = """
    create or replace temp table survey_records (
        map_no integer, line integer, participant_code varchar,
        prompted varchar, opened varchar, answered varchar, expires varchar, offset_s varchar,
        is_finished boolean, is_begun boolean
    );
    create or replace temp table survey_cells (
        map_no integer, line integer, place integer, instrument varchar, item varchar,
        answer_text varchar, added double, labels map(varchar, double)
    );
"""


def start_rows(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables of the rows of a file, empty."""
    connection.execute(EMPTY)


def add_rows(connection: duckdb.DuckDBPyConnection, table: SurveyTable, one: SurveyMap, map_no: int) -> None:
    """Add what the map ``one`` says of the table in ``side_rows``.

    Args:
        connection: With the table.
        table: As it was read.
        one: A map of the file.
        map_no: Its number among the maps of the file.

    Raises:
        NotRead: the table lacks a column that the map names, or has one twice.
    """
    columns = _columns(table, one)
    format_ = FORMATS[one.format]
    moments = {name: columns[column] for name, column in one.moments.columns().items()}
    only = {f"only_{number}": list(words) for number, words in enumerate(one.only.values(), start=1)}
    _run(
        connection,
        "records.sql",
        only | ({"finished_words": list(one.finished.words)} if one.finished else {}),
        map_no=map_no,
        participant=columns[one.participant],
        moments=moments,
        offset_column=columns.get(one.moments.clock.column),
        finished=columns[one.finished.column] if one.finished else None,
        only=[columns[column] for column in one.only],
        no_moment=_quoted(format_.no_moment or ("",)),
        begun=_quoted([format_.begun] if format_.begun else []) or "null",
    )
    missing = {"missing": [*one.missing, *format_.missing]}
    _lay_out_items(connection, one)
    if one.columns:
        _run(
            connection,
            "long_cells.sql",
            missing,
            map_no=map_no,
            instrument=columns.get(one.columns.instrument),
            item=columns[one.columns.item],
            answer=columns[one.columns.answer],
        )
    else:
        items = {place: columns[column] for place, column in enumerate(one.items)}
        _run(connection, "wide_cells.sql", missing, map_no=map_no, items=items)


def _columns(table: SurveyTable, one: SurveyMap) -> dict[str, str]:
    """The columns of ``side_rows`` by the names that the map uses."""
    columns = {}
    for name in one.used_columns():
        column = table.column(name)
        if column is None:
            raise NotRead(
                "lacks_columns",
                f"It has no column {name}.",
                f"Write one answer on each line; the first line must be {','.join(AS_IT_IS.used_columns())}. "
                "Or map the file: 'consonance survey map FILE'."
                if one is AS_IT_IS
                else "Correct the map, or export the file with this column.",
            )
        columns[name] = column
    return columns


def _lay_out_items(connection: duckdb.DuckDBPyConnection, one: SurveyMap) -> None:
    """What the map says of items, as ``survey_items``, and of recodings by name, as ``survey_recodings``."""
    recodings = [one.recoding_of(item) for item in one.items.values()]
    connection.execute(
        """
        create or replace temp table survey_items as
        select
            unnest(range(len($names::varchar[])))::integer as place,
            unnest($names::varchar[]) as name,
            unnest($instruments::varchar[]) as instrument,
            unnest($items::varchar[]) as item,
            unnest($added::double[]) as added,
            unnest($labels::map(varchar, double)[]) as labels
        """,
        {
            "names": [name.casefold() if one.columns else name for name in one.items],
            "instruments": [item.partition(".")[0] for item in one.items.values()],
            "items": [item.partition(".")[2] for item in one.items.values()],
            "added": [recoding.add for recoding in recodings],
            "labels": [_as_map(recoding.labels) for recoding in recodings],
        },
    )
    connection.execute(
        """
        create or replace temp table survey_recodings as
        select
            unnest($names::varchar[]) as name,
            unnest($added::double[]) as added,
            unnest($labels::map(varchar, double)[]) as labels
        """,
        {
            "names": list(one.recode),
            "added": [recoding.add for recoding in one.recode.values()],
            "labels": [_as_map(recoding.labels) for recoding in one.recode.values()],
        },
    )


def _as_map(labels: Mapping[str, float]) -> dict[str, list[Any]]:
    """How DuckDB takes a map from Python."""
    return {"key": list(labels), "value": list(labels.values())}


def _run(connection: duckdb.DuckDBPyConnection, name: str, parameters: Mapping[str, object], **values: object) -> None:
    connection.execute(TEMPLATES.get_template(name).render(**values), dict(parameters))


def _quoted(texts: Iterable[str]) -> str:
    return ", ".join(map(literal, texts))
