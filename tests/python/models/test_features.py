"""Audio features in the warehouse: what is declared of them, and what the matching by names remembers."""

from __future__ import annotations

import csv
import re
from typing import Any

import duckdb
import yaml
from conftest import SmallStudy, play

from consonance.study.dbt_command import PROJECT
from consonance.study.vault import open_catalogue
from loaders.matching import THRESHOLD
from loaders.track_names import with_track_names

SETTINGS = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
MEMORIES = ("feat_track_recordings", "feat_track_named_sources")
SELECTED = ("anon_tracks+1", *MEMORIES)


def test_the_variables_agree_with_the_seed_and_the_program() -> None:
    with (PROJECT / "seeds" / "audio_features.csv").open(encoding="utf-8", newline="") as file:
        features = [row["feature"] for row in csv.DictReader(file)]
    assert SETTINGS["audio_features"] == features
    assert set(SETTINGS["features_of_plays"]) <= set(features)
    assert SETTINGS["match_threshold"] == THRESHOLD
    blocks = re.findall(r"{% docs (\w+) %}", (PROJECT / "models" / "_columns.md").read_text(encoding="utf-8"))
    assert set(features) <= set(blocks)


def put_recordings(study: SmallStudy, sha256: str, *songs: tuple[str, str]) -> None:
    """Make the catalogue one of these songs (artist, title)."""
    with open_catalogue(study.study) as connection:
        connection.execute("delete from catalogue.music.recordings; delete from catalogue.music.dumps")
        connection.executemany(
            "insert into catalogue.music.recordings by name select md5($artist || $title)::uuid as recording_mbid, $artist as artist, $title as title, '' as album, 0 as score",
            [{"artist": artist, "title": title} for artist, title in songs],
        )
        connection.execute(
            "insert into catalogue.music.dumps values ('musicbrainz_canonical', ?, now(), '{}')", [sha256]
        )


def matches(study: SmallStudy) -> dict[str, list[tuple[Any, ...]]]:
    return {model: study.warehouse(f"select * from features.{model} order by all") for model in MEMORIES}


def confidences(study: SmallStudy) -> dict[str, float | None]:
    return dict(
        study.warehouse(
            "select title, match_confidence::double from features.feat_track_recordings inner join features.feat_track_names using (track_id)"
        )
    )


def plant(study: SmallStudy) -> None:
    """Change what was found: whoever seeks again finds the right thing."""
    with duckdb.connect(str(study.study.warehouse_path)) as connection:
        for model in MEMORIES:
            connection.execute(f"update features.{model} set match_confidence = 0.111")


def heard(*titles: str) -> list[dict[str, Any]]:
    return [
        play(
            ts=f"2023-05-01T{hour:02}:00:00Z",
            master_metadata_track_name=title,
            master_metadata_album_artist_name="Nora Quist",
            spotify_track_uri=f"spotify:track:{hour:022}",
        )
        for hour, title in enumerate(titles)
    ]


def test_what_was_matched_is_matched_again_only_if_something_changed(small: SmallStudy) -> None:
    small.admit("A1")
    small.donate("A1", heard("Paper Boats", "River", "Attic Tapes"))
    table = small.study.catalogue / "study_features" / "named.csv"
    table.parent.mkdir(parents=True)
    table.write_text("spotify_id,valence\n" + "0" * 22 + ",0.5\n")
    small.load()
    with open_catalogue(small.study) as connection:
        connection.execute(
            "create temp table named as select 'deezer_mood' as source_id, 1 as track_no, 'Nora Quist' as artist, 'River' as title"
        )
        connection.execute(
            with_track_names(
                "insert into catalogue.music.source_tracks by name {{ with_name_keys('named', 'source_id, track_no', 'artist', 'title', \"''\") }}"
            )
        )
    put_recordings(small, "first", ("Nora Quist", "Paper Boats"), ("Nora Quist", "Attic Tape"))
    small.dbt("run")
    first = matches(small)
    assert confidences(small) == {"Paper Boats": 0.98, "River": None, "Attic Tapes": 0.78}
    assert first["feat_track_named_sources"]
    # Nothing is new: nothing is sought, not even what was not found. The wrong confidence stays.
    plant(small)
    small.dbt("run", "--select", *SELECTED)
    assert set(confidences(small).values()) == {0.111}
    # A new track is sought, and so is one whose names are now others.
    again = [row | {"ts": f"2023-06-0{day}T00:00:00Z"} for day in (1, 2, 3) for row in heard("", "River - Live")[1:]]
    small.donate("A1", [*again, *heard("", "", "", "Another")[3:]], name="later.zip")
    small.load()
    small.dbt("run")
    found = confidences(small)
    assert found["Another"] is None and found["River - Live"] is None
    assert found["Paper Boats"] == found["Attic Tapes"] == 0.111
    # Another dump: everything is sought again, and is what a warehouse without memory has, row for row.
    put_recordings(small, "second", ("Nora Quist", "River (Live)"), ("Nora Quist", "Paper Boats"))
    small.dbt("run", "--select", *SELECTED)
    assert confidences(small) == {"Paper Boats": 0.98, "River - Live": 0.98, "Attic Tapes": None, "Another": None}
    plant(small)
    small.dbt("run", "--full-refresh", "--select", *SELECTED)
    rebuilt = matches(small)
    small.dbt("run", "--select", *SELECTED)
    assert matches(small) == rebuilt
    assert 0.111 not in confidences(small).values()
