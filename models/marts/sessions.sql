-- One row is one listening session.
with plays as (select * from {{ ref('plays') }}),

ses_plays as (select * from {{ ref('ses_plays') }}),

session_numbers as (
    select
        play_id as session_id,
        participant_id,
        session_no
    from ses_plays
    where play_id = session_id
),

totals as (
    select
        session_id,
        min(started_at_local) as started_at_local,
        max(ended_at_local) as ended_at_local,
        count(*) as plays,
        count(*) filter (where is_counted) as counted_plays,
        count(*) filter (where is_skip) as skips,
        count(is_skip) as plays_with_known_skip,
        count(distinct track_id) as tracks,
        sum(ms_played) as ms_played,
        count(valence) filter (where is_counted) as plays_with_features,
        avg(valence) filter (where is_counted) as mean_valence,
        avg(energy) filter (where is_counted) as mean_energy,
        avg(danceability) filter (where is_counted) as mean_danceability
    from plays
    group by session_id
),

joined as (
    select
        totals.session_id,
        session_numbers.participant_id,
        session_numbers.session_no,
        totals.started_at_local,
        totals.ended_at_local,
        {{ epoch_ms('totals.ended_at_local') }} - {{ epoch_ms('totals.started_at_local') }} as duration_ms,
        cast(totals.ms_played as bigint) as ms_played,
        totals.plays,
        totals.counted_plays,
        totals.tracks,
        totals.skips,
        totals.plays_with_known_skip,
        totals.plays_with_features,
        totals.mean_valence,
        totals.mean_energy,
        totals.mean_danceability,
        cast({{ var('session_gap_minutes') }} as integer) as session_gap_minutes
    from totals
    inner join session_numbers on totals.session_id = session_numbers.session_id
)

select * from joined
