-- One row is one participant and one day of their (shifted) calendar on which a play began.
with plays as (select * from {{ ref('plays') }}),

days as (
    select
        participant_id,
        cast(started_at_local as date) as local_date,
        count(*) as plays,
        count(*) filter (where is_counted) as counted_plays,
        count(*) filter (where is_skip) as skips,
        count(is_skip) as plays_with_known_skip,
        count(distinct session_id) as sessions,
        count(distinct track_id) as tracks,
        cast(sum(ms_played) as bigint) as ms_played,
        count(valence) filter (where is_counted) as plays_with_features,
        avg(valence) filter (where is_counted) as mean_valence,
        avg(energy) filter (where is_counted) as mean_energy
    from plays
    group by participant_id, cast(started_at_local as date)
)

select * from days
