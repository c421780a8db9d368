-- One row is one participant, history source and fate, with how many landed rows met it. Persons
-- without an active consent are not named, not even by pseudonym: their rows are one sum.
with play_account as (
    select
        participant_no,
        history_source,
        fate,
        landed_rows
    from {{ ref('play_account') }}
),

listeners as (
    select
        participant_no,
        pseudonym,
        grants_listening_history
    from {{ ref('listeners') }}
),

named as (
    select
        case
            when listeners.grants_listening_history
                then {{ function('participant_pseudonym') }}(listeners.pseudonym)
            else 'no active consent'
        end as participant_id,
        play_account.history_source,
        {{ function('row_fate') }}(play_account.fate) as fate,
        play_account.landed_rows
    from play_account
    inner join listeners on play_account.participant_no = listeners.participant_no
)

select
    participant_id,
    history_source,
    fate,
    cast(sum(landed_rows) as bigint) as landed_rows
from named
group by participant_id, history_source, fate
