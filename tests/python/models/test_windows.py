"""Nothing after a report changes what is called before it: the models' own SQL, on random plays in memory."""

from __future__ import annotations

from functools import cache
from typing import Any

import duckdb
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from consonance.study.dbt_command import PROJECT
from consonance.study.shared_macros import with_macros

MACROS = ("consent.sql", "emotion_windows.sql", "time.sql", "audio_features.sql", "folds.sql", "reading.sql")
VARIABLES = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
# In the order in which they are built.
MODELS = (
    "sessionized/ses_plays", "features/feat_emotion_reports", "features/feat_emotion_report_plays", "marts/plays",
    "marts/tracks", "marts/emotion_window_features", "features/feat_training_window_features", "marts/emotion_windows",
)  # fmt: skip
MINUTE = 60_000
DAY = 24 * 60
# What stands for the models that have nothing to do with time.
GIVEN = f"""
create table anon_participants as select 'p' as participant_id, true as grants_ml_training, true as grants_emotion_reports, true as grants_listening_history;
create table audio_features as select unnest({VARIABLES["audio_features"]}) as feature;
create table feat_track_resolved_values as
select track_id, feature, (track_id * 7 + length(feature)) % 10 / 10.0 as value
from range(6) as tracks (track_id), audio_features where (track_id + length(feature)) % 3 > 0;
create table feat_training_values as from feat_track_resolved_values where track_id % 2 = 0;
create table anon_tracks as
select track_id, 'track' as content_type, null as spotify_uri, null as title, 'Artist ' || track_id // 2 as creator, null as album, false as is_private
from range(6) as tracks (track_id);
create table feat_track_features as
pivot (select track_id, feature, value from feat_track_resolved_values) on feature in {tuple(VARIABLES["audio_features"])} using max(value);
alter table feat_track_features add column duration_ms bigint;
"""
for name in ("feature_source", "match_method", "match_confidence", "duration_ms_source"):
    GIVEN += f"alter table feat_track_features add column {name} varchar;\n"
for name in VARIABLES["audio_features"]:
    GIVEN += f"alter table feat_track_features add column {name}_source varchar;\n"


@cache
def compiled(model: str) -> str:
    """The SQL of a model, as dbt compiles it, but that every relation is called by its name alone."""
    text = (PROJECT / "models" / f"{model}.sql").read_text(encoding="utf-8")
    return with_macros(text, MACROS, ref=lambda relation: relation, var=VARIABLES.__getitem__)


Play = tuple[int, int, int, bool]


def before(plays: list[Play], report: int) -> dict[str, list[tuple[Any, ...]]]:
    """All that is called before, of a report in minute ``report``; plays are (start, minutes, track, is private)."""
    with duckdb.connect() as connection:
        connection.execute(GIVEN)
        connection.execute(
            "create table anon_emotion_answers as select 1::bigint as report_id, 'p' as participant_id, 'i' as instrument, $at::bigint as answered_elapsed_ms, make_timestamp_ms($at::bigint) as answered_at_local",
            {"at": report * MINUTE},
        )
        connection.execute(
            "create table emotion_reports as select report_id, participant_id, instrument, answered_at_local as reported_at_local, 0.5 as valence, 0.5 as arousal, null::double as positive_affect, null::double as negative_affect from anon_emotion_answers"
        )
        connection.execute(
            """
            create table anon_plays as
            select
                -- The id of a play does not depend on the others.
                (hash(play) // 2)::bigint as play_id, 'p' as participant_id, play.track::bigint as track_id,
                make_timestamp_ms(play.start * 60000) as started_at_local,
                (play.start * 60000)::bigint as started_elapsed_ms,
                ((play.start + play.minutes) * 60000)::bigint as ended_elapsed_ms,
                (play.minutes * 60000)::bigint as ms_played, 'exact' as start_quality, 'track' as content_type,
                'trackdone' as reason_start, if(play.track % 2 = 0, 'fwdbtn', 'trackdone') as reason_end,
                false as is_shuffle, play.private as is_offline,
                play.private as is_private_session, 'android' as device_family, 'DE' as country, false as is_abroad,
                'extended' as history_source
            from (select distinct unnest($plays) as play)
            """,
            {"plays": [dict(zip(("start", "minutes", "track", "private"), play, strict=True)) for play in plays]},
        )
        for model in MODELS:
            connection.execute(f"create table {model.split('/')[1]} as {compiled(model)}")
        return {
            table: connection.execute(
                f"select columns(c -> c not in ('participant_id')) from {table} where emotion_window like '%before%' order by all"
            ).fetchall()
            for table in ("emotion_windows", "emotion_window_features", "feat_training_window_features")
        }


REPORT = 3 * DAY
# Most plays near the report: within three hours, or on the day before.
starts = st.one_of(
    st.integers(REPORT - 200, REPORT + 200), st.integers(REPORT - 2 * DAY, REPORT + 200), st.integers(0, REPORT)
)
plays = st.lists(st.tuples(starts, st.integers(0, 90), st.integers(0, 5), st.booleans()), max_size=12, unique=True)


@settings(max_examples=20, deadline=None)
@given(plays, plays)
def test_nothing_after_a_report_changes_what_is_before_it(earlier: list[Play], later: list[Play]) -> None:
    heard = [play for play in earlier if play[0] + play[1] < REPORT]
    # They end at the report or after it; some begin long before it, and join what would be two sessions.
    after = [(start, max(minutes, REPORT - start), *rest) for start, minutes, *rest in later]
    assert before([*heard, *after], REPORT) == before(heard, REPORT)


def test_the_windows_are_those_of_a_slow_count() -> None:
    """What the property rests on: the windows hold something, and what they should."""
    heard = [(REPORT - 170, 3, 0, False), (REPORT - 100, 4, 1, True), (REPORT - 61, 1, 1, False), (REPORT - 20, 10, 2, False), (REPORT - DAY, 5, 3, False)]  # fmt: skip
    found = before([*heard, (REPORT - 5, 5, 4, False), (REPORT - 200, 300, 5, False)], REPORT)
    with_plays = {row[2]: row for row in found["emotion_windows"]}
    for minutes in (15, 30, 60, 180):
        within = [play for play in heard if REPORT - minutes <= play[0] + play[1] < REPORT]
        row = with_plays[f"before_{minutes}m"]
        assert len(within) in row, (minutes, row)
    assert found["emotion_window_features"] and found["feat_training_window_features"]
