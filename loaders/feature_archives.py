"""Reading one archive of audio features: which column has the track's id, and how each feature is written."""

from __future__ import annotations

import re
from dataclasses import replace

import duckdb

from loaders.feature_numbers import FEATURES, FRACTIONS, OTHERS, decide, is_filled_sql, value_sql
from loaders.load_report import FileReport
from loaders.side_files import ROWS, NotRead, SideTable, read_side_table

ID_NAMES = ("spotify_id", "track_id", "id", "track_uri", "uri", "spotify_track_uri", "spotify_track_id")
# Names of columns whose ids have the same form, and are no tracks'.
OTHER_IDS = re.compile(r"album|artist|playlist|added|user")
ID = r"^(spotify:track:|https?://open\.spotify\.com/(?:intl-[a-z-]+/)?track/)?([0-9A-Za-z]{22})(?:\?.*)?$"
ADVICE = {
    "bad_line": "It has lines with too many values, or with broken quotes.",
    "no_spotify_id": "It has rows without a Spotify id: 22 letters and digits, alone, as spotify:track:… or as a link.",
    "no_value": "It has rows of tracks without any value.",
}


def lay_out_rows(connection: duckdb.DuckDBPyConnection) -> None:
    features = ", ".join(f"{feature} double" for feature in FEATURES)
    connection.execute(
        f"create or replace temp table feature_rows (file_no integer, line bigint, spotify_id varchar, {features})"
    )


def read_archive(connection: duckdb.DuckDBPyConnection, name: str, content: bytes, file_no: int) -> FileReport:
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
            "no_features", "It has no column with features.", f"Known features are {', '.join((*FRACTIONS, *OTHERS))}."
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
    advice += [f"No value of {feature} was read: {why}." for feature, why in reading.refused.items()]
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
    """The columns with Spotify ids of tracks, the best first: known by their values, then by their names."""
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


def choose_values(connection: duckdb.DuckDBPyConnection) -> None:
    """Of each track and feature the first value, in order of files and lines, as ``feature_values``; and who gave one."""
    place = "{file_no: file_no, line: line}"
    connection.execute(
        f"""
        create or replace temp table feature_values as
        select
            row_number() over (order by spotify_id) as track_no,
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


def with_landed(connection: duckdb.DuckDBPyConnection, report: FileReport, file_no: int) -> FileReport:
    """The report of a file, with the rows that landed: those that gave a value."""
    if report.not_read:
        return report
    ((landed,),) = connection.execute("select count(*) from feature_givers where file_no = ?", [file_no]).fetchall()
    rejected = report.rows_in - landed
    repeated = rejected - sum(report.reasons.values())
    reasons = {**report.reasons, **({"repeated_track": repeated} if repeated else {})}
    return replace(report, landed=landed, rejected=rejected, reasons=reasons)
