"""Analyses: what a row is of how many participants, and what is left out, on tables of a few rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from jinja2 import Environment

from consonance.study.dbt_command import PROJECT

MEASURES = (PROJECT / "macros" / "measures.sql").read_text(encoding="utf-8")


@pytest.fixture
def marts() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        yield connection


def asked(marts: duckdb.DuckDBPyConnection, name: str) -> list[dict[str, Any]]:
    """The rows of an analysis, whose models are the tables of ``marts``."""
    template = MEASURES + (PROJECT / "analyses" / f"{name}.sql").read_text(encoding="utf-8")
    found = marts.execute(Environment().from_string(template).render(ref=lambda model: f"marts.{model}"))
    columns = [column[0] for column in found.description or []]
    return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


def reports(marts: duckdb.DuckDBPyConnection, rows: str) -> None:
    """Tables of reports: of each the participant, the valence that it reports, and that of the music before it."""
    marts.execute(
        f"""
        create or replace table marts.emotion_windows as
        select *, 'before_60m' as emotion_window, 3 as plays_with_features
        from (values {rows}) as reports (participant_id, reported_valence, mean_valence)
        """
    )


def test_a_rate_that_is_known_of_one_participant_is_of_one(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute(
        """
        create table marts.sessions as
        select 'p' || range as participant_id, 60000 as duration_ms, 4 as plays, 1 as skips, if(range = 0, 4, 0) as plays_with_known_skip
        from range(35);
        create table marts.plays as
        select 'p' || range as participant_id, 'extended' as history_source, 'ios' as device_family, if(range < 2, true, null) as is_skip, true as is_shuffle
        from range(35);
        """
    )
    assert [row["participants"] for row in asked(marts, "session_length")] == [1]
    assert [row["participants"] for row in asked(marts, "devices_and_skips")] == [2]
    # A rate that is known of nobody is null, and gives nobody away.
    marts.execute("update marts.sessions set plays_with_known_skip = 0")
    assert [(row["participants"], row["skip_rate"]) for row in asked(marts, "session_length")] == [(35, None)]


def test_a_mean_that_is_known_of_one_participant_is_of_one(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute(
        """
        create table marts.emotion_windows as
        select 'p' || range as participant_id, 'before_60m' as emotion_window, 'panas' as instrument, 3 as plays_with_features,
            0.5 as reported_valence, 0.5 as reported_arousal, 20 as reported_positive_affect, if(range = 0, 10, null) as reported_negative_affect,
            0.5 as mean_valence, 0.5 as mean_energy, 0.5 as mean_danceability, if(range = 0, 120, null) as mean_tempo,
            60000 as ms_played, timestamp '2023-05-01 12:00:00' as reported_at_local
        from range(35);
        create table marts.participants as
        select distinct participant_id, timestamp '2023-01-01' as first_play_at_local, timestamp '2024-01-01' as last_play_at_local
        from marts.emotion_windows
        """
    )
    assert [row["participants"] for row in asked(marts, "features_by_mood_quadrant")] == [1]
    marts.execute("update marts.emotion_windows set emotion_window = 'before_180m'")
    assert [row["participants"] for row in asked(marts, "affect_and_listening_time")] == [1]


def test_the_slope_is_of_those_whose_music_differed(marts: duckdb.DuckDBPyConnection) -> None:
    each = ", ".join(f"('p{person}', 0.1, 0.{person})" for person in range(10, 43))
    # One participant's two reports make no slope, and three are one participant's.
    reports(marts, f"{each}, ('q', 0.1, 0.2), ('q', 0.5, 0.4)")
    (row,) = asked(marts, "music_valence_and_reported_valence")
    assert row == {"reports": 2, "participants": 1, "slope": None, "slope_from": None, "slope_to": None}
    reports(marts, f"{each}, ('q', 0.1, 0.2), ('q', 0.5, 0.4), ('q', 0.4, 0.3), ('r', 0.9, 0.5), ('r', 0.1, 0.5)")
    (row,) = asked(marts, "music_valence_and_reported_valence")
    assert (row["reports"], row["participants"], row["slope"]) == (3, 1, 2.0)


@pytest.mark.parametrize(
    "rows",
    [
        "('p', 0.1, 0.2)",
        "('p', 0.1, 0.2), ('q', 0.1, 0.2)",
        # The numbers of DuckDB leave a rest of less than nothing.
        "('p', 0.25, 0.475921), ('p', -0.75, 0.144922), ('q', 0.5, 0.3)",
        "('p', 0.1, 0.2), ('p', 0.3, 0.2)",
    ],
)
def test_too_few_reports_give_no_slope_and_no_error(marts: duckdb.DuckDBPyConnection, rows: str) -> None:
    reports(marts, rows)
    (row,) = asked(marts, "music_valence_and_reported_valence")
    assert row["slope"] is row["slope_from"] is row["slope_to"] is None


def test_a_slope_without_a_rest_is_exact(marts: duckdb.DuckDBPyConnection) -> None:
    for step in range(1, 60):
        rows = ", ".join(
            f"('p{person}', {step} / 7.0 * {number} / 9, {number} / 9.0)" for person in range(3) for number in range(3)
        )
        reports(marts, rows)
        (row,) = asked(marts, "music_valence_and_reported_valence")
        assert row["slope_from"] == row["slope"] == row["slope_to"] == pytest.approx(step / 7, abs=0.001)


def test_what_was_heard_beside_a_history_is_not_known(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute(
        """
        create table marts.participants as
        select * from (values
            ('p', timestamp '2023-05-01 10:00:00', timestamp '2023-05-03 10:00:00'), ('q', null, null)
        ) as participants (participant_id, first_play_at_local, last_play_at_local);
        create table marts.emotion_windows as
        select participant_id, timestamp '2023-05-01' + to_days(day) as reported_at_local, 'before_180m' as emotion_window, 'panas' as instrument,
            20 as reported_positive_affect, 10 as reported_negative_affect, 0 as ms_played
        from (values ('p', 0), ('p', 1), ('p', 2), ('p', 3), ('q', 1)) as reports (participant_id, day)
        """
    )
    assert [(row["listening_before"], row["reports"]) for row in asked(marts, "affect_and_listening_time")] == [
        ("0: none", 2)
    ]


def test_a_participant_whose_music_is_found_in_two_ways_counts_once_and_every_participant_does(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    marts.execute(
        """
        create table marts.tracks as
        select * from (values (1, 'archive'), (2, 'archive'), (3, null)) as tracks (track_id, valence_source);
        create table marts.plays as
        select *, 'track' as content_type from (values
            ('p', 'extended', 1), ('p', 'account', 1), ('p', 'extended', 2), ('q', 'extended', 2), ('r', 'account', 2), ('r', 'account', 3)
        ) as plays (participant_id, history_source, track_id);
        create table marts.feature_coverage as
        select 'valence' as feature, 'all' as grouped_by, * from (values
            ('extended', 'archive', 'spotify_id', true, 1, 1), ('extended', 'archive', 'same_names', true, 1, 2), ('account', 'archive', 'same_names', true, 1, 1),
            ('account', 'none', 'none', false, 1, 1)
        ) as coverage (history_source, feature_source, match_method, may_train_models, tracks, participants)
        """
    )
    found = {row["feature_source"]: row for row in asked(marts, "coverage_by_source")}
    assert found["archive"]["participants"] == 3 and found["archive"]["tracks"] == 2 and found["archive"]["plays"] == 5
    assert found["none"]["participants"] == 1 and found["none"]["share_of_plays"] == pytest.approx(0.167)


def test_those_without_a_consent_are_not_counted_as_one_participant(marts: duckdb.DuckDBPyConnection) -> None:
    marts.execute(
        """
        create table marts.row_accounting as
        select * from (values
            ('p', 'extended', 'kept', 5), ('p', 'extended', 'purpose_not_granted', 2), ('no active consent', 'extended', 'purpose_not_granted', 7),
            ('no active consent', 'account', 'purpose_not_granted', 9)
        ) as accounting (participant_id, history_source, fate, rows)
        """
    )
    found = {
        (row["history_source"], row["fate"]): (row["participants"], row["landed_rows"])
        for row in asked(marts, "fates_of_donated_rows")
    }
    assert found == {
        ("extended", "kept"): (1, 5), ("extended", "purpose_not_granted"): (1, 9), ("account", "purpose_not_granted"): (None, 9),
    }  # fmt: skip
