"""Open music facts: archives of audio features, from CSV into ``catalog.duckdb``. No persons."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import duckdb
import fsspec

from consonance.study.dbt_command import PROJECT
from consonance.study.errors import ConsonanceError
from consonance.study.files import replace_file
from consonance.study.folder import Study
from consonance.study.vault import session_settings
from loaders.feature_numbers import FEATURES, FRACTIONS, OTHERS, decide, is_filled_sql, value_sql
from loaders.report import FileReport
from loaders.side_files import ROWS, NotRead, SideTable, content_of, read_side_table, side_files, told_name

SOURCES = PROJECT / "seeds" / "feature_sources.csv"

# Archives that were read by other rules are read again. To be raised whenever these change.
READING = 2

ID_NAMES = ("spotify_id", "track_id", "id", "track_uri", "uri", "spotify_track_uri", "spotify_track_id")
# Columns beside the track's that hold ids of the same form.
OTHER_IDS = re.compile(r"album|artist|playlist|added|user")
ID = r"^(spotify:track:|https?://open\.spotify\.com/(?:intl-[a-z-]+/)?track/)?([0-9A-Za-z]{22})(?:\?.*)?$"
ADVICE = {
    "bad_line": "It has lines with too many values, or with broken quotes.",
    "no_spotify_id": "It has rows without a Spotify id: 22 letters and digits, alone, as spotify:track:… or as a link.",
    "no_value": "It has rows of tracks without any value.",
}


class BadArchive(ConsonanceError):
    """A feature archive cannot be added."""


def known_sources() -> list[str]:
    """The ids of ``seeds/feature_sources.csv``: what is licensed how is written down before it is loaded."""
    with SOURCES.open(encoding="utf-8", newline="") as file:
        return [row["source_id"] for row in csv.DictReader(file)]


def add_archive(study: Study, file: Path, source_id: str) -> Path:
    """Copy ``file`` to where the study keeps archives of ``source_id``, if it can be read; the next load reads it.

    Raises:
        BadArchive: no such file, no licence row for the source, a file of that name is there, or nothing of
            it can be read; nothing is changed then.
    """
    if source_id not in known_sources():
        raise BadArchive(f"{source_id}: there is no feature source of that name.", _add_source())
    if not file.is_file():
        raise BadArchive(f"{file} does not exist.", "Name a CSV file.")
    try:
        content = content_of(file)
        report = _tried(content)
    except NotRead as error:
        raise BadArchive(f"{file} cannot be used. {error.what}", error.remedy) from None
    if not report.landed:
        told = " ".join(report.advice)
        raise BadArchive(f"{file} cannot be used: no row of {report.rows_in:,} gives a value.", told or "Is it empty?")
    target = study.catalogue / source_id / file.name
    if not side_files_hold(target):
        raise BadArchive(f"{file} has the name of a file that is never read.", "Give it another name.")
    if target.exists() and target.read_bytes() != content:
        raise BadArchive(
            f"{target} is there already, with other content.", "Rename one of them, or take that one away."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        replace_file(target, content)
    return target


def load_catalogue(connection: duckdb.DuckDBPyConnection, study: Study) -> list[FileReport]:
    """Load the archives at ``catalogue/<source_id>/``; a source whose files are unchanged stays.

    Within a source each feature of a track is the first value that there is, in order of the files and
    their lines: an empty value hides nothing. A file that cannot be read costs itself; it and what lies
    elsewhere in ``catalogue/`` is reported as not read.
    """
    reports = []
    sources = known_sources()
    recorded = _recorded(connection)
    found: dict[str, dict[str, Path]] = {}
    for path in side_files(study.catalogue):
        folder, *below = path.relative_to(study.catalogue).parts
        name = told_name(study, path)
        if not below:
            remedy = "Put it into catalogue/<source_id>/, or use 'consonance catalog add'."
            reports.append(FileReport(name, not_read="no_source", advice=[remedy]))
        elif folder not in sources:
            reports.append(FileReport(name, not_read="unknown_source", advice=[_add_source()]))
        else:
            found.setdefault(folder, {})[name] = path
    for (source_id,) in connection.execute("select distinct source_id from catalogue.music.track_features").fetchall():
        if source_id not in found:
            _forget(connection, source_id)
    for source_id, paths in found.items():
        contents: dict[str, bytes | NotRead] = {name: _content(path) for name, path in paths.items()}
        digests = {name: _digest(content) for name, content in contents.items()}
        if digests != recorded.get(source_id, {}):
            _load_source(connection, source_id, contents, digests)
        reports += _reports(connection, source_id)
    return sorted(reports, key=lambda report: report.file)


def side_files_hold(path: Path) -> bool:
    """Whether a file called so would be found in the study."""
    return not path.name.startswith((".", "~$")) and not path.name.lower().endswith(":zone.identifier")


def _add_source() -> str:
    return f"Known are {', '.join(known_sources())}; add a row with its licence to seeds/feature_sources.csv first."


def _content(path: Path) -> bytes | NotRead:
    try:
        return content_of(path)
    except NotRead as error:
        return error


def _digest(content: bytes | NotRead) -> str:
    return f"{READING} " + (content.reason if isinstance(content, NotRead) else hashlib.sha256(content).hexdigest())


def _tried(content: bytes) -> FileReport:
    """What a load of this archive alone would say.

    Raises:
        NotRead: see ``_read_archive``.
    """
    with duckdb.connect(config=session_settings()) as connection:
        connection.register_filesystem(fsspec.filesystem("memory"))
        _lay_out_rows(connection)
        report = _read_archive(connection, "", content, 0)
        _choose_values(connection)
        return _counted(connection, report, 0)


def _recorded(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    recorded: dict[str, dict[str, str]] = {}
    for source_id, file, read_from in connection.execute(
        "select source_id, file, read_from from catalogue.music.archive_files"
    ).fetchall():
        recorded.setdefault(source_id, {})[file] = read_from
    return recorded


def _forget(connection: duckdb.DuckDBPyConnection, source_id: str) -> None:
    connection.execute("delete from catalogue.music.track_features where source_id = ?", [source_id])
    connection.execute("delete from catalogue.music.archive_files where source_id = ?", [source_id])


def _reports(connection: duckdb.DuckDBPyConnection, source_id: str) -> list[FileReport]:
    rows = connection.execute(
        "select file, report from catalogue.music.archive_files where source_id = ?", [source_id]
    ).fetchall()
    return [FileReport(file, **json.loads(report)) for file, report in rows]


def _load_source(
    connection: duckdb.DuckDBPyConnection,
    source_id: str,
    contents: Mapping[str, bytes | NotRead],
    digests: Mapping[str, str],
) -> None:
    """Replace what the catalogue holds of one source."""
    _lay_out_rows(connection)
    reports = []
    for file_no, (name, content) in enumerate(contents.items()):
        try:
            if isinstance(content, NotRead):
                raise content
            reports.append(_read_archive(connection, name, content, file_no))
        except NotRead as error:
            reports.append(FileReport(name, not_read=error.reason, advice=[f"{error.what} {error.remedy}"]))
    _choose_values(connection)
    reports = [_counted(connection, report, file_no) for file_no, report in enumerate(reports)]
    connection.begin()
    try:
        _forget(connection, source_id)
        connection.execute(
            f"insert into catalogue.music.track_features by name select $source_id as source_id, spotify_id, {', '.join(FEATURES)} from feature_values",
            {"source_id": source_id},
        )
        connection.executemany(
            "insert into catalogue.music.archive_files values (?, ?, ?, ?)",
            [[source_id, report.file, digests[report.file], json.dumps(report.as_json())] for report in reports],
        )
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def _lay_out_rows(connection: duckdb.DuckDBPyConnection) -> None:
    features = ", ".join(f"{feature} double" for feature in FEATURES)
    connection.execute(
        f"create or replace temp table feature_rows (file_no integer, line bigint, spotify_id varchar, {features})"
    )


def _read_archive(connection: duckdb.DuckDBPyConnection, name: str, content: bytes, file_no: int) -> FileReport:
    """Add the rows of an archive that have a Spotify id and a value to ``feature_rows``.

    Returns:
        The report but for the rows whose values others gave already: ``landed`` is still 0.

    Raises:
        NotRead: it is no table, or has no feature.
    """
    table = read_side_table(connection, content)
    names = [re.sub(r"[^a-z0-9]+", "_", heading.lower()).strip("_") for heading in table.header]
    table = SideTable(names, table.delimiter, table.bad_lines)
    columns = {feature: column for feature in (*FRACTIONS, *OTHERS) if (column := table.column(feature))}
    if not columns:
        raise NotRead(
            "no_features", "It has no column with features.", f"Known are {', '.join((*FRACTIONS, *OTHERS))}."
        )
    ids = _id_columns(connection, table)
    reading = decide(connection, columns, table.delimiter)
    found = ", ".join(f"nullif(regexp_extract(trim({column}), '{ID}', 2), '')" for column in ids) or "null"
    values = {feature: value_sql(feature, column, reading) for feature, column in columns.items()}
    filled = {feature: is_filled_sql(feature, column, reading.marks[feature]) for feature, column in columns.items()}
    connection.execute(
        f"""
        create or replace temp table archive_rows as
        select
            line, cast(coalesce({found}) as varchar) as spotify_id,
            {", ".join(f"{value} as {_column(feature)}" for feature, value in values.items())},
            {", ".join(f"{is_filled} as has_{_column(feature)}" for feature, is_filled in filled.items())}
        from {ROWS}
        """
    )
    has_value = f"coalesce({', '.join(_column(feature) for feature in columns)}) is not null"
    lost = ", ".join(
        f"count(*) filter (where has_{_column(feature)} and {_column(feature)} is null)" for feature in columns
    )
    ((rows, without_id, without_value, *unread),) = connection.execute(
        f"""
        select
            count(*), count(*) filter (where spotify_id is null),
            count(*) filter (where spotify_id is not null and not ({has_value})), {lost}
        from archive_rows
        """
    ).fetchall()
    taken = ", ".join(_column(feature) for feature in columns)
    connection.execute(
        f"""
        insert into feature_rows by name
        select {file_no} as file_no, line, spotify_id, {taken}
        from archive_rows
        where spotify_id is not null and {has_value}
        """
    )
    reasons = {"bad_line": table.bad_lines, "no_spotify_id": without_id, "no_value": without_value}
    doubts = {
        f"{'ambiguous' if feature in reading.refused else 'unreadable'} {feature}": cells
        for feature, cells in zip(columns, unread, strict=True)
        if cells
    }
    known = [table.header[int(column[1:])] for column in ids]
    decided = [f"Spotify ids from {heading}" for heading in known[:1] if heading not in ID_NAMES] + reading.as_text()
    advice = [ADVICE[reason] for reason in ("bad_line", "no_spotify_id", "no_value") if reasons[reason]]
    advice += [f"Nothing was read of {feature}: {why}." for feature, why in reading.refused.items()]
    return FileReport(
        name,
        rows + table.bad_lines,
        reasons={reason: lines for reason, lines in reasons.items() if lines},
        doubts=doubts,
        decided=decided,
        advice=advice,
    )


def _column(feature: str) -> str:
    return OTHERS[feature][0] if feature in OTHERS else feature


def _id_columns(connection: duckdb.DuckDBPyConnection, table: SideTable) -> list[str]:
    """The columns that hold Spotify ids of tracks, the best first: known by their values, then by their names."""
    cells = [f"c{place}" for place in range(len(table.header))]
    counts = ", ".join(
        f"count({cell}), count(*) filter (where regexp_matches(trim({cell}), '{ID}')), count(*) filter (where regexp_matches(trim({cell}), '{ID}') and length(trim({cell})) > 22)"
        for cell in cells
    )
    (row,) = connection.execute(f"select {counts} from {ROWS}").fetchall()
    found = []
    for place, (cell, name) in enumerate(zip(cells, table.header, strict=True)):
        filled, ids, explicit = row[3 * place : 3 * place + 3]
        is_named = name in ID_NAMES
        if ids and (is_named or (2 * ids > filled and (explicit or not OTHER_IDS.search(name)))):
            order = (2 * ids <= filled, not is_named, not explicit, ID_NAMES.index(name) if is_named else place)
            found.append((order, cell))
    return [cell for _, cell in sorted(found)]


def _choose_values(connection: duckdb.DuckDBPyConnection) -> None:
    """Of each track and feature the first value, in order of files and lines, as ``feature_values``; and who gave one."""
    place = "{file_no: file_no, line: line}"
    connection.execute(
        f"""
        create or replace temp table feature_values as
        select
            spotify_id,
            {", ".join(f"arg_min({feature}, {place}) filter (where {feature} is not null) as {feature}" for feature in FEATURES)},
            {", ".join(f"min({place}) filter (where {feature} is not null) as {feature}_from" for feature in FEATURES)}
        from feature_rows
        group by spotify_id
        """
    )
    connection.execute(
        f"""
        create or replace temp table feature_givers as
        select distinct giver.file_no as file_no, giver.line as line
        from (select unnest([{", ".join(f"{feature}_from" for feature in FEATURES)}]) as giver from feature_values)
        where giver is not null
        """
    )


def _counted(connection: duckdb.DuckDBPyConnection, report: FileReport, file_no: int) -> FileReport:
    """The report of a file, with the rows that landed: those that gave a value."""
    if report.not_read:
        return report
    ((landed,),) = connection.execute("select count(*) from feature_givers where file_no = ?", [file_no]).fetchall()
    rejected = report.rows_in - landed
    repeated = rejected - sum(report.reasons.values())
    reasons = {**report.reasons, **({"repeated_track": repeated} if repeated else {})}
    return replace(report, landed=landed, rejected=rejected, reasons=reasons)
