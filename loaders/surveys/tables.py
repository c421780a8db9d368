"""Reading a questionnaire file: what each program writes becomes one table of text, ``side_rows``.

Sources of the formats: the manuals of Qualtrics ("Understanding your dataset"), REDCap and LimeSurvey, exports of formr
and m-Path as their R packages ``formr`` and ``mpathr`` read them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from consonance.study.tables import decoded
from loaders.memory_files import in_memory
from loaders.side_files import ROWS, NotRead, SideTable, content_of, read_side_table
from loaders.surveys.survey_map import FormatName

JSON = ".json"
LISTING = ("columnName", "fullQuestion")
EXPORT_AGAIN = "Export it again, and do not open it in a spreadsheet before."


@dataclass(frozen=True)
class Heads:
    """What a file says of its columns: what each question asked, by column, and the time zone of its moments."""

    labels: Mapping[str, str] = field(default_factory=dict)
    time_zone: str | None = None


def _no_heads(_connection: duckdb.DuckDBPyConnection, _table: SideTable) -> Heads:
    return Heads()


@dataclass(frozen=True)
class Format:
    """What is peculiar to the files of one program.

    Attributes:
        no_moment: What a column of moments says instead of nothing.
        begun: What it says of a questionnaire that was begun and not finished.
        has_decimal_commas: Whether ``2,5`` is a number; elsewhere it is a list of two choices.
        missing: What stands for a question that was not answered.
        heads: Reads what the table says of its columns, and removes it from its rows.
    """

    no_moment: tuple[str, ...] = ()
    begun: str | None = None
    has_decimal_commas: bool = False
    missing: tuple[str, ...] = ()
    heads: Callable[[duckdb.DuckDBPyConnection, SideTable], Heads] = _no_heads


@dataclass(frozen=True)
class SurveyTable(SideTable):
    """A questionnaire file as it was read, and what it says of its columns."""

    heads: Heads


def read_survey_table(connection: duckdb.DuckDBPyConnection, path: Path, format_name: FormatName) -> SurveyTable:
    """Read a questionnaire file into ``side_rows`` (line, c0, c1, …: text).

    Raises:
        NotRead: it is no file of this format.
    """
    content = content_of(path, also=(JSON,))
    is_json = path.suffix.lower() == JSON
    if (format_name == "formr") != is_json:
        raise NotRead(
            "wrong_format",
            f"It is no file of the format {format_name}.",
            "Files of formr end in .json, and no others do. Map it ('consonance survey map FILE'), or correct its map.",
        )
    table = _read_json(connection, content) if is_json else read_side_table(connection, content)
    return SurveyTable(table.header, table.delimiter, table.bad_lines, FORMATS[format_name].heads(connection, table))


def is_listing(table: SideTable) -> bool:
    """Whether a table is m-Path's list of questions, a file beside the answers."""
    return set(LISTING) <= set(table.header)


def _qualtrics_heads(connection: duckdb.DuckDBPyConnection, table: SideTable) -> Heads:
    """The second header row has the questions, the third JSON with an import id in every cell, and a time zone in some.

    Raises:
        NotRead: they are not there: where the answers begin is not known.
    """
    cells = ", ".join(f"c{place}" for place in range(len(table.header)))
    heads = connection.execute(f"select line, [{cells}] from {ROWS} order by line limit 2").fetchall()
    if len(heads) < 2 or not all("ImportId" in (cell or "") for cell in heads[1][1]):
        raise NotRead("no_qualtrics", "It lacks Qualtrics' three header rows.", EXPORT_AGAIN)
    connection.execute(f"delete from {ROWS} where line <= $last", {"last": heads[1][0]})
    labels = {name: label or "" for name, label in zip(table.header, heads[0][1], strict=True)}
    return Heads(labels, next(filter(None, map(_time_zone, heads[1][1])), None))


def _time_zone(cell: str) -> str | None:
    try:
        zone = json.loads(cell).get("timeZone")
    except (ValueError, AttributeError, RecursionError):
        return None
    return zone if isinstance(zone, str) and "/" in zone else None


def _strip_mpath_quotes(connection: duckdb.DuckDBPyConnection, table: SideTable) -> Heads:
    """A text stands in quotation marks of its own, within those of the CSV."""
    cells = ", ".join(f"trim(c{place}, '\"') as c{place}" for place in range(len(table.header)))
    connection.execute(f"create or replace temp table {ROWS} as select line, {cells} from {ROWS}")
    return Heads()


FORMATS: dict[FormatName, Format] = {
    "long": Format(has_decimal_commas=True),
    "wide": Format(has_decimal_commas=True),
    "m-path": Format(no_moment=("0",), heads=_strip_mpath_quotes),
    "qualtrics": Format(missing=("-99",), heads=_qualtrics_heads),
    "redcap": Format(begun="[not completed]"),
    # What LimeSurvey notes if it was told to note no times.
    "limesurvey": Format(no_moment=("1980-01-01 00:00:00",)),
    "formr": Format(),
}


def _read_json(connection: duckdb.DuckDBPyConnection, content: bytes) -> SideTable:
    """A JSON array of records, into ``side_rows``; a value that is no text, number or truth value is kept as JSON.

    Raises:
        NotRead: it is something else.
    """
    try:
        text = decoded(content)[0]
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise NotRead("no_text", "It is no text.", "Export it from formr again, as JSON.")
    if not text.strip():
        raise NotRead("empty_file", "It is empty.", "Export it again, or delete it.")
    with in_memory(text.encode("utf-8", "replace"), JSON) as address:
        source = (
            f"read_json('{address}', format = 'array', records = true, maximum_depth = 1, sample_size = -1, "
            "field_appearance_threshold = 0, map_inference_threshold = -1, maximum_object_size = 16000000)"
        )
        try:
            names = [name for name, *_ in connection.execute(f"describe from {source}").fetchall()]
            quoted = ('"' + name.replace('"', '""') + '"' for name in names)
            cells = ", ".join(f"to_json({name}) ->> '$' as c{place}" for place, name in enumerate(quoted))
            connection.execute(
                f"create or replace temp table {ROWS} as select row_number() over () as line, {cells} from {source}"
            )
        except (duckdb.Error, UnicodeDecodeError):
            raise NotRead(
                "no_json", "It is no array of JSON records.", "Export it from formr again, as JSON."
            ) from None
    return SideTable([name.strip() for name in names], "", 0)
