-- One row is one answer to one item of a questionnaire.
with source as (select * from {{ source('raw', 'survey_answers') }}),

renamed as (
    select
        participant_code,
        instrument,
        item,
        file,
        line,
        answer,
        {{ epoch_ms('answered_at') }} as answered_ms
    from source
)

select * from renamed
