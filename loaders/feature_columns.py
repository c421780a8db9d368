"""Which columns of a table of features say which track a row is of, and which have features."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from loaders.dump_tables import layout_of
from loaders.feature_numbers import features
from loaders.side_files import ROWS, NotRead, SideTable

COLUMNS = Path(__file__).with_name("feature_columns.yml")
NAMES = ("artist", "title", "album")
IDENTIFIERS = ("spotify_id", "isrc", "recording_mbid", *NAMES, "length_ms")

ID_NAMES = ("spotify_id", "track_id", "id", "track_uri", "uri", "spotify_track_uri", "spotify_track_id")
# Names of columns whose ids have the same form, and are no tracks'.
OTHER_IDS = re.compile(r"album|artist|playlist|added|user")
ID = r"^(spotify:track:|https?://open\.spotify\.com/(?:intl-[a-z-]+/)?track/)?([0-9A-Za-z]{22})(?:\?.*)?$"


@dataclass(frozen=True)
class Found:
    """What the columns of a table are.

    Attributes:
        identifiers: SQL over ``side_rows``, by the column of ``source_tracks``; null if it has none.
        features: The column of ``side_rows`` of each feature.
        spotify_ids: The heading of the column with Spotify ids, if it is not called as such.
    """

    identifiers: dict[str, str]
    features: dict[str, str]
    spotify_ids: str | None


def plain(heading: str) -> str:
    """A heading without capitals, accents and signs."""
    letters = "".join(one for one in unicodedata.normalize("NFKD", heading) if not unicodedata.combining(one))
    return re.sub(r"\W+", "_", letters.casefold()).strip("_")


@cache
def declared() -> Mapping[str, Any]:
    """What ``feature_columns.yml`` says."""
    return dict(yaml.safe_load(COLUMNS.read_text(encoding="utf-8")))


def find_columns(connection: duckdb.DuckDBPyConnection, source_id: str, table: SideTable) -> Found:
    """Find the columns of a table of ``source_id`` that was read into ``side_rows``.

    Raises:
        NotRead: it has no features, has one of them twice, or is of another source.
    """
    _refuse_other_source(source_id, table.header)
    table = SideTable([plain(heading) for heading in table.header], table.delimiter, table.bad_lines)
    mapped: Mapping[str, str] | None = declared()["maps"].get(source_id)
    if mapped is None:
        names: dict[str, list[str]] = declared()["any"]
        headings = {what: [what, *names.get(what, ())] for what in (*IDENTIFIERS[1:], *features())}
        ids = _spotify_ids(connection, table)
    else:
        headings = {what: [heading] for what, heading in mapped.items() if what not in ("known_by", "spotify_id")}
        ids = [column] if (column := table.column(plain(mapped.get("spotify_id", "")))) else []
    columns = {
        what: column
        for what, candidates in headings.items()
        if (column := next(filter(None, (table.column(plain(one)) for one in candidates)), None))
    }
    found = {feature: column for feature, column in columns.items() if feature in features()}
    if not found:
        known = [heading for what, (heading, *_) in headings.items() if what in features()]
        columns_are = ", ".join(known) if mapped else "listed in seeds/audio_features.csv"
        raise NotRead("no_features", "It has no column with features.", f"Known features are {columns_are}.")
    named = [table.header[int(column[1:])] for column in ids[:1]]
    return Found(
        _identifiers(ids, columns), found, next((heading for heading in named if heading not in ID_NAMES), None)
    )


def _identifiers(ids: list[str], columns: Mapping[str, str]) -> dict[str, str]:
    spotify_id = ", ".join(f"nullif(regexp_extract(trim({column}), '{ID}', 2), '')" for column in ids)
    plain_isrc = f"replace(upper(trim({columns.get('isrc', 'null')})), '-', '')"
    # Lists of artists are written as in Python, or with a comma inside a name marked by a backslash.
    artist = columns.get("artist", "null")
    artists = f"replace(if(starts_with(trim({artist}), '['), regexp_replace({artist}, '[\\[\\]''\"]', '', 'g'), {artist}), '\\,', ',')"
    return {
        "spotify_id": f"cast(coalesce({spotify_id or 'null'}) as varchar)",
        "isrc": f"if(regexp_full_match({plain_isrc}, '[A-Z]{{2}}[A-Z0-9]{{3}}[0-9]{{7}}'), {plain_isrc}, null)",
        "recording_mbid": f"try_cast({columns.get('recording_mbid', 'null')} as uuid)",
        "artist": f"nullif(trim({artists}), '')",
        "title": f"nullif(trim({columns.get('title', 'null')}), '')",
        "album": f"nullif(trim({columns.get('album', 'null')}), '')",
        "length_ms": f"try_cast(try_cast({columns.get('length_ms', 'null')} as double) as bigint)",
    }


def _refuse_other_source(source_id: str, header: list[str]) -> None:
    layout = layout_of(header)
    headings = {plain(heading) for heading in header}
    marked = [source for source, columns in declared()["maps"].items() if columns.get("known_by") in headings]
    others = [layout.source_id] if layout else [source for source in marked if source != source_id]
    if others and source_id not in marked:
        raise NotRead(
            "other_source",
            f"It is a file of {others[0]}, not of {source_id}.",
            f"Use 'consonance catalog add {others[0]} FILE'.",
        )


def _spotify_ids(connection: duckdb.DuckDBPyConnection, table: SideTable) -> list[str]:
    """The columns with Spotify ids of tracks, the best first: known by their values, then by their names."""
    cells = [f"c{place}" for place in range(len(table.header))]
    counts = ", ".join(
        f"count({cell}), count(*) filter (where length({cell}) >= 22 and regexp_matches(trim({cell}), '{ID}')), count(*) filter (where length({cell}) > 22 and regexp_matches(trim({cell}), '{ID}') and length(trim({cell})) > 22)"
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
