"""Asking a feature source over the network about the study's tracks that no source has yet.

Which tracks are asked about, in which order, and what is kept. What was answered is in the vault (``raw.fetched_tracks``,
``raw.fetched_values``): in the catalogue it would show what the study's people heard.

The tracks of a fetch, and the decoys among them, are noted in the vault before the first request
(``raw.tracks_to_fetch``). Each batch that is answered is one transaction: it is landed, and its notes are deleted. If
the program is killed, the next fetch asks the same batches again, decoys and all: other batches would show which ids
occur in both, and so which are no decoys.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom
from typing import Any

import duckdb

from consonance.consent.rules import with_rules
from consonance.study.audit_log import anchor, record
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.last_run import why_outdated
from consonance.study.schema import refuse_older_stores
from loaders.reccobeats import BATCH, ENDPOINTS, SOURCE, ReccoBeats, Track

# Entries of the audit log that a fetch writes. The plays are as they were.
FETCHES = ("fetch_started", "fetch_ended")
SPOTIFY_ID = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{22}(?![0-9A-Za-z])")

# One row is one track that somebody heard openly, of which neither the catalogue nor the warehouse has a value of a
# feature, and that the source was not asked about.
MISSING = """
    select distinct {{ track_id_of('plays.content_uri') }} as spotify_id
    from vault.intermediate.int_play_fates as plays
    where {{ is_openly_heard('plays') }}
    except
    select {{ track_id_of('tracks.spotify_uri') }}
    from warehouse.anonymized.anon_tracks as tracks
    semi join warehouse.features.feat_track_features as features
        on tracks.track_id = features.track_id and features.feature_source is not null
    except
    select spotify_id
    from catalogue.music.source_tracks as tracks
    semi join catalogue.music.source_values as given
        on tracks.source_id = given.source_id and tracks.track_no = given.track_no
    where spotify_id is not null
    except
    select spotify_id
    from vault.raw.fetched_tracks
    where source_id = $source
    order by spotify_id
"""
# One row is one track that somebody in the study heard or saved: it cannot be a decoy.
HEARD_OR_SAVED = """
    select {{ track_id_of('track_uri') }} as spotify_id from vault.raw.extended_plays where track_uri is not null
    union
    select {{ track_id_of('track_uri') }} from vault.raw.library_items
"""
OF_THE_CATALOGUE = """
    select spotify_id from catalogue.music.source_tracks where regexp_full_match(spotify_id, '[0-9A-Za-z]{22}')
"""


class OutdatedWarehouse(ConsonanceError):
    """It is not certain which tracks are missing."""


class BadDecoys(ConsonanceError):
    """There are no such decoys."""


@dataclass(frozen=True)
class Fetch:
    """What a fetch will ask.

    Attributes:
        tracks: The ids of the study's tracks.
        decoys: The ids of other tracks.
        order: All of them, in random order.
        is_resumed: Whether it is the rest of a fetch that was interrupted.
    """

    tracks: frozenset[str]
    decoys: frozenset[str]
    order: tuple[str, ...]
    is_resumed: bool = False

    @property
    def batches(self) -> int:
        return -(-len(self.order) // BATCH)

    @property
    def requests(self) -> int:
        """Without those that must be repeated."""
        return self.batches * len(ENDPOINTS)


@dataclass(frozen=True)
class Fetched:
    """What a fetch got: tracks that were answered, those of them that the source knows, values, decoys, tracks left."""

    tracks: int = 0
    known: int = 0
    values: int = 0
    decoys: int = 0
    left: int = 0

    def as_json(self) -> dict[str, Any]:
        return {"source": SOURCE, **asdict(self)}


def plan_fetch(connection: duckdb.DuckDBPyConnection, decoys: int | Path = 0) -> Fetch:
    """What a fetch would ask now. Nothing is changed, and nobody is asked.

    Args:
        connection: With vault, catalogue and warehouse attached.
        decoys: How many tracks of the catalogue to ask about too, or a file with a Spotify id, URI or link a line.

    Raises:
        OlderStores: an older version made the vault.
        OutdatedWarehouse: dbt must run first.
        BadDecoys: the catalogue has not so many other tracks, or the file has no ids.
    """
    refuse_older_stores(connection)
    if why := why_outdated(connection, but_for=FETCHES):
        raise OutdatedWarehouse(f"{why} So it is not certain which tracks are missing.", "Run 'dbt run' first.")
    missing = frozenset(_column(connection, MISSING, source=SOURCE))
    noted = connection.execute(
        "select spotify_id, is_decoy from vault.raw.tracks_to_fetch where source_id = $source order by place",
        {"source": SOURCE},
    ).fetchall()
    left = Fetch(
        tracks=frozenset(track for track, is_decoy in noted if not is_decoy),
        decoys=frozenset(track for track, is_decoy in noted if is_decoy),
        order=tuple(track for track, _ in noted),
        is_resumed=True,
    )
    if noted and left.tracks == missing and (left.decoys or not decoys):
        return left
    others = frozenset(_decoys(connection, decoys)) if missing else frozenset()
    order = [*missing, *others]
    SystemRandom().shuffle(order)
    return Fetch(missing, others, tuple(order))


def run_fetch(
    connection: duckdb.DuckDBPyConnection,
    study: Study,
    fetch: Fetch,
    service: ReccoBeats,
    done: Callable[[Fetched], None] = lambda so_far: None,
) -> Fetched:
    """Ask ``service`` what ``fetch`` planned, and land each batch of answers.

    Args:
        connection: The one that ``fetch`` was planned with, vault attached for writing.
        study: Whose vault it is.
        fetch: By ``plan_fetch``.
        service: Whom to ask.
        done: Is called after each batch.

    Raises:
        NotAnswered, Refused: what was answered before is landed; the next fetch goes on from there.
    """
    _note(connection, study, fetch)
    so_far = Fetched(left=len(fetch.tracks))
    try:
        for batch in batched(fetch.order):
            answers = service.tracks(batch)
            asked = [track for track in batch if track in fetch.tracks]
            values = _land(connection, batch, asked, answers)
            so_far = Fetched(
                tracks=so_far.tracks + len(asked),
                known=so_far.known + sum(track in answers for track in asked),
                values=so_far.values + values,
                decoys=so_far.decoys + len(batch) - len(asked),
                left=so_far.left - len(asked),
            )
            done(so_far)
    finally:
        record(connection, study, "fetch_ended", {"source": SOURCE, **asdict(so_far)})
        anchor(connection, study)
        connection.execute("checkpoint vault")
    return so_far


def _note(connection: duckdb.DuckDBPyConnection, study: Study, fetch: Fetch) -> None:
    """Note what will be asked, before anybody is asked."""
    with _transaction(connection):
        if not fetch.is_resumed:
            connection.execute("delete from vault.raw.tracks_to_fetch where source_id = $source", {"source": SOURCE})
            connection.execute(
                """
                insert into vault.raw.tracks_to_fetch by name
                select
                    $source as source_id, unnest($places) as place, unnest($tracks) as spotify_id,
                    unnest($are_decoys) as is_decoy
                """,
                {
                    "source": SOURCE,
                    "places": list(range(len(fetch.order))),
                    "tracks": list(fetch.order),
                    "are_decoys": [track in fetch.decoys for track in fetch.order],
                },
            )
        facts = {"tracks": len(fetch.tracks), "decoys": len(fetch.decoys), "requests": fetch.requests}
        record(connection, study, "fetch_started", {"source": SOURCE, **facts})
    anchor(connection, study)


def batched(order: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The tracks of each request."""
    for start in range(0, len(order), BATCH):
        yield tuple(order[start : start + BATCH])


