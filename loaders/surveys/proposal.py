"""Proposing the map of a questionnaire file, and saying what is not sure about it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import yaml

from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from loaders.side_files import ROWS, NotRead, content_of, read_side_table
from loaders.surveys.guessing import format_of, is_about_the_file, moments_of, participant_of
from loaders.surveys.identifying import identifies_by_name
from loaders.surveys.profile import Column, profile
from loaders.surveys.proposed_items import items_of_columns, items_of_lines, lines_that_count
from loaders.surveys.recognising import plain
from loaders.surveys.survey_map import FormatName, SurveyMap
from loaders.surveys.tables import FORMATS, JSON, LISTING, SurveyTable, is_listing, read_survey_table

# A cell that is no name of a column: a number, a moment or an address.
HEADLESS = re.compile(r"[-+]?\d+([.,:]\d+)*|\d{4}-\d\d-\d\d.*|\S+@\S+\.\S+")


class NothingToMap(ConsonanceError):
    """Nothing in a file looks like answers to a questionnaire."""


@dataclass(frozen=True)
class Proposal:
    """A map that was proposed.

    Attributes:
        text: The map as a file.
        survey_map: What it says.
        table: The file, as it was read; its rows are in ``side_rows``.
        unsure: What a person should look at, one sentence each.
        not_read: Columns that identify people, by their names or by what is in them.
    """

    text: str
    survey_map: SurveyMap
    table: SurveyTable
    unsure: list[str]
    not_read: list[str]


def propose(connection: duckdb.DuckDBPyConnection, study: Study, path: Path, codes: Collection[str]) -> Proposal:
    """Propose a map for the questionnaire file ``path``.

    Args:
        connection: With ``item_ranges`` and ``instrument_item_texts``.
        study: Whose file.
        path: In ``surveys/``.
        codes: Of the enrolled participants.

    Raises:
        NotRead: the file cannot be read.
        NothingToMap: nothing in it looks like answers.
    """
    format_name = _format_of(connection, path)
    labels = _listed_questions(connection, path) if format_name == "m-path" else {}
    table = read_survey_table(connection, path, format_name)
    if any(HEADLESS.fullmatch(name) for name in table.header):
        raise NothingToMap(
            f"The first line of {study.within(path)} has no names of columns.",
            "Export the file again, with its header.",
        )
    columns = profile(connection, table, codes, FORMATS[format_name].missing)
    participant = participant_of(columns, format_name)
    code_column = participant.settings["participant"]
    not_read = [
        column.name
        for column in columns
        if column.name != code_column and (identifies_by_name(column.name) or column.addresses)
    ]
    usable = [
        column
        for column in columns
        if column.name not in (*not_read, code_column) and not is_about_the_file(column.name)
    ]
    answers: list[Column] = []
    form = None
    if format_name == "long":
        found = items_of_lines(connection, usable)
    else:
        own_name = "_".join(plain(path.stem).split()) or "questionnaire"
        found, answers, form = items_of_columns(
            connection, usable, columns, {**table.heads.labels, **labels}, format_name, own_name
        )
    moments = moments_of(connection, columns, format_name, form, table.heads.time_zone)
    lines = lines_that_count(connection, columns, answers, format_name)
    if not (found.settings.get("items") or found.settings.get("columns")):
        raise NothingToMap(
            f"No column of {study.within(path)} looks like answers.", "docs/questionnaires.md says how to write a map."
        )
    if "moments" not in moments.settings:
        raise NothingToMap(
            f"No column of {study.within(path)} says when it was answered.",
            "A report needs its moment: export the times, too.",
        )
    settings = {
        "files": path.relative_to(study.surveys).as_posix(),
        "format": format_name,
        **participant.settings,
        **moments.settings,
        **lines.settings,
        **found.settings,
    }
    unsure = [*participant.unsure, *moments.unsure, *lines.unsure, *found.unsure]
    return Proposal(_written(settings, unsure), SurveyMap.model_validate(settings), table, unsure, not_read)


def _format_of(connection: duckdb.DuckDBPyConnection, path: Path) -> FormatName:
    if path.suffix.lower() == JSON:
        return "formr"
    table = read_side_table(connection, content_of(path))
    first = connection.execute(f"select * from {ROWS} order by line limit 2").fetchall()
    has_import_ids = any(str(cell).startswith('{"ImportId"') for row in first for cell in row)
    return format_of(table.header, has_import_ids)


def _listed_questions(connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    """What m-Path's list of questions in the folder of ``path`` says of the columns; nothing if there is none."""
    for beside in sorted(path.parent.glob("*.csv")):
        try:
            table = read_side_table(connection, content_of(beside)) if beside != path else None
        except NotRead:
            continue
        if table and is_listing(table):
            columns = ", ".join(f"trim({table.column(name)}, '\"')" for name in LISTING)
            return dict(connection.execute(f"select {columns} from {ROWS} order by line").fetchall())
    return {}


def _written(settings: Mapping[str, Any], unsure: list[str]) -> str:
    """The map as YAML, with what is not sure as comments."""
    lines = ["# Proposed by 'consonance survey map'. docs/questionnaires.md says what a map is."]
    if unsure:
        lines += ["# Please look at:", *(f"# - {' '.join(sentence.split())}" for sentence in unsure)]
    for name, value in settings.items():
        in_lines = name in ("moments", "items", "recode") or isinstance(value, str)
        lines.append(
            yaml.safe_dump(
                {name: value},
                sort_keys=False,
                allow_unicode=True,
                width=200,
                default_flow_style=False if in_lines else None,
            ).rstrip("\n")
        )
    return "\n".join(lines) + "\n"
