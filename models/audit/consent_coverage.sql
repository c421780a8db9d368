-- One row is one relation that holds persons' data and one purpose that it needs: how many rows it
-- holds, and how many of them belong to somebody who does not grant that purpose (always 0).
{%- set spoken = "content_type in ('episode', 'audiobook')" %}
{%- set holdings = [
    ('anonymized.participants', 'anonymized_participants', 'demographics', 'coalesce(age_band, gender, country) is not null'),
    ('anonymized.plays', 'anonymized_plays', 'listening_history', 'true'),
    ('anonymized.plays', 'anonymized_plays', 'podcasts_audiobooks', spoken),
    ('anonymized.plays', 'anonymized_plays', 'private_sessions', 'is_private_session'),
    ('anonymized.plays', 'anonymized_plays', 'demographics', 'coalesce(country, cast(is_abroad as varchar)) is not null'),
    ('anonymized.emotion_answers', 'anonymized_emotion_answers', 'emotion_reports', 'true'),
    ('anonymized.library', 'anonymized_library', 'library', 'true'),
    ('sessionized.play_sessions', 'play_sessions', 'listening_history', 'true'),
    ('features.emotion_scores', 'emotion_scores', 'emotion_reports', 'true'),
    ('features.emotion_report_plays', 'emotion_report_plays', 'emotion_reports', 'true'),
    ('features.emotion_report_plays', 'emotion_report_plays', 'listening_history', 'true'),
    ('marts.plays', 'plays', 'listening_history', 'true'),
    ('marts.plays', 'plays', 'podcasts_audiobooks', spoken),
    ('marts.plays', 'plays', 'private_sessions', 'is_private_session'),
    ('marts.plays', 'plays', 'demographics', 'coalesce(country, cast(is_abroad as varchar)) is not null'),
    ('marts.sessions', 'sessions', 'listening_history', 'true'),
    ('marts.daily_listening', 'daily_listening', 'listening_history', 'true'),
    ('marts.library', 'library', 'library', 'true'),
    ('marts.emotion_reports', 'emotion_reports', 'emotion_reports', 'true'),
    ('marts.emotion_windows', 'emotion_windows', 'emotion_reports', 'true'),
] %}
with participants as (select * from {{ ref('anonymized_participants') }}),

held as (
    {%- for relation, model, purpose, condition in holdings %}
    select
        '{{ relation }}' as relation,
        '{{ purpose }}' as purpose,
        participant_id,
        count(*) as held_rows
    from {{ ref(model) }}
    where {{ condition }}
    group by participant_id
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

grants as (
    {%- for purpose in consent_purposes() %}
    select
        participant_id,
        '{{ purpose }}' as purpose
    from participants
    where grants_{{ purpose }}
    {{- '\n    union all' if not loop.last }}
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