def _land(
    connection: duckdb.DuckDBPyConnection, batch: Sequence[str], asked: Sequence[str], answers: Mapping[str, Track]
) -> int:
    """Land what was answered about the tracks ``asked`` of a batch, and forget the decoys; returns how many values."""
    found = [answers.get(track, Track()) for track in asked]
    values = [(track, *value) for track, answer in zip(asked, found, strict=True) for value in answer.values.items()]
    with _transaction(connection):
        if asked:
            connection.execute(
                """
                insert into vault.raw.fetched_tracks by name
                select
                    $source as source_id, unnest($tracks) as spotify_id, $moment as asked_at, unnest($isrcs) as isrc,
                    unnest($lengths) as length_ms, unnest($are_known) as is_known
                """,
                {
                    "source": SOURCE,
                    "tracks": list(asked),
                    "moment": datetime.now(UTC).replace(tzinfo=None),
                    "isrcs": [answer.isrc for answer in found],
                    "lengths": [answer.length_ms for answer in found],
                    "are_known": [track in answers for track in asked],
                },
            )
        if values:
            tracks, features, numbers = zip(*values, strict=True)
            connection.execute(
                """
                insert into vault.raw.fetched_values by name
                select
                    $source as source_id, unnest($tracks) as spotify_id, unnest($features) as feature,
                    unnest($numbers) as value
                """,
                {"source": SOURCE, "tracks": list(tracks), "features": list(features), "numbers": list(numbers)},
            )
        connection.execute(
            "delete from vault.raw.tracks_to_fetch where source_id = $source and spotify_id in (select unnest($batch))",
            {"source": SOURCE, "batch": list(batch)},
        )
    return len(values)


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All of it, or nothing, also if somebody stops the program with Ctrl-C."""
    connection.begin()
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _decoys(connection: duckdb.DuckDBPyConnection, wanted: int | Path) -> list[str]:
    if isinstance(wanted, int) and not wanted:
        return []
    own = set(_column(connection, HEARD_OR_SAVED))
    if isinstance(wanted, int):
        others = sorted(set(_column(connection, OF_THE_CATALOGUE)) - own)
        if len(others) < wanted:
            raise BadDecoys(
                f"The catalogue has {len(others):,} tracks with a Spotify id that nobody in the study heard or saved.",
                "Ask for so many decoys at most, or name a file with ids of other tracks.",
            )
        return SystemRandom().sample(others, wanted)
    try:
        text = wanted.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise BadDecoys(f"{wanted} cannot be read.", "Name a text file, or a number of decoys.") from None
    found = {ids[0] for line in text.splitlines() if (ids := SPOTIFY_ID.findall(line))}
    if not found - own:
        raise BadDecoys(
            f"{wanted} has no id of a track that nobody in the study heard or saved.",
            "Write a Spotify id, URI or link of a track on each line.",
        )
    return sorted(found - own)


def _column(connection: duckdb.DuckDBPyConnection, query: str, **values: str) -> list[str]:
    return [value for (value,) in connection.execute(with_rules(query), values).fetchall()]
