"""What a source said about tracks: it passes the wall for tracks that were heard, and goes with the last who heard them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from unittest.mock import Mock

import pytest
from conftest import SmallStudy, lay_out_small, play

from consonance.checks.study_checks import run_check
from consonance.erasure import amendment, rewriting, vault_rows
from consonance.erasure.amendment import erase_uncovered
from consonance.erasure.planning import plan
from consonance.erasure.search import ErasureIncomplete
from consonance.erasure.withdrawal import withdraw
from consonance.study.audit_log import read_entries
from consonance.study.folder import Study
from consonance.study.fresh_vault import contents
from consonance.study.key_rotation import rotate_key
from consonance.study.vault import open_study
from loaders.fetching import plan_fetch, run_fetch
from loaders.reccobeats import ReccoBeats, Track

pytestmark = pytest.mark.usefixtures("artifacts_apart")

NOW = datetime(2026, 2, 1, 12)
PURPOSES = "listening_history private_sessions"
# Who heard a track, and how: P1 and P2 in the consented window, P2 also before it (early) or in a private session.
HEARD = {
    "P1": {"alone": "", "unknown": "", "both": "", "early": "", "hidden": ""},
    "P2": {"both": "", "early": "early", "hidden": "hidden", "theirs": "", "late": "late"},
}
TRACKS = {name: f"{name:0<22}" for name in ("alone", "unknown", "both", "early", "hidden", "theirs", "late", "nobody")}
WHEN = {"": "2023-05-01", "early": "2015-05-01", "hidden": "2023-05-02", "late": "2024-05-01"}


class Known(ReccoBeats):
    """A service that knows every track but one."""

    def tracks(self, spotify_ids: Collection[str]) -> dict[str, Track]:
        return {
            track: Track("DE1012345678", 180_000, {"energy": 0.5, "tempo": 120.0})
            for track in spotify_ids
            if track != TRACKS["unknown"]
        }


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> SmallStudy:
    """Two people, what was fetched about their tracks, and the warehouse with it. Not to be written to."""
    study = lay_out_small(tmp_path_factory.mktemp("fetched") / "study")
    for code, tracks in HEARD.items():
        study.admit(code, purposes=PURPOSES, history=("2020-01-01", ""))
        rows = [
            play(
                f"{WHEN[how]}T{10 + number}:00:00Z",
                username=f"listener-of-{code}",
                spotify_track_uri=f"spotify:track:{TRACKS[name]}",
                master_metadata_track_name=f"The Song {name}",
                incognito_mode=how == "hidden",
            )
            for number, (name, how) in enumerate(tracks.items())
        ]
        study.donate(code, rows)
    study.load()
    study.dbt("run")
    with open_study(study.study, warehouse=True) as connection:
        run_fetch(connection, study.study, plan_fetch(connection), Known())
    study.dbt("run")
    return study


@pytest.fixture
def study(kept: SmallStudy, tmp_path: Path) -> SmallStudy:
    shutil.copytree(kept.root, tmp_path / "study")
    return SmallStudy(Study.find(tmp_path / "study"))


def names(study: SmallStudy, table: str) -> set[str]:
    """The tracks that a table has rows of."""
    query = f"select distinct spotify_id from {table}"
    rows = study.vault(query) if table.startswith("vault") else study.warehouse(query)
    return {track.rstrip("0") for (track,) in rows}


def test_only_tracks_that_were_heard_openly_are_asked_about_and_pass_the_wall(study: SmallStudy) -> None:
    heard = {"alone", "unknown", "both", "early", "hidden", "theirs", "late"}
    assert names(study, "vault.raw.fetched_tracks") == heard
    assert names(study, "anonymized.anon_fetched_tracks") == heard - {"unknown"}
    assert study.warehouse("select distinct source_id, isrc, length_ms from anonymized.anon_fetched_tracks") == [
        ("reccobeats", "DE1012345678", 180_000)
    ]
    assert study.warehouse(
        "select feature, value, count(*) from anonymized.anon_fetched_values group by all order by all"
    ) == [("energy", 0.5, 6), ("tempo", 120.0, 6)]
    # What nobody's kept plays show stays in the vault: here, a track that no play has.
    with open_study(study.study) as connection:
        connection.execute(
            f"update vault.raw.fetched_tracks set spotify_id = '{TRACKS['nobody']}' where spotify_id = '{TRACKS['alone']}'"
        )
        connection.execute(
            f"update vault.raw.fetched_tracks set isrc = 'call 0301234567' where spotify_id = '{TRACKS['both']}'"
        )
        connection.execute("update vault.raw.fetched_tracks set is_known = false where spotify_id like 'theirs%'")
    study.dbt("run", "--select", "anon_fetched_tracks", "anon_fetched_values")
    assert names(study, "anonymized.anon_fetched_tracks") == {"both", "early", "hidden", "late"}
    assert names(study, "anonymized.anon_fetched_values") == {"both", "early", "hidden", "late"}
    assert study.warehouse("select spotify_id from anonymized.anon_fetched_tracks where isrc is null") == [
        (TRACKS["both"],)
    ]


def test_who_people_are_makes_no_difference_and_the_rules_pass(study: SmallStudy) -> None:
    for name in ("rules", "non-interference"):
        result = run_check(name, study.study)
        assert result.passed, result.as_json()


def test_a_rotation_of_the_key_keeps_it(study: SmallStudy) -> None:
    with open_study(study.study, read_only=True) as connection:
        before = contents(connection, "vault")
    rotate_key(study.study)
    with open_study(study.study, read_only=True) as connection:
        assert contents(connection, "vault") == before
    assert before['"raw"."fetched_tracks"'][0] == 7 and before['"raw"."fetched_values"'][0] == 12


def test_a_vault_that_lacks_the_tables_gets_them(study: SmallStudy) -> None:
    with open_study(study.study) as connection:
        for table in ("fetched_tracks", "fetched_values", "tracks_to_fetch"):
            connection.execute(f"drop table vault.raw.{table}")
    study.load()
    for table in ("fetched_tracks", "fetched_values", "tracks_to_fetch"):
        assert study.vault(f"select * from vault.raw.{table}") == []


def plan_more(study: SmallStudy) -> None:
    """As if a fetch had been interrupted."""
    with open_study(study.study) as connection:
        connection.execute(
            f"insert into vault.raw.tracks_to_fetch values ('reccobeats', 0, '{TRACKS['alone']}', false), ('reccobeats', 1, '{'D' * 22}', true)"
        )


def test_a_withdrawal_takes_along_what_only_they_heard(study: SmallStudy) -> None:
    plan_more(study)
    done = withdraw(study.study, plan(study.study, "P1", NOW))
    # Of P2's plays those alone count that are kept, and were in no private session.
    for table in ("vault.raw.fetched_tracks", "vault.raw.fetched_values"):
        assert names(study, table) == {"both", "theirs", "late"}, table
    assert names(study, "anonymized.anon_fetched_tracks") == {"both", "theirs", "late"}
    assert study.vault("select * from vault.raw.tracks_to_fetch") == []
    stated = {row["table"]: (row["before"], row["after"]) for row in json.loads(done.certificate.read_text())["rows"]}
    assert stated["raw.fetched_tracks"] == (4, 0) and stated["raw.fetched_values"] == (6, 0)
    assert done.scan.passed
    with open_study(study.study, read_only=True) as connection:
        facts = json.loads(next(entry.facts for entry in read_entries(connection) if entry.kind == "erased"))
    assert facts["fetched_tracks"] == 4
    # And the rest of the study needs no fetch.
    with open_study(study.study, warehouse=True) as connection:
        assert not plan_fetch(connection).tracks


@pytest.mark.parametrize("table", ["fetched_tracks", "fetched_values", "tracks_to_fetch"])
def test_the_search_finds_what_was_left(
    kept: SmallStudy, study: SmallStudy, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    plan_more(study)
    with open_study(study.study) as connection:
        for other in {"fetched_tracks", "fetched_values", "tracks_to_fetch"} - {table}:
            connection.execute(f"delete from vault.raw.{other}")
    monkeypatch.setattr(vault_rows, "forget_unheard", lambda *_: 0)
    monkeypatch.setattr(
        rewriting, "run_dbt", lambda *_: shutil.copyfile(kept.study.warehouse_path, study.study.warehouse_path)
    )
    with pytest.raises(ErasureIncomplete, match=rf"vault\.raw\.{table}\.spotify_id"):
        withdraw(study.study, plan(study.study, "P1", NOW))


@pytest.mark.parametrize(
    ("purposes", "history", "left"),
    [
        (PURPOSES, ("2020-01-01", "2023-12-31"), HEARD["P1"].keys() | {"theirs"}),
        ("demographics", ("", ""), HEARD["P1"].keys()),
        ("listening_history", ("2020-01-01", ""), HEARD["P1"].keys() | {"theirs", "late"}),
    ],
    ids=["a narrower window", "no listening history", "no private sessions"],
)
def test_an_amendment_takes_along_what_only_their_plays_showed(
    study: SmallStudy, monkeypatch: pytest.MonkeyPatch, purposes: str, history: tuple[str, str], left: set[str]
) -> None:
    plan_more(study)
    study.consent("P2", purposes, event="amended", at="2025-06-01T10:00:00+00:00", history=history)
    study.load()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(amendment, "rewrite_vault", Mock(side_effect=KeyboardInterrupt))
        erase_uncovered(study.study)
    # Interrupted, it goes on, and does not take what others heard for unheard.
    erase_uncovered(study.study)
    for table in ("vault.raw.fetched_tracks", "anonymized.anon_fetched_tracks"):
        assert names(study, table) == left - ({"unknown"} if table.startswith("anonymized") else set())
    assert study.vault("select * from vault.raw.tracks_to_fetch") == []
