"""Marts as small as a test likes, with the columns that the contracts of the models promise; no dbt runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb
import yaml

from consonance.report.reading import Origin
from consonance.study.dbt_command import PROJECT

# What is planted: see the statements.
WITHIN = 0.35
PERSONS = 60


@dataclass(frozen=True)
class Shape:
    """What a study is like.

    Attributes:
        persons, days: How many; each person reports five times a day.
        has_reports, has_features, has_prompts, has_plays: What there is at all.
        is_alike: Everyone hears and reports the same.
        strangers: So many of the persons donate nothing and report nothing.
        effect: Reported valence per unit of the valence of the music in the hour before.
    """

    persons: int = PERSONS
    days: int = 8
    has_reports: bool = True
    has_features: bool = True
    has_prompts: bool = True
    has_plays: bool = True
    is_alike: bool = False
    strangers: int = 0
    effect: float = WITHIN


@cache
def contracts() -> dict[str, dict[str, str]]:
    """Of every mart its columns with their types."""
    models = yaml.safe_load((PROJECT / "models/marts/_marts__models.yml").read_text(encoding="utf-8"))["models"]
    return {model["name"]: {column["name"]: column["data_type"] for column in model["columns"]} for model in models}


def make(path: Path, shape: Shape) -> Origin:
    """A database with the marts of a study of this shape."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("set TimeZone = 'UTC'; create schema marts")
        for mart, columns in contracts().items():
            typed = ", ".join(f'"{name}" {data_type}' for name, data_type in columns.items())
            connection.execute(f"create table marts.{mart} ({typed})")
        for name, value in vars(shape).items():
            connection.execute(f"set variable {name} = {value}")
        connection.execute(STATEMENTS)
    return Origin(path, f"A study of {shape.persons}", "study")


