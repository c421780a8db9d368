"""``consonance catalog``: facts about music, without persons."""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter
from pathlib import Path

import click
import duckdb
import fsspec
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from consonance.cli.fetch import fetch
from consonance.cli.load_report import ProgressBar, print_file
from consonance.cli.terminal import json_option, out, screen, study_option
from consonance.study.folder import Study
from consonance.study.vault import attach_to_read, open_study, session_settings
from loaders.catalogue import add_archive, catalogue_contents
from loaders.load import load_study
from loaders.matching import match_names
from loaders.recordings import SOURCE, DumpReport, add_recordings


@click.group()
def catalog() -> None:
    """The catalogue: facts about music, without persons."""


catalog.add_command(fetch)


@catalog.command()
@click.argument("words", nargs=-1, required=True, metavar="SOURCE FILE…")
@click.option("--source", "source_id", default=None, hidden=True, help="The source, if only files are named.")
@study_option
@json_option
def add(words: tuple[str, ...], source_id: str | None, folder: Path | None, as_json: bool) -> None:
    """Load every FILE, plain or packed, as facts of SOURCE (an id of seeds/feature_sources.csv). Safe to repeat.

    \b
    Examples:
      consonance catalog add musicbrainz_canonical musicbrainz-canonical-dump-20260703.tar.zst
      consonance catalog add study_features features.csv

    A feature archive is copied into the study. From a dump of MusicBrainz, the catalogue takes what it needs; a newer
    dump replaces it. If nothing in FILE can be read, it is refused (exit status 1) and the study does not change.
    """
    source, *names = words if source_id is None else (source_id, *words)
    if not names:
        raise click.UsageError("Name the source, and then a file of it.")
    study = Study.find(folder)
    files = [Path(name) for name in names]
    if source == SOURCE:
        _add_dumps(study, files, as_json)
        return
    for file in files:
        add_archive(study, file, source)
    with ProgressBar(screen) as progress:
        report = load_study(study, progress=progress)
    if as_json:
        click.echo(json.dumps([archive.as_json() for archive in report.catalogue]))
    else:
        for archive in report.catalogue:
            print_file(archive, out)


@catalog.command()
@study_option
@json_option
def status(folder: Path | None, as_json: bool) -> None:
    """Show what the catalogue has: rows and files by source, and when they were loaded."""
    study = Study.find(folder)
    with open_study(study, read_only=True) as connection:
        found = catalogue_contents(connection)
    if as_json:
        keys = ("source", "what", "rows", "loaded_at")
        click.echo(json.dumps([dict(zip(keys, row, strict=True)) for row in found], default=str))
        return
    if not found:
        out.print("The catalogue is empty. Add facts with 'consonance catalog add SOURCE FILE'.")
        return
    table = Table("source", "what", "rows", "loaded (UTC)", box=None)
    for source, what, rows, moment in found:
        table.add_row(source, what, f"{rows:,}", f"{moment:%Y-%m-%d %H:%M}" if moment else "")
    out.print(table)


@catalog.command()
@click.argument("names", type=click.Path(path_type=Path), metavar="NAMES.csv")
@study_option
@json_option
def match(names: Path, folder: Path | None, as_json: bool) -> None:
    """Match the songs of NAMES.csv with recordings of MusicBrainz. The warehouse does not use these matches yet.

    NAMES.csv has the columns query_id, artist, title and, if known, album and duration_ms. The output has a line for
    each song: query_id, recording_mbid, method, confidence. If a line has no id, no recording was sure enough.
    """
    study = Study.find(folder)
    with duckdb.connect(config=session_settings()) as connection:
        connection.register_filesystem(fsspec.filesystem("memory"))
        attach_to_read(connection, study.catalogue_path, "catalogue")
        matches = match_names(connection, names)
    if as_json:
        click.echo(json.dumps([one.as_json() for one in matches]))
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("query_id", "recording_mbid", "method", "confidence"))
    writer.writerows((one.query_id, one.recording_mbid, one.method, one.confidence) for one in matches)
    counts = Counter(one.method for one in matches)
    screen.print(
        f"{len(matches):,} songs: "
        + ", ".join(f"{count:,} {method or 'without a match'}" for method, count in sorted(counts.items(), key=str))
    )


def _add_dumps(study: Study, files: list[Path], as_json: bool) -> None:
    reports: list[DumpReport] = []
    with open_study(study) as connection:
        for file in files:
            with screen.status(f"Reading {escape(file.name)} …") as status:

                def progress(rows: int, status: Status = status, name: str = file.name) -> None:
                    status.update(f"Reading {escape(name)}: {rows:,} rows …")

                reports.append(add_recordings(connection, file, progress))
    if as_json:
        click.echo(json.dumps([report.as_json() for report in reports]))
        return
    for report in reports:
        if not report.is_new:
            out.print(f"{escape(report.file)}: this dump is loaded already.", soft_wrap=True)
            continue
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in report.rejected.items())
        out.print(
            f"{escape(report.file)}: {report.landed:,} of {report.rows_in:,} rows landed"
            + (f" ({reasons})" if reasons else ""),
            soft_wrap=True,
        )
