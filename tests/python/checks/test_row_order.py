"""The order in which rows lie tells nothing of the list of participants, of the ledger or of what was heard first.

The rule D2_row_order_says_nothing finds it in any table. How far the orders agree is a matter of
chance: it is measured on ``CONSONANCE_TEST_ORDERS`` random studies, and not at all if that is not set.
"""

from __future__ import annotations

import os
import random
from itertools import combinations
from math import sqrt
from pathlib import Path

import duckdb
import pytest
from conftest import SmallStudy, as_zip, lay_out_small, play

from consonance.checks.rules import all_rules
from consonance.checks.study_checks import run_rules
from consonance.study.keyring import MAX_NUMBER, draw_number
from consonance.study.vault import open_study

STUDIES = int(os.environ.get("CONSONANCE_TEST_ORDERS", "0"))
PURPOSES = "listening_history podcasts_audiobooks demographics emotion_reports library ml_training"


def test_numbers_of_participants_are_drawn_until_one_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([4, 4, MAX_NUMBER - 1])
    monkeypatch.setattr("consonance.study.keyring.secrets.randbelow", lambda below: min(next(drawn), below - 1))
    assert draw_number({5}) == MAX_NUMBER


def random_study(root: Path, seed: int) -> SmallStudy:
    """12 to 20 people in an order of codes, one of enrolment and one of the ledger, each with a few plays and reports."""
    stream = random.Random(seed)
    made = lay_out_small(root)
    codes = [f"P{number:03}" for number in sorted(stream.sample(range(1000), stream.randint(12, 20)))]
    for code in stream.sample(codes, len(codes)):
        made.enrol(code)
    for code in stream.sample(codes, len(codes)):
        made.consent(code, PURPOSES)
    lines = ["participant_code,answered_at,instrument,item,answer"]
    for code in codes:
        rows = [
            play(
                f"2023-{stream.randint(1, 12):02}-{stream.randint(1, 28):02}T{stream.randint(0, 23):02}:{stream.randint(0, 59):02}:00Z",
                stream.randint(31_000, 200_000),
                spotify_track_uri=f"spotify:track:{track:022}",
                master_metadata_track_name=f"Track {track}",
            )
            for track in (stream.randint(0, 300) for _ in range(stream.randint(3, 12)))
        ]
        saved = [{"uri": row["spotify_track_uri"]} for row in rows[:2]]
        members = {"Streaming_History_Audio_2023.json": rows, "YourLibrary.json": {"tracks": saved}}
        as_zip(made.study.inbox / code / "export.zip", members)
        for day in stream.sample(range(1, 28), 2):
            lines += [
                f"{code},2023-05-{day:02}T12:00:00+00:00,affect_grid,{item},{stream.randint(1, 9)}"
                for item in ("valence", "arousal")
            ]
    (made.study.surveys / "grid.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    features = made.study.catalogue / "study_features"
    features.mkdir()
    heard = stream.sample(range(301), 200)
    values = [f"{track:022},{stream.random():.3f}" for track in heard]
    (features / "mine.csv").write_text("\n".join(["id,valence", *values]) + "\n", encoding="utf-8")
    return made


def also_prompt_and_fetch(made: SmallStudy) -> None:
    """Prompts of the reports, and what a service over the network said of every track, in the order of the vault; values
    of the study may be trained on. So no table that has persons or tracks is empty."""
    with open_study(made.study) as connection:
        connection.execute(
            """
            insert into vault.raw.survey_prompts by name
            select distinct participant_code, answered_at - interval 1 minute as prompted_at, answered_at, 'answered' as status, file, line
            from vault.raw.survey_answers;

            insert into vault.raw.fetched_tracks by name
            select distinct 'reccobeats' as source_id, substring(track_uri, 15) as spotify_id, timestamp '2025-01-01' as asked_at, 180000 as length_ms, true as is_known
            from vault.raw.extended_plays;

            insert into vault.raw.fetched_values by name
            select source_id, spotify_id, 'energy' as feature, 0.5 as value from vault.raw.fetched_tracks;

            insert into vault.raw.feature_permissions by name
            select 'study_features' as source_id, 'train' as scope, 'the agreement' as reference, false as is_expired;
            """
        )


def tau(one: list[str], other: list[str]) -> float:
    """Kendall's τ of two orders of the same things."""
    place = {thing: number for number, thing in enumerate(other)}
    signs = [1 if place[first] < place[second] else -1 for first, second in combinations(one, 2)]
    return sum(signs) / len(signs)


def tracks_as_heard(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, float, int]]:
    """Of every table without persons that has tracks: τ of their first appearance against when they were first heard
    (in the vault), and how many they are."""
    tables = connection.execute(
        """
        select schema_name || '.' || table_name, list(column_name)
        from duckdb_columns()
        where database_name = 'warehouse'
        group by all
        having not list_contains(list(column_name), 'participant_id') and list_has_any(list(column_name), ['track_id', 'spotify_uri', 'spotify_id'])
        """
    ).fetchall()
    heard = (
        "select track_uri from vault.raw.extended_plays where track_uri is not null group by all order by min(rowid)"
    )
    order = [uri for (uri,) in connection.execute(heard).fetchall()]
    found = []
    for table, columns in tables:
        uri = "tracks.spotify_uri" if "track_id" in columns else "'spotify:track:' || rows.spotify_id"
        if "spotify_uri" in columns:
            uri = "rows.spotify_uri"
        join = (
            "left join warehouse.anonymized.anon_tracks as tracks on rows.track_id = tracks.track_id"
            if "track_id" in columns
            else ""
        )
        there = [
            row[0]
            for row in connection.execute(
                f"select {uri} as uri from warehouse.{table} as rows {join} where uri is not null group by all order by min(rows.rowid)"
            ).fetchall()
        ]
        if len(there) > 1:
            found.append((table, tau(there, [track for track in order if track in set(there)]), len(there)))
    return found


