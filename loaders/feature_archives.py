"""Reading one table of audio features: which track each row is of, and the value of each feature."""

from __future__ import annotations

from dataclasses import replace

import duckdb

from loaders.feature_columns import IDENTIFIERS, find_columns
from loaders.feature_numbers import decide, is_filled_sql, numbers_sql, value_sql
from loaders.load_report import FileReport
from loaders.side_files import ROWS, read_side_table
from loaders.track_names import with_track_names

# By the key of a source (seeds/feature_sources.csv): the condition of a row that says which track it is of, why a row
# is rejected, and what that means.
KEYS = {
    "spotify_id": (
        "spotify_id is not null",
        "no_spotify_id",
        "It has rows without a Spotify id: 22 letters and digits, alone, as spotify:track:… or as a link.",
    ),
    "names": (
        "artist is not null and title is not null",
        "no_names",
        "It has rows without an artist or without a title.",
    ),
    "recording_mbid": (
        "recording_mbid is not null",
        "no_recording_id",
        "It has rows without the id of a recording of MusicBrainz.",
    ),
    "any": (
        "coalesce(spotify_id, isrc, cast(recording_mbid as varchar), artist || title) is not null",
        "no_track",
        "It has rows that name no track: by Spotify id, ISRC, id of a recording of MusicBrainz, or artist and title.",
    ),
}
ADVICE = {
    "bad_line": "It has lines with too many values, or with broken quotes.",
    "no_value": "It has rows of tracks without any value.",
}
# Rows with the same first identifier are of one track.
TRACK = """coalesce(
    's' || spotify_id, 'i' || isrc, 'm' || recording_mbid,
    'n' || lower(artist) || chr(31) || lower(title) || chr(31) || lower(coalesce(album, ''))
)"""

TRACKS = """
    insert into catalogue.music.source_tracks by name
    with named as (
        {{ with_name_keys(
            "(select track_no, artist, title, coalesce(album, '') as album from feature_tracks where artist is not null and title is not null) as names",
            'track_no', 'artist', 'title', 'album'
        ) }}
    )

    select
        $source_id as source_id,
        feature_tracks.* exclude (track),
        named.* exclude (track_no, album_key),
        if(feature_tracks.album is null, null, named.album_key) as album_key
    from feature_tracks
    left join named on feature_tracks.track_no = named.track_no
    order by feature_tracks.track_no
"""


def lay_out_rows(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        """
        create or replace temp table track_rows (
            place bigint, track varchar, spotify_id varchar, isrc varchar, recording_mbid uuid, artist varchar,
            title varchar, album varchar, length_ms bigint
        );
        create or replace temp table feature_rows (place bigint, track varchar, feature varchar, value double)
        """
    )


def read_archive(
    connection: duckdb.DuckDBPyConnection, source_id: str, track_key: str, name: str, content: bytes, file_no: int
) -> FileReport:
    """Add the rows of a table that name a track and have a value to ``track_rows`` and ``feature_rows``.

    Args:
        connection: After ``lay_out_rows``.
        source_id: Whose table it is.
        track_key: How this source identifies tracks: one of ``KEYS``.
        name: Of the file, for the report.
        content: Of the file.
        file_no: Its place among the files of the source.

    Returns:
        The report but for the rows whose values others gave already: ``landed`` is still 0.

    Raises:
        NotRead: it is no table, or has no feature.
    """
    table = read_side_table(connection, content, mends=True)
    found = find_columns(connection, source_id, table)
    reading = decide(connection, found.features, table.delimiter)
    values = {feature: value_sql(feature, column, reading) for feature, column in found.features.items()}
    filled = {feature: is_filled_sql(feature, column) for feature, column in found.features.items()}
    is_named, no_track, what_is_missing = KEYS[track_key]
    features = ", ".join(values)
    connection.execute(
        f"""
        create or replace temp table archive_rows as
        select
            {file_no} * 1099511627776 + line as place,
            {", ".join(f"{sql} as {identifier}" for identifier, sql in found.identifiers.items())},
            {", ".join(f"{value} as {feature}" for feature, value in values.items())},
            {", ".join(f"{is_filled} as has_{feature}" for feature, is_filled in filled.items())}
        from {numbers_sql(found.features, reading)}
        """
    )
    has_value = f"coalesce({features}) is not null"
    lost = ", ".join(f"count(*) filter (where has_{feature} and {feature} is null)" for feature in values)
    ((rows, without_track, without_value, *unread),) = connection.execute(
        f"""
        select
            count(*), count(*) filter (where not ({is_named})),
            count(*) filter (where ({is_named}) and not ({has_value})), {lost}
        from archive_rows
        """
    ).fetchall()
    connection.execute(
        f"""
        insert into track_rows by name
        select place, {TRACK} as track, {", ".join(IDENTIFIERS)} from archive_rows where ({is_named}) and {has_value};
        insert into feature_rows by name
        from (select place, {TRACK} as track, {features} from archive_rows where {is_named})
        unpivot (value for feature in ({features}))
        """
    )
    connection.execute(f"drop table archive_rows; drop table {ROWS}")
    reasons = {"bad_line": table.bad_lines, no_track: without_track, "no_value": without_value}
    doubts = {
        f"{'ambiguous' if feature in reading.refused else 'unreadable'} {feature}": cells
        for feature, cells in zip(values, unread, strict=True)
        if cells
    }
    decided = [f"Spotify ids from {found.spotify_ids}"] if found.spotify_ids else []
    advice = [text for reason, text in (ADVICE | {no_track: what_is_missing}).items() if reasons[reason]]
    advice += [f"No value of {feature} was read: {why}." for feature, why in reading.refused.items()]
    return FileReport(
        name,
        rows + table.bad_lines,
        reasons={reason: lines for reason, lines in reasons.items() if lines},
        doubts=doubts,
        decided=decided + reading.as_text(),
        advice=advice,
    )


def choose_values(connection: duckdb.DuckDBPyConnection) -> None:
    """Of each track and feature the first value, in order of files and lines, as ``feature_values``; and its tracks."""
    firsts = ", ".join(f"arg_min({name}, place) filter (where {name} is not null) as {name}" for name in IDENTIFIERS)
    connection.execute(
        f"""
        create or replace temp table feature_values as
        select track, feature, arg_min(value, place) as value, min(place) as place
        from feature_rows
        group by track, feature;
        create or replace temp table feature_tracks as
        select row_number() over (order by min(place), track) as track_no, track, {firsts}
        from track_rows
        group by track
        """
    )


def land_values(connection: duckdb.DuckDBPyConnection, source_id: str) -> None:
    """Insert what ``choose_values`` chose as the tracks and values of ``source_id``."""
    connection.execute(with_track_names(TRACKS), {"source_id": source_id})
    connection.execute(
        """
        insert into catalogue.music.source_values by name
        select $source_id as source_id, track_no, feature, value
        from feature_values
        inner join feature_tracks on feature_values.track = feature_tracks.track
        order by track_no, feature
        """,
        {"source_id": source_id},
    )


def with_landed(connection: duckdb.DuckDBPyConnection, report: FileReport, file_no: int) -> FileReport:
    """The report of a file, with the rows that landed: those that gave a value."""
    if report.not_read:
        return report
    ((landed,),) = connection.execute(
        "select count(distinct place) from feature_values where place // 1099511627776 = ?", [file_no]
    ).fetchall()
    rejected = report.rows_in - landed
    repeated = rejected - sum(report.reasons.values())
    reasons = {**report.reasons, **({"repeated_track": repeated} if repeated else {})}
    return replace(report, landed=landed, rejected=rejected, reasons=reasons)
