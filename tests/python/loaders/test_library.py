"""What people saved: URIs of tracks, of those who grant ``library``, and nothing that anyone typed."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from conftest import EVERYTHING, SmallStudy, as_zip, play

from consonance.study.tokens import Tokens
from consonance.study.vault import open_study

ONE, TWO, THREE = (f"spotify:track:{number:0>22}" for number in (1, 2, 3))
CANARY = "canary4711"


def library(*uris: Any) -> dict[str, Any]:
    return {
        "tracks": [{"artist": CANARY, "album": CANARY, "track": CANARY, "uri": uri} for uri in uris],
        "albums": [{"artist": CANARY, "album": CANARY, "uri": "spotify:album:" + "1" * 22}],
        "bannedTracks": [{"uri": THREE}],
    }


def playlists(*uris: Any) -> dict[str, Any]:
    return {
        "playlists": [
            {
                "name": f"for {CANARY}",
                "lastModifiedDate": "2024-01-01",
                "items": [
                    {"track": {"trackName": CANARY, "trackUri": uri}, "episode": None, "addedDate": "2023-01-01"}
                    for uri in uris
                ],
                "description": CANARY,
            }
        ]
    }


def donate(study: SmallStudy, code: str, name: str = "export.zip", **members: Any) -> None:
    history = {"MyData/endsong_0.json": [play()]}
    as_zip(
        study.study.inbox / code / name,
        history | {f"MyData/{place}.json": content for place, content in members.items()},
    )


def items(study: SmallStudy) -> list[tuple[str, str, str]]:
    return study.vault(
        "select participant_code, origin, track_uri from vault.raw.library_items inner join vault.raw.keyring using (participant_no) order by all"
    )


def test_tracks_land_of_those_who_grant_it_and_go_when_it_is_taken_back(small: SmallStudy) -> None:
    small.admit("P1", purposes=f"{EVERYTHING} library")
    small.admit("P2")
    small.admit("P3", purposes="library")
    small.admit("P4", purposes=f"{EVERYTHING} library")
    for code in ("P1", "P2", "P3"):
        donate(small, code, YourLibrary=library(TWO, ONE), Playlist1=playlists(ONE, ONE))
    donate(small, "P4")
    donate(small, "P1", "again.zip", renamed=library(ONE, THREE), x=playlists())
    small.load()
    expected = [
        ("P1", "playlist", ONE),
        ("P1", "saved", ONE),
        ("P1", "saved", TWO),
        ("P1", "saved", THREE),
    ]
    assert items(small) == expected
    small.load()
    assert items(small) == expected
    small.dbt("run")
    assert small.warehouse("select origin, spotify_uri, participant_id like 'p%' from marts.library order by all") == [
        (origin, uri, True) for _, origin, uri in expected
    ]
    # Whoever played a saved track finds it under the same id.
    assert small.warehouse(
        "select distinct spotify_uri from marts.library inner join marts.plays using (participant_id, track_id)"
    ) == [(ONE,)]
    small.consent("P1", EVERYTHING, event="amended", at="2025-06-01T00:00:00+00:00")
    small.consent("P2", f"{EVERYTHING} library", event="amended", at="2025-06-01T00:00:00+00:00")
    small.load()
    assert {code for code, _, _ in items(small)} == {"P2"}
    small.dbt("run")
    assert small.warehouse("select count(*), count(distinct participant_id) from marts.library") == [(3, 1)]


def test_nothing_lands_of_a_donation_that_is_refused(small: SmallStudy) -> None:
    """What somebody saved who was erased does not come back under another code, as their history does not."""
    for code in ("P1", "P2", "P3"):
        small.admit(code, purposes=f"{EVERYTHING} library")
    donate(small, "P1", YourLibrary=library(ONE))
    donate(small, "P2", YourLibrary=library(TWO))
    as_zip(small.study.inbox / "P3" / "library alone.zip", {"YourLibrary.json": library(ONE)})
    with small.study.donations_of("P1").joinpath("export.zip").open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    with open_study(small.study) as connection:
        connection.execute(
            "insert into vault.raw.erased_donations values ($token)", {"token": Tokens.of(connection).donation(sha256)}
        )
    (small.study.inbox / "P1" / "export.zip").rename(small.study.inbox / "P2" / "found.zip")
    reasons = {donation.file: donation.reason for donation in small.load().donations}
    assert reasons == {
        "inbox/P2/export.zip": None,
        "inbox/P2/found.zip": "erased",
        "inbox/P3/library alone.zip": "no_history",
    }
    assert items(small) == [("P2", "saved", TWO), ("P3", "saved", ONE)]


ODD = {
    "local files": library(f"spotify:local:{CANARY}::x:1", ONE),
    "episodes and lists": library("spotify:episode:" + "1" * 22, f"spotify:user:{CANARY}:playlist:1", ONE),
    "other types": library(None, 7, {"uri": CANARY}, [CANARY], ONE),
    "texts after the id": library(ONE + CANARY, f" {ONE}", ONE),
    "another shape": {"tracks": {"uri": CANARY}, "playlists": CANARY},
    "scalars": {"tracks": [CANARY, None, 1, {"uri": ONE}], "playlists": [None, {"items": [None, {"track": CANARY}]}]},
    "cut off": json.dumps(library(ONE))[:-5],
    "too deep": '{"tracks": ' + "[" * 100_000,
    "not UTF-8": b'{"tracks": [{"uri": "\xff"}]}',
    "a byte order mark": "\ufeff" + json.dumps(library(ONE)),
}


@pytest.mark.parametrize("what", ODD)
def test_odd_files_land_what_is_a_track_and_nothing_typed(small: SmallStudy, what: str) -> None:
    small.admit("P1", purposes=f"{EVERYTHING} library")
    donate(small, "P1", YourLibrary=ODD[what])
    assert small.load().as_json()["participants"]["P1"]["landed"] == 1
    readable = what not in ("another shape", "cut off", "too deep", "not UTF-8")
    assert items(small) == ([("P1", "saved", ONE)] if readable else [])
    with small.opened() as connection:
        for (table,) in connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'raw' and database_name = 'vault'"
        ).fetchall():
            assert CANARY not in str(connection.execute(f"select * from vault.raw.{table}").fetchall()), table
