"""``consonance sql``: asking the marts."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from consonance.cli.terminal import out, study_option
from consonance.desk.answers import BY_SUFFIX, FORMATS, NoAnswer, answer_to
from consonance.desk.clients import open_client
from consonance.desk.marts import of_release, of_study
from consonance.study.errors import ConsonanceError
from consonance.study.files import replace_file
from consonance.study.folder import Study

WIDTH = 80


class CannotWrite(ConsonanceError):
    """The answer cannot be written into the file."""


@click.command()
@click.argument("query", required=False)
@study_option
@click.option(
    "--release", default=None, help="Ask a release instead: its number, 'current', or the folder or file of one."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default=None,
    help="Of the answer. Default: by the suffix of --output, else table. excel: a CSV that Excel opens rightly.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Write the answer into this file; you alone may read it.",
)
@click.option("--plain", is_flag=True, help="Without QUERY: open DuckDB's own shell.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON, and errors too (docs/json.md).")
def sql(
    query: str | None,
    folder: Path | None,
    release: str | None,
    form: str | None,
    output: Path | None,
    plain: bool,
    as_json: bool,
) -> None:
    """Answer QUERY from the marts, or open them in a client if there is no QUERY.

    It reads analysis.duckdb, which each complete run of dbt replaces, so it waits for nobody, and nobody for it.
    Schemas may be left out: plays is marts.plays. A query reaches no other file and no network.

    \b
    Examples:
      consonance sql                                  harlequin, if you have
                                                      installed it, else this:
      consonance sql --plain                          DuckDB's own shell
      consonance sql "from plays limit 5"             one answer
      consonance sql "from plays" --output plays.csv  into a file; also
                                                      .parquet, .json, .md
      consonance sql - < analyses/my_query.sql        from standard input
      consonance sql "from tracks" --release current  of a release

    \b
    Exit status: 0 answered; 1 there is no such table, or the query is wrong.
    """
    database = of_release(release, folder) if release else of_study(Study.find(folder))
    if query is None:
        sys.exit(open_client(database, plain=plain))
    if query == "-":
        query = sys.stdin.read()
    form = (
        form or ("json" if as_json else None) or (BY_SUFFIX.get(output.suffix.lower()) if output else None) or "table"
    )
    if form == "parquet" and output is None and sys.stdout.isatty():
        raise NoAnswer("Parquet is not for a terminal.", "Name a file: --output FILE.")
    width = out.width if sys.stdout.isatty() else WIDTH
    answer = answer_to(query, database, form, width)
    if output is None:
        sys.stdout.buffer.write(answer)
        sys.stdout.flush()
        return
    try:
        replace_file(output, answer)
    except OSError as error:
        raise CannotWrite(f"{output} cannot be written ({error.strerror}).", "Name another file.") from None
    click.echo(f"The answer is in {output}.", err=True)
