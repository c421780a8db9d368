-- One row is one participant.
with anon_participants as (select * from {{ ref('anon_participants') }}),

plays as (select * from {{ ref('plays') }}),

listening as (
    select
        participant_id,
        count(*) as plays,
        count(*) filter (where is_counted) as counted_plays,
        count(distinct session_id) as sessions,
        count(distinct track_id) as tracks,
        sum(ms_played) as ms_played,
        min(started_at_local) as first_play_at_local,
        max(ended_at_local) as last_play_at_local
    from plays
    group by participant_id
),

joined as (
    select
        anon_participants.participant_id,
        anon_participants.age_band,
        anon_participants.gender,
        anon_participants.country,
        anon_participants.is_time_zone_assumed,
        anon_participants.grants_emotion_reports,
        anon_participants.grants_ml_training,
        anon_participants.grants_sharing_controlled,
        anon_participants.grants_sharing_public,
        coalesce(listening.plays, 0) as plays,
        coalesce(listening.counted_plays, 0) as counted_plays,
        coalesce(listening.sessions, 0) as sessions,
        coalesce(listening.tracks, 0) as tracks,
        cast(coalesce(listening.ms_played, 0) as bigint) as ms_played,
        listening.first_play_at_local,
        listening.last_play_at_local
    from anon_participants
    left join listening on anon_participants.participant_id = listening.participant_id
)

select * from joined