# A number from 0 to 1, another one for each key.
STATEMENTS = """
create temp macro draw(name, key) as case when getvariable('is_alike') then 0.5 else hash(name || '-' || key) / 18446744073709551616.0 end;
create temp macro normal(name, key) as (draw(name || 'a', key) + draw(name || 'b', key) + draw(name || 'c', key) + draw(name || 'd', key) - 2) * 1.732;

create temp table people as
select i as person, 'p' || lpad(cast(i as varchar), 4, '0') as participant_id, 0.35 + 0.3 * draw('taste', i) as taste, 0.15 * normal('mood', i) as mood
from range(getvariable('persons')) as numbers (i);

insert into marts.participants by name
select participant_id, case when draw('age', person) < 0.55 then '18-24' when draw('age', person) < 0.9 then '25-34' else '65 or older' end as age_band,
    case when draw('gender', person) < 0.5 then 'female' else 'male' end as gender, 'DE' as country, false as is_time_zone_assumed,
    true as grants_emotion_reports, true as grants_ml_training, true as grants_sharing_controlled, false as grants_sharing_public,
    case when getvariable('has_plays') and person >= getvariable('strangers') and person % 20 <> 7 then 400 else 0 end as plays, 300 as counted_plays, 40 as sessions, 90 as tracks, 40 * 3600000 as ms_played,
    timestamp '2020-01-06' + to_days(cast(7 * person as integer)) as first_play_at_local, timestamp '2020-01-06' + to_days(cast(7 * person + 700 as integer)) as last_play_at_local
from people;

insert into marts.plays by name
select 400 * person + n as play_id, participant_id, n // 10 as session_id, n % 40 as track_id,
    timestamp '2020-01-06' + to_days(cast(7 * person + n * 7 // 4 as integer)) + to_minutes(cast(60 * (6 + floor(17 * sqrt(draw('hour', 400 * person + n)))) + n % 60 as integer)) as started_at_local,
    200000 as ms_played, n % 4 > 0 as is_counted, n % 7 = 0 as is_skip, n % 3 = 0 as is_shuffle, false as is_abroad, 'track' as content_type, 'extended' as history_source
from people, range(400) as plays (n)
where participant_id in (select participant_id from marts.participants where plays > 0);

insert into marts.tracks by name
select distinct track_id, 'track' as content_type, 40 - track_id + 1 as plays, 1 as participants, false as is_private,
    case when getvariable('has_features') and track_id % 5 < 4 then 0.5 end as valence
from marts.plays;

create temp table reports as
select 1000 * person + 5 * day + n as report_id, 0.2 * normal('day', 1000 * person + day) as day_mood, participant_id, taste, mood,
    timestamp '2021-03-01' + to_days(cast(7 * person + day as integer)) + to_minutes(cast(60 * (9 + 3 * n) + 60 * draw('minute', 1000 * person + 5 * day + n) as integer)) as reported_at_local,
    9 + 3 * n as hour, greatest(0, least(1, taste + 0.18 * normal('music', 1000 * person + 5 * day + n))) as music_valence,
    greatest(0, least(1, 0.3 + 0.1 * n + 0.05 * normal('energy', 1000 * person + 5 * day + n))) as music_energy,
    draw('known', 1000 * person + 5 * day + n) < 0.8 as is_known, draw('prompt', 1000 * person + 5 * day + n) as luck
from people, range(getvariable('days')) as days (day), range(5) as prompts (n)
where getvariable('has_reports') and person >= getvariable('strangers');

create temp table answered as
select *, greatest(-1, least(1, mood + day_mood + getvariable('effect') * (music_valence - 0.5) + 0.2 * normal('valence', report_id))) as valence,
    greatest(-1, least(1, -0.4 + 0.2 * (hour - 9) / 3 + 0.2 * normal('arousal', report_id))) as arousal
from reports;

-- On days of bad mood more prompts are missed.
create temp table prompted as
select *, luck < 0.75 + day_mood as is_answered
from answered;

insert into marts.emotion_reports by name
select report_id, participant_id, 'affect_grid' as instrument, reported_at_local, valence, arousal, 2 as items_expected, 2 as items_answered, 'scored' as score_status
from prompted where is_answered;

insert into marts.emotion_prompts by name
select cast(row_number() over (order by report_id) as bigint) as prompt_id, participant_id, case when is_answered then report_id end as report_id, reported_at_local - interval 4 minute as prompted_at_local,
    case when is_answered then reported_at_local end as answered_at_local, case when is_answered then 'answered' else 'unanswered' end as status, case when is_answered then 240000 end as delay_ms
from prompted where getvariable('has_prompts');

create temp table windows as
select report_id, participant_id, reported_at_local, valence, arousal, music_valence, music_energy, is_known and getvariable('has_features') and getvariable('has_plays') as is_known,
    direction, minutes, direction || '_' || minutes || 'm' as emotion_window
from prompted, (select unnest(['before', 'after']) as direction) as directions, (select unnest([15, 30, 60, 180]) as minutes) as lengths
where is_answered;

insert into marts.emotion_windows by name
select report_id, participant_id, 'affect_grid' as instrument, emotion_window, direction, minutes as window_minutes, reported_at_local,
    valence as reported_valence, arousal as reported_arousal, 5 as plays, 4 as counted_plays, case when is_known then 4 else 0 end as plays_with_features
from windows;

insert into marts.emotion_window_features by name
select report_id, participant_id, emotion_window, feature, 4 as plays_with_value, 1.0 as coverage,
    case when feature = 'valence' then music_valence else music_energy end + 0.02 * normal(feature || emotion_window, report_id) as mean
from windows, (select unnest(['valence', 'energy']) as feature) as features
where is_known;

create temp table heard as
select *, case when is_known then music_valence end as mean_valence from windows where emotion_window = 'before_60m';

insert into marts.training_examples by name
select report_id, participant_id, 'affect_grid' as instrument, emotion_window, reported_at_local, hour(reported_at_local) as hour_local, isodow(reported_at_local) as weekday_local,
    valence, lag(valence) over previous as previous_valence, cast(hash(participant_id) % 5 as integer) as fold,
    mean_valence, mean_valence - avg(mean_valence) over (partition by participant_id) as mean_valence_within, avg(mean_valence) over (partition by participant_id) as mean_valence_between,
    mean_valence is null as mean_valence_missing
from heard
window previous as (partition by participant_id order by reported_at_local, report_id);

insert into marts.feature_coverage by name
select 'extended' as history_source, 'all' as grouped_by, 'all' as group_name, feature, source as feature_source, 'spotify_id' as match_method, source = 'synthetic' as may_train_models,
    getvariable('persons') as participants, 30 as tracks, plays, plays as counted_plays, plays / 1000.0 as share_of_plays
from (values ('valence', 'synthetic', 600), ('valence', 'spotify_archive', 150), ('valence', 'none', 250), ('energy', 'synthetic', 700), ('energy', 'none', 300)) as known (feature, source, plays)
where getvariable('has_plays') and (getvariable('has_features') or source = 'none') and getvariable('persons') > 0;

insert into marts.feature_coverage_of_participants by name
select participant_id, 'valence' as feature, 400 as plays, 300 as covered_plays, case when getvariable('has_features') then 0.3 + 0.6 * draw('coverage', person) else 0 end as share_of_plays
from people where getvariable('has_plays');

-- Of one person alone it is known whether plays of known music were skipped.
insert into marts.feature_coverage_differences by name
select 'valence' as feature, characteristic, case when characteristic = 'is_skip' then 1 else getvariable('persons') end as covered_participants, getvariable('persons') as uncovered_participants,
    3000 as covered_plays, 1000 as uncovered_plays, 1.0 as covered_mean, 0.9 as uncovered_mean, difference as standardised_difference
from (values ('log_plays_of_track', 0.42), ('is_skip', -0.12), ('is_at_night', 0.01), ('is_shuffle', 0.0)) as differences (characteristic, difference)
where getvariable('has_features') and getvariable('has_plays') and getvariable('persons') > 0;
"""