def spread(things: int) -> float:
    """The standard deviation of τ between random orders (Kendall 1938)."""
    return sqrt(2 * (2 * things + 5) / (9 * things * (things - 1)))


@pytest.mark.skipif(not STUDIES, reason="measures by chance; set CONSONANCE_TEST_ORDERS to how many studies")
def test_first_appearances_agree_with_no_list_beyond_chance(tmp_path: Path) -> None:
    figures: dict[tuple[str, str], list[tuple[float, float]]] = {}
    (rule,) = [rule for rule in all_rules() if rule.name == "D2_row_order_says_nothing"]
    for seed in range(STUDIES):
        made = random_study(tmp_path / str(seed), seed)
        made.load()
        also_prompt_and_fetch(made)
        made.dbt("run")
        assert run_rules(made.study, [rule])[0].passed
        with made.opened(warehouse=True) as connection:
            lists = {
                "codes": "select pseudonym from vault.raw.keyring order by participant_code",
                "participant_no": "select pseudonym from vault.raw.keyring order by participant_no",
                "participants.csv": "select pseudonym from vault.raw.participants join vault.raw.keyring using (participant_code) order by participants.rowid",
                "consents.csv": "select pseudonym from vault.raw.consent_events join vault.raw.keyring using (participant_code) order by ledger_line",
                "loading": "select pseudonym from vault.raw.extended_plays join vault.raw.keyring using (participant_no) group by all order by min(extended_plays.rowid)",
                "surveys": "select pseudonym from vault.raw.survey_answers join vault.raw.keyring using (participant_code) group by all order by min(survey_answers.rowid)",
            }
            orders = {name: [row[0] for row in connection.execute(query).fetchall()] for name, query in lists.items()}
            tables = connection.execute(
                "select schema_name || '.' || table_name from duckdb_columns() where database_name = 'warehouse' and column_name = 'participant_id' order by all"
            ).fetchall()
            for (table,) in tables:
                there = [
                    row[0]
                    for row in connection.execute(
                        f"select participant_id from warehouse.{table} where participant_id <> 'no active consent' group by all order by min(rowid)"
                    ).fetchall()
                ]
                if len(there) < 2:
                    continue
                for name, order in orders.items():
                    listed = [person for person in order if person in there]
                    figures.setdefault((table, name), []).append((tau(there, listed), spread(len(there))))
            for table, agreement, tracks in tracks_as_heard(connection):
                figures.setdefault((table, "first heard"), []).append((agreement, spread(tracks)))
    for (table, name), found in sorted(figures.items()):
        mean = sum(value for value, _ in found) / len(found)
        beyond = sum(abs(value) > 1.96 * deviation for value, deviation in found)
        together = sum(value / deviation for value, deviation in found) / sqrt(len(found))
        print(f"{table:28} {name:18} mean τ {mean:+.3f}, beyond 95 %: {beyond} of {len(found)}, z {together:+.2f}")
        # One in ten thousand random orders.
        assert abs(together) < 3.9, (table, name)
