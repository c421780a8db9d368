-- One row is one relation that holds persons' data and one purpose that it needs: how many rows it
-- holds, and how many of them belong to somebody who does not grant that purpose (always 0).
-- The purposes that each model declares in its meta are read here. These models are made before:
-- depends_on: {{ ref('anon_participants') }}
-- depends_on: {{ ref('anon_plays') }}
-- depends_on: {{ ref('anon_emotion_answers') }}
-- depends_on: {{ ref('anon_emotion_prompts') }}
-- depends_on: {{ ref('anon_library') }}
-- depends_on: {{ ref('anon_row_accounting') }}
-- depends_on: {{ ref('ses_plays') }}
-- depends_on: {{ ref('feat_emotion_reports') }}
-- depends_on: {{ ref('feat_emotion_report_plays') }}
-- depends_on: {{ ref('feat_training_window_features') }}
-- depends_on: {{ ref('feat_emotion_scores') }}
-- depends_on: {{ ref('plays') }}
-- depends_on: {{ ref('participants') }}
-- depends_on: {{ ref('sessions') }}
-- depends_on: {{ ref('daily_listening') }}
-- depends_on: {{ ref('library') }}
-- depends_on: {{ ref('emotion_reports') }}
-- depends_on: {{ ref('emotion_scores') }}
-- depends_on: {{ ref('emotion_prompts') }}
-- depends_on: {{ ref('emotion_windows') }}
-- depends_on: {{ ref('emotion_window_features') }}
-- depends_on: {{ ref('training_examples') }}
-- depends_on: {{ ref('feature_coverage_of_participants') }}
-- depends_on: {{ ref('row_accounting') }}
with anon_participants as (select * from {{ ref('anon_participants') }}),

purpose_rows as (
    {{ rows_by_purpose() }}
),

grants as (
    {{ grants_by_purpose('anon_participants') }}
),

covered as (
    select
        purpose_rows.relation,
        purpose_rows.purpose,
        count(distinct purpose_rows.participant_id) as participants,
        cast(sum(purpose_rows.row_count) as bigint) as rows,
        cast(sum(case when grants.participant_id is null then purpose_rows.row_count else 0 end) as bigint) as rows_without_consent
    from purpose_rows
    left join grants
        on
            purpose_rows.participant_id = grants.participant_id
            and purpose_rows.purpose = grants.purpose
    -- Those without an active consent are one sum, not named even by pseudonym.
    where purpose_rows.participant_id <> 'no active consent'
    group by purpose_rows.relation, purpose_rows.purpose
)

select * from covered
