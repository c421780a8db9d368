"""The answer to one query: as a table for people, or as a file for programs.

What DuckDB says about a query that it cannot run is passed on as it is: the connection reaches nothing but marts, which who
asks may read.
"""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import duckdb
import fsspec

from consonance.desk.marts import opened
from consonance.study.errors import ConsonanceError
from consonance.study.literals import literal
from consonance.study.vault import MEMORY_FOLDER

# How DuckDB copies an answer into a file.
COPIED = {
    "csv": "format csv, header",
    "excel": "format csv, header",
    "json": "format json, array true",
    "parquet": "format parquet, compression zstd",
}
FORMATS = ("table", "markdown", *COPIED)
BY_SUFFIX = {".csv": "csv", ".json": "json", ".parquet": "parquet", ".md": "markdown"}
# Excel takes a CSV for one in UTF-8 only if it begins so.
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# What Excel would compute instead of showing: a title may begin with any sign.
FORMULA = r"^[=+\-@\t\r]"
# A text of JSON, which stays, or a number that is none: DuckDB writes it, and JSON has no word for it.
TEXT_OR_NO_NUMBER = re.compile(rb'("(?:[^"\\]|\\.)*")|-?(?:NaN|Infinity)')
ROWS = 40
PLACE = f"{MEMORY_FOLDER}answer"


class QueryFailed(ConsonanceError):
    """DuckDB could not run the query; ``what`` is what it says."""


class NoAnswer(ConsonanceError):
    """The query has no answer that could be written in this format."""


def answer_to(query: str, database: Path, form: str, width: int) -> bytes:
    """Run ``query``; its answer in the format ``form``.

    Args:
        query: One statement, or several of which the last is answered.
        database: With the schema ``marts``.
        form: One of ``FORMATS``.
        width: So many columns a table may have on the screen. What does not fit is left out, and counted.

    Raises:
        QueryFailed, NoAnswer: see there.
        StoreError: the database cannot be opened.
    """
    with opened(database) as connection:
        try:
            last = _last_of(connection, query)
            if last.type == duckdb.StatementType.SELECT:
                return _selected(connection, last.query.strip().rstrip(";"), form, width)
            if form == "table":
                return "".join(f"{row[-1]}\n" for row in connection.execute(last).fetchall()).encode()
        except duckdb.Error as error:
            raise QueryFailed(str(error), "") from None
    raise NoAnswer(f"Only the answer of a select can be written as {form}.", "Ask for a table.")


def _last_of(connection: duckdb.DuckDBPyConnection, query: str) -> duckdb.Statement:
    """The last statement of ``query``; those before it are run."""
    statements = connection.extract_statements(query)
    if not statements:
        raise NoAnswer("There is no statement in the query.", "Write one, for example: from plays limit 5")
    for statement in statements[:-1]:
        connection.execute(statement)
    return statements[-1]


def _selected(connection: duckdb.DuckDBPyConnection, query: str, form: str, width: int) -> bytes:
    if form in COPIED:
        # The end of the line ends a comment.
        chosen = _for_excel(connection, query) if form == "excel" else f"select * from (\n{query}\n)"
        connection.execute(f"copy ({chosen}) to '{PLACE}' ({COPIED[form]})")
        memory = fsspec.filesystem("memory")
        content: bytes = memory.cat_file(PLACE)
        memory.rm_file(PLACE)
        if form == "json":
            return TEXT_OR_NO_NUMBER.sub(lambda found: found[1] or b"null", content)
        return BYTE_ORDER_MARK + content if form == "excel" else content
    answer = connection.sql(query)
    if form == "markdown":
        lines = [answer.columns, ["---"] * len(answer.columns), *answer.fetchall()]
        return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines).encode()
    with redirect_stdout(io.StringIO()) as shown:
        answer.show(max_width=width, max_rows=ROWS)
    return shown.getvalue().encode()


def _for_excel(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    """SQL: ``query``, where a text that Excel would take for a formula gets an apostrophe in front."""
    described = connection.execute(f"describe (\n{query}\n)").fetchall()
    # By place: a name may be there twice.
    columns = [f"column_{place}" for place in range(len(described))]
    chosen = [
        f"case when regexp_matches({column}, {literal(FORMULA)}) then chr(39) || {column} else {column} end"
        if kind == "VARCHAR"
        else column
        for column, (_, kind, *_) in zip(columns, described, strict=True)
    ]
    names = ['"' + name.replace('"', '""') + '"' for name, *_ in described]
    named = ", ".join(f"{value} as {name}" for value, name in zip(chosen, names, strict=True))
    return f"select {named} from (\n{query}\n) as answer ({', '.join(columns)})"


def _cell(value: object) -> str:
    return "" if value is None else str(value).replace("|", "\\|").replace("\n", " ")
