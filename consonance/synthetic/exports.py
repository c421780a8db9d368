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

from consonance.study.schema import tables

Layout = Literal["one_line", "pretty", "spaced", "resaved"]
ROWS_A_FILE = 15_500
ACCOUNT_ROWS_A_FILE = 10_000

# The keys of each field set, in the order in which Spotify writes them; named by their number.
_FIRST = {
    "with user name": "ts username platform ms_played conn_country ip_addr_decrypted user_agent_decrypted",
    "without": "ts platform ms_played conn_country ip_addr",
}
_TITLES = "master_metadata_track_name master_metadata_album_artist_name master_metadata_album_album_name"
_EPISODE = "episode_name episode_show_name"
_WITH_URIS = f"{_TITLES} spotify_track_uri {_EPISODE} spotify_episode_uri"
_AUDIOBOOK = "audiobook_title audiobook_uri audiobook_chapter_uri audiobook_chapter_title"
_LAST = "reason_start reason_end shuffle skipped offline offline_timestamp incognito_mode"
FIELD_SETS = {
    24: f"{_FIRST['with user name']} {_TITLES} {_EPISODE} {_LAST} city region metro_code longitude latitude".split(),
    21: f"{_FIRST['with user name']} {_WITH_URIS} {_LAST}".split(),
    19: f"{_FIRST['without']} {_WITH_URIS} {_LAST}".split(),
    23: f"{_FIRST['without']} {_WITH_URIS} {_AUDIOBOOK} {_LAST}".split(),
}
ACCOUNT_KEYS = {
    "music": ("endTime", "artistName", "trackName", "msPlayed"),
    "podcast": ("endTime", "podcastName", "episodeName", "msPlayed"),
    "audiobook": ("endTime", "audiobookName", "chapterName", "authorName", "msPlayed"),
}
# What is not simply the column of "exported_plays" that has the name of the vault's column.
_VALUES = {
    "ts": "strftime(ts, '%Y-%m-%dT%H:%M:%SZ')",
    "username": "username",
    "ip_addr": "ip_addr",
    "ip_addr_decrypted": "ip_addr",
    "user_agent_decrypted": "'Mozilla/5.0 (' || platform || ')'",
    "reason_end": "nullif(reason_end, '')",
    "offline": "case when is_video then null else offline end",
    "city": "'Springfield'",
    "region": "'XX'",
    "metro_code": "'000'",
    "longitude": "'10.0'",
    "latitude": "'50.0'",
    "authorName": "'An Author'",
}
# Exports of 2025 say false where older ones say nothing.
_VALUES_OF_2025 = {"skipped": "coalesce(skipped, false)"}

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


def extended_fields(keys: int) -> dict[str, str]:
    """Key to SQL for its value, of the field set with so many keys."""
    others = _VALUES_OF_2025 if keys == 23 else {}
    return {key: others.get(key) or _value_of("extended_plays", key) for key in FIELD_SETS[keys]}


def account_fields(kind: str) -> dict[str, str]:
    """Key to SQL for its value, of an account file of ``kind``."""
    return {key: _value_of("account_plays", key, kind) for key in ACCOUNT_KEYS[kind]}


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
    order = "hash(play_no, copy_no)" if export.keys == 24 else "ts, play_no, copy_no"
    folder = "MyData" if export.keys == 24 else "Spotify Extended Streaming History"
    if not export.video_only:
        for chunk, text in _texts(
            connection, code, export, "not is_video", order, extended_fields(export.keys), ROWS_A_FILE, export.layout
        ):
            name = f"endsong_{chunk}.json" if export.keys == 24 else f"Streaming_History_Audio_{years}_{chunk}.json"
            yield f"{folder}/{name}", text
    for _, text in _texts(
        connection, code, export, "is_video", order, extended_fields(export.keys), 10**9, export.layout
    ):
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
            "ts, play_no, copy_no",
            account_fields(kind),
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
        + f" || '{comma}' || ".join(f"'\"{key}\"{colon}' || {_as_json(sql, layout)}" for key, sql in fields.items())
        + f" || '{row_end}'"
    )
    is_account = isinstance(export, Account)
    statement = f"""
        with exported as (
            select
                *,
                row_number() over (partition by play_no) as copy_no,
                strftime(ts, '%Y-%m-%d %H:%M') as end_time,
                case when kind = 'local' then 'Voice memo ' || draw_no else coalesce(track_name, episode_name, chapter_title, 'Unknown Track') end as title,
                case when kind = 'local' then 'Unknown Artist' else coalesce(artist_name, show_name, audiobook_title, 'Unknown Artist') end as creator
            from exported_plays
            where code = $code and ts between $first and $last and ({condition})
        ),
        numbered as (
            select *, (row_number() over (order by {order}) - 1) // {rows_a_file} as chunk
            from exported
            where not {str(is_account).lower()} or copy_no = 1
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


def _as_json(sql: str, layout: Layout) -> str:
    # A spreadsheet blanks what it takes for false or nothing.
    if layout == "resaved" and sql in ("shuffle", "skipped", "offline_timestamp", "incognito_mode"):
        return f"coalesce(case when cast({sql} as varchar) in ('false', '0') then '\"\"' else cast({sql} as varchar) end, '\"\"')"
    return f"coalesce(cast(to_json({sql}) as varchar), 'null')"


def _value_of(table: str, key: str, kind: str = "") -> str:
    columns = {column.keys(kind): column.name for column in tables()[table].columns.values()}
    return _VALUES.get(key) or columns[key]
