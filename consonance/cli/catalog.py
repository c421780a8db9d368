"""``consonance catalog``: facts about music, without persons."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
import duckdb
import fsspec
from rich.markup import escape

from consonance.cli.catalog_report import DumpProgress, print_dump, print_status
from consonance.cli.completion import sources_then_files
from consonance.cli.fetch import fetch
from consonance.cli.load_report import ProgressBar, print_file
from consonance.cli.terminal import json_option, out, print_json, screen, study_option
from consonance.study.errors import ConsonanceError
from consonance.study.feature_permissions import noted_permissions, with_permissions
from consonance.study.feature_sources import feature_sources
from consonance.study.folder import Study
from consonance.study.schema import lay_out_stores, refuse_older_stores
from consonance.study.vault import attach_to_read, open_catalogue, open_study, session_settings
from loaders.catalogue import BadArchive, add_archive
from loaders.catalogue_status import covered_tracks, loaded_files
from loaders.dumps import SOURCES as DUMP_SOURCES
from loaders.dumps import DumpReport, add_dump
from loaders.load import load_study
from loaders.load_report import FileReport
from loaders.matching import match_names
from loaders.streams import NoTable


class NothingAdded(ConsonanceError):
    """None of the files could be read."""


@click.group()
def catalog() -> None:
    """The catalogue: facts about music, without persons.

    \b
    Examples:
      consonance catalog add study_features features.csv
      consonance catalog status
    """


catalog.add_command(fetch)


@catalog.command()
@click.argument("words", nargs=-1, required=True, metavar="SOURCE FILE…", shell_complete=sources_then_files)
@click.option("--source", "source_id", default=None, hidden=True, help="The source, if only files are named.")
@study_option
@json_option
def add(words: tuple[str, ...], source_id: str | None, folder: Path | None, as_json: bool) -> None:
    """Load every FILE as facts of SOURCE (an id of seeds/feature_sources.csv). Safe to repeat.

    \b
    Examples:
      consonance catalog add study_features features.csv
      consonance catalog add musicbrainz_canonical \\
          musicbrainz-canonical-dump-20260703.tar.zst
      consonance catalog add acousticbrainz_lowlevel \\
          acousticbrainz-lowlevel-features-20220623-*.tar.zst

    A FILE may be packed (.zst, .gz, .bz2, .zip, .tar). docs/features.md says what is read of each source. From a dump of
    MusicBrainz or AcousticBrainz, the catalogue takes what it needs; any other file is copied into the study. A file that
    cannot be read costs only itself: the others are loaded (exit status 2). If none can be read, the study does not change
    (exit status 1).
    """
    source, *names = words if source_id is None else (source_id, *words)
    if not names:
        raise click.UsageError("Name the source, and then a file of it.")
    study = Study.find(folder)
    files = [Path(name) for name in names]
    reports: Sequence[DumpReport | FileReport]
    reports, failures = (_add_dumps if source in DUMP_SOURCES else _add_archives)(study, source, files)
    if len(failures) == len(files):
        raise NothingAdded(
            " ".join(failure.what for failure in failures), " ".join(dict.fromkeys(one.remedy for one in failures))
        )
    if as_json:
        print_json([report.as_json() | {"file": report.file} for report in reports])
    else:
        for report in reports:
            print_dump(report, out) if isinstance(report, DumpReport) else print_file(report, out)
    for failure in failures:
        screen.print(f"[red]Error:[/] {escape(str(failure))}", soft_wrap=True)
    if failures:
        sys.exit(2)


def _add_dumps(study: Study, source: str, files: list[Path]) -> tuple[list[DumpReport], list[ConsonanceError]]:
    reports: list[DumpReport] = []
    failures: list[ConsonanceError] = []
    with open_study(study, writes_catalogue=True) as connection:
        lay_out_stores(connection)
    with open_catalogue(study) as connection, DumpProgress(screen) as progress:
        for file in files:
            progress.starts(file)
            try:
                reports.append(add_dump(connection, source, file, progress))
            except NoTable as error:
                failures.append(error)
    return reports, failures


def _add_archives(study: Study, source: str, files: list[Path]) -> tuple[list[FileReport], list[ConsonanceError]]:
    failures: list[ConsonanceError] = []
    for file in files:
        try:
            with screen.status(f"Reading {escape(file.name)} …"):
                add_archive(study, file, source)
        except BadArchive as error:
            failures.append(error)
    if len(failures) == len(files):
        return [], failures
    with ProgressBar(screen) as progress:
        return load_study(study, progress=progress).catalogue, failures


@catalog.command()
@study_option
@json_option
def status(folder: Path | None, as_json: bool) -> None:
    """Show what the catalogue has: files, rows and licence of each source, and how many of the study's tracks it covers.

    What values may be used for is said by the licence, or by a permission of the study as the last load read study.yml.
    How many tracks a source covers is read from the warehouse: run 'dbt run' first.

    \b
    Examples:
      consonance catalog status
      consonance catalog status --json | jq .tracks
    """
    study = Study.find(folder)
    has_warehouse = study.warehouse_path.exists()
    with (
        screen.status("Reading the catalogue …"),
        open_study(study, read_only=True, warehouse=has_warehouse) as connection,
    ):
        refuse_older_stores(connection)
        files = loaded_files(connection)
        tracks, covered = covered_tracks(connection) if has_warehouse else (0, {})
        permissions = noted_permissions(connection)
    sources = [
        asdict(source) | with_permissions(source, permissions) | {"covers": covered.get(source.source_id)}
        for source in feature_sources().values()
        if any(file.source_id == source.source_id for file in files) or source.source_id in covered
    ]
    if as_json:
        report = {
            "files": [file.as_json() for file in files],
            "sources": sources,
            "tracks": tracks,
            "permissions": [permission.as_json() for permission in permissions],
        }
        print_json(report)
        return
    if sources:
        print_status(files, sources, tracks, out)
    else:
        out.print("The catalogue is empty. Add facts with 'consonance catalog add SOURCE FILE'.")
    for permission in permissions:
        out.print(escape(permission.what), soft_wrap=True)


@catalog.command()
@click.argument("names", type=click.Path(path_type=Path), metavar="NAMES.csv")
@study_option
@json_option
def match(names: Path, folder: Path | None, as_json: bool) -> None:
    """Match the songs of NAMES.csv with recordings of MusicBrainz, by the SQL that the warehouse matches with.

    NAMES.csv has the columns query_id, artist, title and, if known, album and duration_ms. The output has a line for
    each song: query_id, recording_mbid, method, confidence. If a line has no id, no recording was sure enough.

    \b
    Example:
      consonance catalog match songs.csv > recordings.csv
    """
    study = Study.find(folder)
    with screen.status("Matching …"), duckdb.connect(config=session_settings()) as connection:
        connection.register_filesystem(fsspec.filesystem("memory"))
        attach_to_read(connection, study.catalogue_path, "catalogue")
        matches = match_names(connection, names)
    if as_json:
        print_json([one.as_json() for one in matches])
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("query_id", "recording_mbid", "method", "confidence"))
    writer.writerows((one.query_id, one.recording_mbid, one.method, one.confidence) for one in matches)
    counts = Counter(one.method for one in matches)
    screen.print(
        f"{len(matches):,} songs: "
        + ", ".join(f"{count:,} {method or 'without a match'}" for method, count in sorted(counts.items(), key=str))
    )
