"""Open music facts: archives of audio features, from CSV into ``catalog.duckdb``. No persons."""

from __future__ import annotations

import csv
import hashlib
import shutil
from pathlib import Path

import duckdb

from loaders.memory import in_memory
from loaders.report import FileReport
from stores.dbt_command import PROJECT
from stores.errors import ConsonanceError
from stores.study import Study

SOURCES = PROJECT / "seeds" / "feature_sources.csv"

ID_NAMES = ("spotify_id", "track_id", "id", "track_uri", "uri", "spotify_track_uri", "spotify_track_id")
FRACTIONS = ("danceability", "energy", "valence", "speechiness", "acousticness", "instrumentalness", "liveness")
OTHERS = {
    "loudness": "loudness",
    "tempo": "tempo",
    "key": "musical_key",
    "mode": "mode",
    "time_signature": "time_signature",
}


class BadArchive(ConsonanceError):
    """A feature archive cannot be added."""


def known_sources() -> list[str]:
    """The ids of ``seeds/feature_sources.csv``: what is licensed how is written down before it is loaded."""
    with SOURCES.open(encoding="utf-8", newline="") as file:
        return [row["source_id"] for row in csv.DictReader(file)]


def add_archive(study: Study, file: Path, source_id: str) -> Path:
    """Copy ``file`` to where the study keeps archives of ``source_id``; the next load reads it.

    Raises:
        BadArchive: no such file, or no licence row for the source.
    """
    _check_source(source_id, str(file))
    if not file.is_file():
        raise BadArchive(f"{file} does not exist.", "Name a CSV file.")
    target = study.catalogue / source_id / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    if not (target.exists() and target.samefile(file)):
        shutil.copyfile(file, target)
    return target


def load_catalogue(connection: duckdb.DuckDBPyConnection, study: Study) -> list[FileReport]:
    """Load the archives at ``catalogue/<source_id>/*.csv``; a source whose files are unchanged stays.

    Published tables carry quirks, all met here: percent integers for fractions, thousands
    separators, files that are not UTF-8, several rows for a track (the first counts).

    Raises:
        BadArchive: a folder without a licence row, or a file without the columns.
    """
    reports = []
    loaded = _recorded(connection)
    folders = sorted(path for path in study.catalogue.iterdir() if path.is_dir())
    for gone in loaded.keys() - {folder.name for folder in folders}:
        _forget(connection, gone)
    for folder in folders:
        _check_source(folder.name, str(folder))
        files = {study.within(path): path.read_bytes() for path in sorted(folder.glob("*.csv"))}
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        if digests != loaded.get(folder.name, {}):
            connection.begin()
            try:
                _forget(connection, folder.name)
                for name, content in files.items():
                    _load_archive(connection, folder.name, name, content, digests[name])
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
        reports += _reports(connection, folder.name)
    return reports


def _check_source(source_id: str, place: str) -> None:
    if source_id not in known_sources():
        raise BadArchive(
            f"{place}: there is no feature source of that name.",
            f"Known are {', '.join(known_sources())}; add a row with its licence to seeds/feature_sources.csv first.",
        )


def _recorded(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    recorded: dict[str, dict[str, str]] = {}
    for source_id, file, sha256 in connection.execute(
        "select source_id, file, sha256 from catalogue.music.archives"
    ).fetchall():
        recorded.setdefault(source_id, {})[file] = sha256
    return recorded


def _forget(connection: duckdb.DuckDBPyConnection, source_id: str) -> None:
    connection.execute("delete from catalogue.music.track_features where source_id = ?", [source_id])
    connection.execute("delete from catalogue.music.archives where source_id = ?", [source_id])


def _reports(connection: duckdb.DuckDBPyConnection, source_id: str) -> list[FileReport]:
    rows = connection.execute(
        "select file, rows_in, landed, rejected from catalogue.music.archives where source_id = ? order by file",
        [source_id],
    ).fetchall()
    return [
        FileReport(file, rows_in, landed, rejected, {"no_track_or_repeated": rejected} if rejected else {})
        for file, rows_in, landed, rejected in rows
    ]


def _load_archive(
    connection: duckdb.DuckDBPyConnection, source_id: str, name: str, content: bytes, sha256: str
) -> None:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    with in_memory(text.encode(), ".csv") as address:
        source = f"read_csv('{address}', all_varchar = true, header = true, nullstr = '', null_padding = true)"
        try:
            columns = [row[0] for row in connection.execute(f"describe from {source}").fetchall()]
        except duckdb.Error:
            raise BadArchive(
                f"{name} is no well-formed CSV.", "Export it again, with a header and one track a line."
            ) from None
        by_name = {column.strip().lower().replace(" ", "_"): column for column in columns}
        ids = [by_name[candidate] for candidate in ID_NAMES if candidate in by_name]
        present = [feature for feature in (*FRACTIONS, *OTHERS) if feature in by_name]
        if not ids or not present:
            raise BadArchive(
                f"{name} has no column with Spotify ids, or none with features.",
                f"Call them {ID_NAMES[0]} and {', '.join(FRACTIONS)}.",
            )
        rows_in = int(connection.execute(f"select count(*) from {source}").fetchall()[0][0])
        landed = int(connection.execute(_archive_sql(source, ids, by_name), {"source_id": source_id}).fetchall()[0][0])
    connection.execute(
        "insert into catalogue.music.archives values (?, ?, ?, ?, ?, ?)",
        [source_id, name, sha256, rows_in, landed, rows_in - landed],
    )


def _archive_sql(source: str, ids: list[str], by_name: dict[str, str]) -> str:
    def number(feature: str) -> str:
        if feature not in by_name:
            return "cast(null as double)"
        column = '"' + by_name[feature].replace('"', '""') + '"'
        plain = f"case when regexp_full_match(trim({column}), '-?\\d{{1,3}}(,\\d{{3}})+(\\.\\d+)?') then replace({column}, ',', '') else replace({column}, ',', '.') end"
        return f"try_cast(trim({plain}) as double)"

    candidates = ", ".join(
        f"nullif(regexp_extract(trim(\"{column}\"), '^(?:spotify:track:|https://open\\.spotify\\.com/track/)?([0-9A-Za-z]{{22}})$', 1), '')"
        for column in ids
    )
    numbers = ", ".join(f"{number(feature)} as {OTHERS.get(feature, feature)}" for feature in (*FRACTIONS, *OTHERS))
    # A column of fractions in which some value lies above 1 is in percent.
    fractions = ", ".join(
        f"{feature} / (case when (max({feature}) over ()) > 1.0 then 100.0 else 1.0 end) as {feature}"
        for feature in FRACTIONS
    )
    return f"""
        insert into catalogue.music.track_features
        with numbered as (
            select row_number() over () as line, coalesce({candidates}) as spotify_id, {numbers}
            from {source}
        ),
        scaled as (
            select line, spotify_id, {fractions}, {", ".join(OTHERS.values())}
            from numbered
            where spotify_id is not null
        ),
        one_a_track as (
            select spotify_id, min(line) as line from scaled
            where spotify_id not in (select spotify_id from catalogue.music.track_features where source_id = $source_id)
            group by spotify_id
        )
        select
            $source_id, scaled.spotify_id,
            {", ".join(f"case when {feature} between 0 and 1 then {feature} end" for feature in FRACTIONS)},
            case when loudness between -80 and 20 then loudness end,
            case when tempo > 0 and tempo < 400 then tempo end,
            case when musical_key between 0 and 11 then musical_key end,
            case when mode in (0, 1) then mode end,
            case when time_signature between 1 and 12 then time_signature end
        from scaled
        inner join one_a_track using (spotify_id, line)
    """
