-- One row is one prompt, or one questionnaire that was begun.
with source as (select * from {{ source('raw', 'survey_prompts') }}),

renamed as (
    select
        participant_code,
        status,
        file,
        line,
        {{ epoch_ms('prompted_at') }} as prompted_ms,
        {{ epoch_ms('opened_at') }} as opened_ms,
        {{ epoch_ms('answered_at') }} as answered_ms,
        {{ epoch_ms('expires_at') }} as expires_ms
    from source
)

select * from renamed
