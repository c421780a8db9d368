-- One row is one relation that holds persons' data and one purpose that it needs: how many rows it
-- holds, and how many of them belong to somebody who does not grant that purpose (always 0).
with participants as (select * from {{ ref('anonymized_participants') }}),

anonymized_plays as (select * from {{ ref('anonymized_plays') }}),

play_sessions as (select * from {{ ref('play_sessions') }}),

plays as (select * from {{ ref('plays') }}),

sessions as (select * from {{ ref('sessions') }}),

daily_listening as (select * from {{ ref('daily_listening') }}),

emotion_answers as (select * from {{ ref('anonymized_emotion_answers') }}),

emotion_reports as (select * from {{ ref('emotion_reports') }}),

emotion_windows as (select * from {{ ref('emotion_windows') }}),

held as (
    select 'anonymized.plays' as relation, 'listening_history' as purpose, participant_id, count(*) as held_rows from anonymized_plays group by participant_id
    union all
    select 'anonymized.plays', 'podcasts_audiobooks', participant_id, count(*) from anonymized_plays where content_type in ('episode', 'audiobook') group by participant_id
    union all
    select 'anonymized.plays', 'private_sessions', participant_id, count(*) from anonymized_plays where is_private_session group by participant_id
    union all
    select 'anonymized.plays', 'demographics', participant_id, count(*) from anonymized_plays where country is not null group by participant_id
    union all
    select 'sessionized.play_sessions', 'listening_history', participant_id, count(*) from play_sessions group by participant_id
    union all
    select 'marts.plays', 'listening_history', participant_id, count(*) from plays group by participant_id
    union all
    select 'marts.plays', 'podcasts_audiobooks', participant_id, count(*) from plays where content_type in ('episode', 'audiobook') group by participant_id
    union all
    select 'marts.plays', 'private_sessions', participant_id, count(*) from plays where is_private_session group by participant_id
    union all
    select 'marts.sessions', 'listening_history', participant_id, count(*) from sessions group by participant_id
    union all
    select 'marts.daily_listening', 'listening_history', participant_id, count(*) from daily_listening group by participant_id
    union all
    select 'anonymized.participants', 'demographics', participant_id, count(*) from participants where coalesce(age_band, gender, country) is not null group by participant_id
    union all
    select 'anonymized.emotion_answers', 'emotion_reports', participant_id, count(*) from emotion_answers group by participant_id
    union all
    select 'marts.emotion_reports', 'emotion_reports', participant_id, count(*) from emotion_reports group by participant_id
    union all
    select 'marts.emotion_windows', 'emotion_reports', participant_id, count(*) from emotion_windows group by participant_id
),

grants as (
    {%- for purpose in consent_purposes() %}
    select
        participant_id,
        '{{ purpose }}' as purpose
    from participants
    where grants_{{ purpose }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

covered as (
    select
        held.relation,
        held.purpose,
        count(distinct held.participant_id) as participants,
        cast(sum(held.held_rows) as bigint) as rows,
        cast(sum(case when grants.participant_id is null then held.held_rows else 0 end) as bigint) as rows_without_consent
    from held
    left join grants
        on
            held.participant_id = grants.participant_id
            and held.purpose = grants.purpose
    group by held.relation, held.purpose
)

select * from covered
