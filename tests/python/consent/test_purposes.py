"""Every purpose on its own: with it the data is there, without it in no layer, taken back it goes at the next run.

The table that ``test_the_table_of_purposes_and_layers`` asserts is the one in ``docs/consent.md``.
"""

from __future__ import annotations

import pytest
from conftest import SmallStudy, as_zip, lay_out_small, play

from consonance.consent.state import PURPOSES
from consonance.study.dbt_command import PROJECT

# Purpose to relation to what of it needs the purpose. "person" is whose rows are counted; relations
# of tracks hold no persons: every person of this study heard titles of their own.
SPOKEN = "content_type in ('episode', 'audiobook')"
FLAGS = {"anonymized.anon_participants": "grants_{purpose}", "marts.participants": "grants_{purpose}"}
NEEDS: dict[str, dict[str, str]] = {
    "listening_history": {
        "anonymized.anon_plays": "true",
        "anonymized.anon_tracks": "true",
        "anonymized.anon_row_accounting": "true",
        "sessionized.ses_plays": "true",
        "features.feat_track_names": "true",
        "features.feat_track_recordings": "true",
        "features.feat_track_keys": "key_kind = 'spotify_id'",
        "marts.plays": "true",
        "marts.tracks": "true",
        "marts.sessions": "true",
        "marts.daily_listening": "true",
        "marts.feature_coverage_of_participants": "feature = 'valence'",
        "audit.row_accounting": "true",
    },
    "podcasts_audiobooks": {
        "anonymized.anon_plays": SPOKEN,
        "anonymized.anon_tracks": SPOKEN,
        "marts.plays": SPOKEN,
        "marts.tracks": SPOKEN,
    },
    "private_sessions": {
        "anonymized.anon_plays": "is_private_session",
        "anonymized.anon_tracks": "title like 'hidden %'",
        "marts.plays": "is_private_session",
        "marts.tracks": "title like 'hidden %'",
    },
    "demographics": {
        "anonymized.anon_participants": "coalesce(age_band, gender, country) is not null",
        "anonymized.anon_plays": "coalesce(country, is_abroad::varchar) is not null",
        "marts.participants": "coalesce(age_band, gender, country) is not null",
        "marts.plays": "coalesce(country, is_abroad::varchar) is not null",
    },
    "emotion_reports": {
        "anonymized.anon_emotion_answers": "true",
        "anonymized.anon_emotion_prompts": "true",
        "features.feat_emotion_reports": "true",
        "features.feat_emotion_scores": "true",
        "marts.emotion_prompts": "true",
        "marts.emotion_reports": "true",
        "marts.emotion_scores": "true",
        "marts.emotion_windows": "true",
    },
    "library": {
        "anonymized.anon_participants": "grants_library",
        "anonymized.anon_library": "true",
        "marts.library": "true",
    },
    **{
        purpose: {relation: flag.format(purpose=purpose) for relation, flag in FLAGS.items()}
        for purpose in ("ml_training", "sharing_controlled", "sharing_public")
    },
}
NEEDS["ml_training"]["marts.training_examples"] = "true"
# What models are trained on needs these beside ml_training.
TRAINING = ("emotion_reports", "listening_history")
LAYERS = ("anonymized", "sessionized", "features", "marts", "audit")
# Rows of somebody who grants everything; of somebody who grants all but the purpose; of somebody who
# takes the purpose back, before and after.
TABLE = """
| purpose | layer | granted | not granted | before the amendment | after |
|---|---|---|---|---|---|
| listening_history | anonymized | 9 | 0 | 9 | 0 |
| listening_history | sessionized | 4 | 0 | 4 | 0 |
| listening_history | features | 6 | 0 | 6 | 0 |
| listening_history | marts | 11 | 0 | 11 | 0 |
| listening_history | audit | 1 | 0 | 1 | 0 |
| podcasts_audiobooks | anonymized | 4 | 0 | 4 | 0 |
| podcasts_audiobooks | marts | 4 | 0 | 4 | 0 |
| private_sessions | anonymized | 2 | 0 | 2 | 0 |
| private_sessions | marts | 2 | 0 | 2 | 0 |
| demographics | anonymized | 5 | 0 | 5 | 0 |
| demographics | marts | 5 | 0 | 5 | 0 |
| emotion_reports | anonymized | 3 | 0 | 3 | 0 |
| emotion_reports | features | 3 | 0 | 3 | 0 |
| emotion_reports | marts | 14 | 0 | 14 | 0 |
| library | anonymized | 4 | 0 | 4 | 0 |
| library | marts | 3 | 0 | 3 | 0 |
| ml_training | anonymized | 1 | 0 | 1 | 0 |
| ml_training | marts | 6 | 0 | 6 | 0 |
| sharing_controlled | anonymized | 1 | 0 | 1 | 0 |
| sharing_controlled | marts | 1 | 0 | 1 | 0 |
| sharing_public | anonymized | 1 | 0 | 1 | 0 |
| sharing_public | marts | 1 | 0 | 1 | 0 |
"""

