-- How much, how and what does each participant listen? The ten measures of macros/measures.sql. One row is one participant.
with plays as (select * from {{ ref('plays') }}),

sessions as (select * from {{ ref('sessions') }}),

of_plays as (
    select
        participant_id,
        {{ listening_minutes() }} as listening_minutes,
        {{ counted_plays() }} as counted_plays,
        {{ skip_rate() }} as skip_rate,
        {{ shuffle_rate() }} as shuffle_rate,
        {{ tracks_heard() }} as tracks_heard,
        {{ plays_per_track() }} as plays_per_track,
        {{ exposure_to('valence') }} as exposure_to_valence,
        {{ known_share_of('valence') }} as known_share_of_valence
    from plays
    group by participant_id
),

of_sessions as (
    select
        participant_id,
        {{ session_minutes() }} as session_minutes,
        {{ plays_per_session() }} as plays_per_session
    from sessions
    group by participant_id
),

measures as (
    select
        of_plays.participant_id,
        of_plays.counted_plays,
        of_plays.tracks_heard,
        round(of_plays.listening_minutes, 1) as listening_minutes,
        round(of_plays.skip_rate, 3) as skip_rate,
        round(of_plays.shuffle_rate, 3) as shuffle_rate,
        round(of_plays.plays_per_track, 2) as plays_per_track,
        round(of_plays.exposure_to_valence, 3) as exposure_to_valence,
        round(of_plays.known_share_of_valence, 3) as known_share_of_valence,
        round(of_sessions.session_minutes, 1) as session_minutes,
        round(of_sessions.plays_per_session, 1) as plays_per_session
    from of_plays
    inner join of_sessions on of_plays.participant_id = of_sessions.participant_id
)

select * from measures
order by participant_id
