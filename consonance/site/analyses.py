"""The analyses of the project with what they find on this study: the question, the SQL, the rows that may be shown, a plot."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import duckdb
import pandas as pd

from consonance.checks.lineage.project import Model
from consonance.report.cells import persons_apart
from consonance.report.figures import BLUE, Figure, Table, drawn, intervals, named
from consonance.site.codebook import Entry, entries
from consonance.site.numbers import told
from consonance.study.withheld import kind_of

# The column that is drawn, for each value of the columns before it. Of others there is no plot.
DRAWN = {
    "affect_and_listening_time": "mean_positive_affect",
    "coverage_by_method": "plays",
    "coverage_by_source": "plays",
    "devices_and_skips": "skip_rate",
    "fates_of_donated_rows": "landed_rows",
    "features_by_mood_quadrant": "music_valence",
    "session_length": "sessions",
    "skips_by_hour": "mean_skip_rate",
    "weekday_listening": "mean_minutes_on_listening_days",
}
# Of which wholes the rows are parts, beside all rows together: see ``told``.
WHOLES = {"coverage_by_method": ("feature", "feature_source"), "fates_of_donated_rows": ("history_source",)}
SLOPES = {"music_valence_and_reported_valence": ("slope", "slope_from", "slope_to")}


@dataclass(frozen=True)
class Analysis:
    """One analysis and its answer.

    Attributes:
        name: Of its file.
        question: Its first line.
        notes: The other lines of comment before the SQL.
        sql: As dbt compiled it.
        columns, rows: The answer; none of an analysis whose rows are persons.
        left_out: How many rows are not shown.
        entries: Of an analysis whose rows are persons, how its columns are distributed.
        figure: The plot, if there is one.
        failure: The kind of DuckDB's error, if it could not answer.
    """

    name: str
    question: str
    notes: str
    sql: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int
    entries: tuple[Entry, ...]
    figure: Figure | None
    failure: str | None = None


def answered(connection: duckdb.DuckDBPyConnection, analyses: Iterable[Model]) -> list[Analysis]:
    """Each of ``analyses`` with its answer, in order of name. One that DuckDB cannot answer keeps no other from its own.

    Args:
        connection: The desk is the database in use.
        analyses: As dbt compiled them.

    Raises:
        SmallCells: the rows of one do not say of how many persons they are, in a column ``participants``.
    """
    people = int(connection.execute("select count(*) from marts.participants").fetchall()[0][0])
    return [
        _answered(connection, analysis, people) for analysis in sorted(analyses, key=lambda analysis: analysis.name)
    ]


def _answered(connection: duckdb.DuckDBPyConnection, analysis: Model, people: int) -> Analysis:
    comments = [line[3:] for line in analysis.source.splitlines() if line.startswith("-- ")]
    question, _, notes = " ".join(comments).partition("? ")
    sql = "\n".join(line for line in analysis.sql.strip().splitlines() if not line.startswith("-- "))
    try:
        connection.execute(f"create or replace temp table answer as ({sql})")
    except duckdb.Error as error:
        return Analysis(analysis.name, f"{question}?", notes, sql, (), (), 0, (), None, kind_of(error))
    found = entries(connection, "temp.main.answer")
    names = [entry.name for entry in found]
    if "participant_id" in names:
        return Analysis(analysis.name, f"{question}?", notes, sql, (), (), 0, tuple(found), None)
    # Of how many a row is may be unknown: it may be one.
    answer = told(
        connection,
        "select *, coalesce(participants, 1) as persons from temp.main.answer",
        parts_of=WHOLES.get(analysis.name, ()),
    )
    words = persons_apart([people, *(row["persons"] for row in answer.rows)])
    rows = [{name: _known(row[name]) for name in names} for row in answer.rows]
    return Analysis(
        analysis.name,
        f"{question}?",
        notes,
        sql,
        tuple(names),
        tuple(
            tuple(words[value] if name == "participants" else _shown(value) for name, value in row.items())
            for row in rows
        ),
        answer.left_out,
        (),
        _figure(analysis.name, f"{question}?", names, rows),
    )


def _figure(name: str, question: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Figure | None:
    if not rows:
        return None
    if name in SLOPES:
        value, low, high = SLOPES[name]
        if any(rows[0][end] is None for end in (value, low, high)):
            return None
        frame = pd.DataFrame([{"name": value, "value": rows[0][value], "low": rows[0][low], "high": rows[0][high]}])
        svg = drawn(
            name, question, "The estimate with its 95 % interval, and a line at 0.",
            lambda width: intervals(frame, width, order=[value], x_title=value),
        )  # fmt: skip
    elif name in DRAWN:
        column = DRAWN[name]
        places = [key for key in columns[: columns.index(column)] if _is_place(key, rows)] or [columns[0]]
        frame = pd.DataFrame(
            [
                {"place": " · ".join(_shown(row[key]) or "none" for key in places), "value": float(row[column] or 0)}
                for row in rows
            ]
        )
        svg = drawn(name, question, f"Bars of {column.replace('_', ' ')}.", lambda width: _bars(frame, column, width))
    else:
        return None
    return Figure(name, column_title(name), question, (), svg, Table((), ()), ())


def column_title(name: str) -> str:
    """What is drawn of an analysis, in words."""
    return (SLOPES[name][0] if name in SLOPES else DRAWN[name]).replace("_", " ")


def _is_place(key: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    return any(isinstance(row[key], str) for row in rows)


def _bars(frame: pd.DataFrame, column: str, width: float) -> Any:
    order = list(frame["place"])
    return (
        alt.Chart(frame, title=named(column.replace("_", " ")))
        .mark_bar(color=BLUE)
        .encode(
            y=alt.Y(
                "place:N", sort=order, title=None, axis=alt.Axis(ticks=False, domain=False, labelLimit=width * 0.5)
            ),
            x=alt.X("value:Q", title=None, axis=alt.Axis(tickCount=5)),
        )
        .properties(width=width, height=22 * len(order))
    )


def _known(value: Any) -> Any:
    """A number that is none, such as 0 / 0, says nothing."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
