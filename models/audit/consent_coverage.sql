-- One row is one relation that holds persons' data and one purpose that it needs: how many rows it
-- holds, and how many of them belong to somebody who does not grant that purpose (always 0).
-- What each model declares in its meta is read here; these are made before:
-- depends_on: {{ ref('anon_participants') }}
-- depends_on: {{ ref('anon_plays') }}
-- depends_on: {{ ref('anon_emotion_answers') }}
-- depends_on: {{ ref('anon_library') }}
-- depends_on: {{ ref('anon_row_account') }}
-- depends_on: {{ ref('ses_plays') }}
-- depends_on: {{ ref('feat_emotion_report_plays') }}
-- depends_on: {{ ref('feat_emotion_scores') }}
-- depends_on: {{ ref('plays') }}
-- depends_on: {{ ref('participants') }}
-- depends_on: {{ ref('sessions') }}
-- depends_on: {{ ref('daily_listening') }}
-- depends_on: {{ ref('library') }}
-- depends_on: {{ ref('emotion_reports') }}
-- depends_on: {{ ref('emotion_windows') }}
-- depends_on: {{ ref('row_accounting') }}
with participants as (select * from {{ ref('anon_participants') }}),

held as (
    {{ rows_by_purpose() }}
),

grants as (
    {{ grants_by_purpose('participants') }}
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
    -- Those without an active consent are one sum, not named even by pseudonym.
    where held.participant_id <> 'no active consent'
    group by held.relation, held.purpose
)

select * from covered