GRID = """
files: grid.csv
format: long
participant: participant_code
moments: {prompted: prompted_at, answered: answered_at}
columns: {instrument: instrument, item: item, answer: answer}
"""

Counts = dict[tuple[str, str, str], int]


def without(purpose: str) -> str:
    return " ".join(other for other in PURPOSES if other != purpose)


def take_part(study: SmallStudy, code: str, purposes: str) -> None:
    study.admit(code, purposes=purposes)
    uris = [f"spotify:{kind}:{code:0>22}" for kind in ("track", "episode", "chapter")]
    nothing = {"spotify_track_uri": None, "master_metadata_track_name": None, "master_metadata_album_artist_name": None}
    saved = [{"artist": "A", "track": "T", "uri": f"spotify:track:{number:0>22}"} for number in range(2)]
    playlist = {"name": "typed", "items": [{"track": {"trackName": "T", "trackUri": saved[0]["uri"]}}]}
    rows = [
        play("2023-05-01T10:00:00Z", spotify_track_uri=uris[0], master_metadata_track_name=f"song {code}"),
        play(
            "2023-05-01T10:10:00Z",
            spotify_track_uri=uris[0][:-5] + "x" + uris[0][-4:],
            master_metadata_track_name=f"hidden {code}",
            incognito_mode=True,
        ),
        play(
            "2023-05-01T10:20:00Z",
            **nothing | {"spotify_episode_uri": uris[1], "episode_name": f"talk {code}", "episode_show_name": "S"},
        ),
        play(
            "2023-05-01T10:30:00Z",
            **nothing
            | {
                "audiobook_chapter_uri": uris[2],
                "audiobook_chapter_title": f"chapter {code}",
                "audiobook_title": "B",
                "audiobook_uri": None,
            },
        ),
    ]
    as_zip(
        study.study.inbox / code / "export.zip",
        {
            "MyData/Streaming.json": rows,
            "MyData/YourLibrary.json": {"tracks": saved, "albums": []},
            "MyData/Playlist1.json": {"playlists": [playlist]},
        },
    )
    with (study.study.surveys / "grid.csv").open("a", encoding="utf-8") as file:
        if not file.tell():
            file.write("participant_code,prompted_at,answered_at,instrument,item,answer\n")
        for item in ("valence", "arousal"):
            file.write(f"{code},2023-05-01T10:59:00+00:00,2023-05-01T11:00:00+00:00,affect_grid,{item},7\n")
    study.study.survey_maps.mkdir(exist_ok=True)
    (study.study.survey_maps / "grid.yml").write_text(GRID, encoding="utf-8")


def counted(study: SmallStudy) -> Counts:
    """Rows by code, purpose and relation."""
    found: Counts = {}
    with study.opened(warehouse=True) as connection:
        people = connection.execute("select participant_code, pseudonym from vault.raw.keyring").fetchall()
        for purpose, relations in NEEDS.items():
            for relation, condition in relations.items():
                if relation in ("features.feat_track_recordings", "features.feat_track_keys"):
                    owner = "(select split_part(title, ' ', 2) from warehouse.anonymized.anon_tracks where anon_tracks.track_id = relation.track_id)"
                elif relation in ("anonymized.anon_tracks", "features.feat_track_names", "marts.tracks"):
                    owner = "split_part(title, ' ', 2)"
                else:
                    owner = "participant_id"
                rows = dict(
                    connection.execute(
                        f"select {owner}, count(*) from warehouse.{relation} as relation where {condition} group by 1"
                    ).fetchall()
                )
                for code, pseudonym in people:
                    found[code, purpose, relation] = rows.get(code, 0) + rows.get(pseudonym, 0)
    return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[SmallStudy, Counts, Counts]:
    """A study of somebody who grants all, and two for each purpose; rows before and after amendments."""
    study = lay_out_small(tmp_path_factory.mktemp("purposes") / "study")
    take_part(study, "ALL", " ".join(PURPOSES))
    for number, purpose in enumerate(PURPOSES):
        take_part(study, f"NO{number}", without(purpose))
        take_part(study, f"TAKE{number}", " ".join(PURPOSES))
    study.load()
    study.dbt("run")
    before = counted(study)
    for number, purpose in enumerate(PURPOSES):
        study.consent(f"TAKE{number}", without(purpose), event="amended", at="2025-06-01T00:00:00+00:00")
    study.load()
    study.dbt("run")
    return study, before, counted(study)


