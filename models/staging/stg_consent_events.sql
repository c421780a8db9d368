-- One row is one line of the consent ledger.
with source as (select * from {{ source('raw', 'consent_events') }}),

renamed as (
    select
        ledger_line,
        participant_code,
        event,
        purposes,
        form_version,
        history_from,
        history_to,
        {{ epoch_ms('occurred_at') }} as occurred_ms
    from source
)

select * from renamed
