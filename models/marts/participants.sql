-- One row is one participant.
with anonymized_participants as (select * from {{ ref('anonymized_participants') }}),

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
        anonymized_participants.participant_id,
        anonymized_participants.age_band,
        anonymized_participants.gender,
        anonymized_participants.country,
        anonymized_participants.is_time_zone_assumed,
        anonymized_participants.grants_emotion_reports,
        anonymized_participants.grants_ml_training,
        anonymized_participants.grants_sharing_controlled,
        anonymized_participants.grants_sharing_public,
        coalesce(listening.plays, 0) as plays,
        coalesce(listening.counted_plays, 0) as counted_plays,
        coalesce(listening.sessions, 0) as sessions,
        coalesce(listening.tracks, 0) as tracks,
        cast(coalesce(listening.ms_played, 0) as bigint) as ms_played,
        listening.first_play_at_local,
        listening.last_play_at_local
    from anonymized_participants
    left join listening on anonymized_participants.participant_id = listening.participant_id
)

select * from joined