def test_the_table_of_purposes_and_layers(runs: tuple[SmallStudy, Counts, Counts]) -> None:
    _, before, after = runs
    lines = TABLE.strip().splitlines()[:2]
    for number, purpose in enumerate(PURPOSES):
        for layer in LAYERS:
            relations = [relation for relation in NEEDS[purpose] if relation.startswith(layer)]
            if not relations:
                continue
            cells = [
                sum(counts[code, purpose, relation] for relation in relations)
                for counts, code in (
                    (before, "ALL"),
                    (before, f"NO{number}"),
                    (before, f"TAKE{number}"),
                    (after, f"TAKE{number}"),
                )
            ]
            lines.append(f"| {purpose} | {layer} | {' | '.join(map(str, cells))} |")
    assert lines == TABLE.strip().splitlines()
    assert TABLE.strip() in (PROJECT / "docs" / "consent.md").read_text(encoding="utf-8")


def test_a_purpose_taken_back_leaves_every_other_one_alone(runs: tuple[SmallStudy, Counts, Counts]) -> None:
    """Nothing of listening remains without listening_history, whatever else is granted; else all is as before."""
    _, before, after = runs
    of_listening = {"listening_history", "podcasts_audiobooks", "private_sessions"}
    for (code, purpose, relation), rows in after.items():
        whole = before["ALL", purpose, relation]
        lost = PURPOSES[int(code[-1])] if code != "ALL" else None
        if (
            purpose == lost
            or (
                lost == "listening_history"
                and (purpose in of_listening or relation in ("anonymized.anon_plays", "marts.library"))
            )
            or (relation == "marts.training_examples" and lost in TRAINING)
        ):
            assert rows == 0, (code, purpose, relation)
        elif purpose not in ("listening_history", "demographics") and lost != "listening_history":
            assert rows == whole > 0, (code, purpose, relation)


def test_no_relation_with_persons_is_forgotten(runs: tuple[SmallStudy, Counts, Counts]) -> None:
    study, before, _ = runs
    relations = study.warehouse(
        "select distinct schema_name || '.' || table_name from duckdb_columns() where column_name in ('participant_id', 'track_id') and not internal"
    )
    named = {relation for needs in NEEDS.values() for relation in needs}
    # Tracks that a feature source knows: there is no source here. Plays around reports: they follow from two
    # purposes, and are counted where they end, in marts.emotion_windows.
    assert {relation for (relation,) in relations} - named == {
        "features.feat_track_named_sources",
        "features.feat_track_sources",
        "features.feat_track_source_values",
        "features.feat_track_resolved_values",
        "features.feat_track_features",
        "features.feat_training_values",
        "features.feat_track_coverage",
        "features.feat_track_genres",
        "marts.track_genres",
        "features.feat_emotion_report_plays",
        "features.feat_training_window_features",
        "marts.emotion_window_features",
    }
    assert all(before["ALL", purpose, relation] for purpose, needs in NEEDS.items() for relation in needs)


def test_a_narrowed_window_and_a_withdrawal_take_effect_at_the_next_run(
    runs: tuple[SmallStudy, Counts, Counts],
) -> None:
    study, _, after = runs
    plays = [relation for relation in NEEDS["listening_history"] if "tracks" not in relation]
    study.consent(
        "NO5",
        without("library"),
        event="amended",
        at="2025-06-01T00:00:00+00:00",
        history=("2023-05-02", ""),
    )
    study.consent("ALL", "", event="withdrawn", at="2025-06-01T00:00:00+00:00")
    study.load()
    study.dbt("run")
    now = counted(study)
    for relation in plays:
        assert after["NO5", "listening_history", relation] > 0
        if relation not in ("anonymized.anon_row_accounting", "audit.row_accounting"):
            assert now["NO5", "listening_history", relation] == 0, relation
    fates = study.warehouse("select fate, sum(rows)::int from audit.row_accounting group by fate order by fate")
    assert ("outside_consent_window", 4) in fates
    assert {rows for (code, _, _), rows in now.items() if code == "ALL"} == {0}
