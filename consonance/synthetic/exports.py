"""Writing what Spotify would have sent: the packages of each vintage, file by file.

The four field sets, the file names and the layouts are those counted on published exports.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

import duckdb

Layout = Literal["one_line", "pretty", "spaced", "resaved"]
ROWS_A_FILE = 15_500
ACCOUNT_ROWS_A_FILE = 10_000

_TITLES = {
    "master_metadata_track_name": "track_name",
    "master_metadata_album_artist_name": "artist_name",
    "master_metadata_album_album_name": "album_name",
}
_REASONS = {"reason_start": "reason_start", "reason_end": "nullif(reason_end, '')", "shuffle": "shuffle"}
_STATE = {
    "offline": "case when is_video then null else offline end",
    "offline_timestamp": "offline_timestamp",
    "incognito_mode": "incognito_mode",
}
_TS = {"ts": "strftime(ts, '%Y-%m-%dT%H:%M:%SZ')"}
_WITH_USER = {
    **_TS,
    "username": "username",
    "platform": "platform",
    "ms_played": "ms_played",
    "conn_country": "conn_country",
}
_AGENT = {"ip_addr_decrypted": "ip_addr", "user_agent_decrypted": "'Mozilla/5.0 (' || platform || ')'"}
_WITHOUT_USER = {
    **_TS,
    "platform": "platform",
    "ms_played": "ms_played",
    "conn_country": "conn_country",
    "ip_addr": "ip_addr",
}
_EPISODE = {"episode_name": "episode_name", "episode_show_name": "show_name"}
_URIS = {"spotify_track_uri": "track_uri", **_EPISODE, "spotify_episode_uri": "episode_uri"}
_PLACE = {"city": "'Springfield'", "region": "'XX'", "metro_code": "'000'", "longitude": "'10.0'", "latitude": "'50.0'"}

# Key to SQL, in the order in which Spotify writes them; named by the number of keys.
FIELD_SETS: dict[int, dict[str, str]] = {
    24: {**_WITH_USER, **_AGENT, **_TITLES, **_EPISODE, **_REASONS, "skipped": "skipped", **_STATE, **_PLACE},
    21: {**_WITH_USER, **_AGENT, **_TITLES, **_URIS, **_REASONS, "skipped": "skipped", **_STATE},
    19: {**_WITHOUT_USER, **_TITLES, **_URIS, **_REASONS, "skipped": "skipped", **_STATE},
    23: {
        **_WITHOUT_USER,
        **_TITLES,
        **_URIS,
        "audiobook_title": "audiobook_title",
        "audiobook_uri": "audiobook_uri",
        "audiobook_chapter_uri": "chapter_uri",
        "audiobook_chapter_title": "chapter_title",
        **_REASONS,
        "skipped": "coalesce(skipped, false)",
        **_STATE,
    },
}
ACCOUNT_FIELDS = {
    "music": {"endTime": "end_time", "artistName": "creator", "trackName": "title", "msPlayed": "ms_played"},
    "podcast": {"endTime": "end_time", "podcastName": "creator", "episodeName": "title", "msPlayed": "ms_played"},
    "audiobook": {
        "endTime": "end_time",
        "audiobookName": "creator",
        "chapterName": "title",
        "authorName": "'An Author'",
        "msPlayed": "ms_played",
    },
}

# Per layout: before the array, row start, between key and value, between fields, row end, between rows, after.
_LAYOUTS: dict[Layout, tuple[str, str, str, str, str, str, str]] = {
    "one_line": ("[", "{", ":", ",", "}", ",", "]"),
    "pretty": ("[\n", "  {\n    ", ": ", ",\n    ", "\n  }", ",\n", "\n]"),
    "spaced": ("[ ", "{\n  ", " : ", ",\n  ", "\n}", ", ", " ]"),
    "resaved": ("[\n", "  {\n    ", ": ", ",\n    ", "\n  }", ",\n", "\n]\n"),
}


@dataclass(frozen=True)
class Extended:
    """An extended history: which field set, from when to when, and how it was written."""

    keys: int
    first: date
    last: date
    layout: Layout = "one_line"
    video_only: bool = False


@dataclass(frozen=True)
class Account:
    """An account package: the last year, in old files (music only) or new ones (by kind)."""

    first: date
    last: date
    is_old: bool = False
    layout: Layout = "pretty"


def members(connection: duckdb.DuckDBPyConnection, code: str, export: Extended | Account) -> Iterator[tuple[str, str]]:
    """Names and contents of the files of one package, unlisted ones among them."""
    if isinstance(export, Extended):
        yield from _extended_members(connection, code, export)
    else:
        yield from _account_members(connection, code, export)


def pack(files: list[tuple[str, str | bytes]]) -> bytes:
    """A zip as Spotify packs it, with the directory entry of eleven bytes. The same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        folder = files[0][0].split("/")[0] + "/"
        archive.writestr(zipfile.ZipInfo(folder, (1980, 1, 1, 0, 0, 0)), "placeholder")
        for name, content in files:
            entry = zipfile.ZipInfo(name, (2025, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()


def _extended_members(connection: duckdb.DuckDBPyConnection, code: str, export: Extended) -> Iterator[tuple[str, str]]:
    years = f"{export.first.year}-{export.last.year}"
    # The chunks of an "endsong" export each span the whole period, shuffled.
    order = "hash(play_no, tellings_no)" if export.keys == 24 else "ts, play_no, tellings_no"
    folder = "MyData" if export.keys == 24 else "Spotify Extended Streaming History"
    if not export.video_only:
        for chunk, text in _texts(
            connection, code, export, "not is_video", order, FIELD_SETS[export.keys], ROWS_A_FILE, export.layout
        ):
            name = f"endsong_{chunk}.json" if export.keys == 24 else f"Streaming_History_Audio_{years}_{chunk}.json"
            yield f"{folder}/{name}", text
    for _, text in _texts(connection, code, export, "is_video", order, FIELD_SETS[export.keys], 10**9, export.layout):
        yield f"{folder}/{'endvideo.json' if export.keys == 24 else f'Streaming_History_Video_{years}.json'}", text
    yield f"{folder}/ReadMeFirst_ExtendedStreamingHistory.pdf", "%PDF-1.4 nothing to see"


def _account_members(connection: duckdb.DuckDBPyConnection, code: str, export: Account) -> Iterator[tuple[str, str]]:
    folder = "MyData" if export.is_old else "Spotify Account Data"
    kinds = (
        {"music": "true"}
        if export.is_old
        else {
            "music": "kind not in ('episode', 'audiobook')",
            "podcast": "kind = 'episode'",
            "audiobook": "kind = 'audiobook'",
        }
    )
    for kind, condition in kinds.items():
        for chunk, text in _texts(
            connection,
            code,
            export,
            condition,
            "ts, play_no, tellings_no",
            ACCOUNT_FIELDS[kind],
            ACCOUNT_ROWS_A_FILE,
            export.layout,
        ):
            yield f"{folder}/StreamingHistory{chunk if export.is_old else f'_{kind}_{chunk}'}.json", text
    address = f"{code.lower()}@mail.example"
    yield (
        f"{folder}/Userdata.json",
        json.dumps({"username": f"user-{code}", "email": address, "birthdate": "1990-01-01"}),
    )
    yield f"{folder}/Identity.json", json.dumps({"displayName": f"Person {code}", "firstName": "Pat"})
    yield f"{folder}/UserAddress.json", f"List(Map(street -> Main Street 1, city -> Springfield, email -> {address}))"
    yield f"{folder}/Follow.json", json.dumps({"userIsFollowing": ["somebody"], "followers": []})
    yield (
        f"{folder}/SearchQueries.json",
        json.dumps([{"platform": "IPHONE", "searchTime": "2025-01-01T00:00:00Z", "searchQuery": address}]),
    )
    yield f"{folder}/Playlist1.json", json.dumps({"playlists": [{"name": f"for {address}", "items": []}]})
    yield (
        f"{folder}/YourLibrary.json",
        json.dumps({"tracks": [{"artist": "A", "track": "T", "uri": "spotify:track:0000000000000000000000"}]}),
    )


def _texts(
    connection: duckdb.DuckDBPyConnection,
    code: str,
    export: Extended | Account,
    condition: str,
    order: str,
    fields: dict[str, str],
    rows_a_file: int,
    layout: Layout,
) -> Iterator[tuple[int, str]]:
    before, row_start, colon, comma, row_end, between, after = _LAYOUTS[layout]
    row = (
        f"'{row_start}' || "
        + f" || '{comma}' || ".join(f"'\"{key}\"{colon}' || {_value(sql, layout)}" for key, sql in fields.items())
        + f" || '{row_end}'"
    )
    is_account = isinstance(export, Account)
    statement = f"""
        with told as (
            select
                *,
                row_number() over (partition by play_no) as tellings_no,
                strftime(ts, '%Y-%m-%d %H:%M') as end_time,
                case when kind = 'local' then 'Voice memo ' || draw_no else coalesce(track_name, episode_name, chapter_title, 'Unknown Track') end as title,
                case when kind = 'local' then 'Unknown Artist' else coalesce(artist_name, show_name, audiobook_title, 'Unknown Artist') end as creator
            from told_plays
            where code = $code and ts between $first and $last and ({condition})
        ),
        numbered as (
            select *, (row_number() over (order by {order}) - 1) // {rows_a_file} as chunk
            from told
            where not {str(is_account).lower()} or tellings_no = 1
        )
        select chunk, '{before}' || string_agg({row}, '{between}' order by {order}) || '{after}'
        from numbered
        group by chunk
        order by chunk
    """
    for chunk, text in connection.execute(
        statement, {"code": code, "first": export.first, "last": export.last}
    ).fetchall():
        yield int(chunk), str(text)


def _value(sql: str, layout: Layout) -> str:
    # A spreadsheet blanks what it takes for false or nothing.
    if layout == "resaved" and sql in ("shuffle", "skipped", "offline_timestamp", "incognito_mode"):
        return f"coalesce(case when cast({sql} as varchar) in ('false', '0') then '\"\"' else cast({sql} as varchar) end, '\"\"')"
    return f"coalesce(cast(to_json({sql}) as varchar), 'null')"
