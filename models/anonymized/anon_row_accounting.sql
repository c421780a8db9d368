-- One row is one participant, history source and fate, how many landed rows have it. Persons
-- without an active consent are not named, not even by pseudonym: their rows are one sum.
with int_play_accounting as (
    select
        participant_no,
        history_source,
        fate,
        landed_rows
    from {{ ref('int_play_accounting') }}
),

int_listeners as (
    select
        participant_no,
        pseudonym,
        grants_listening_history
    from {{ ref('int_listeners') }}
),

named as (
    select
        case
            when int_listeners.grants_listening_history
                then {{ function('participant_pseudonym') }}(int_listeners.pseudonym)
            else 'no active consent'
        end as participant_id,
        int_play_accounting.history_source,
        {{ function('row_fate') }}(int_play_accounting.fate) as fate,
        int_play_accounting.landed_rows
    from int_play_accounting
    inner join int_listeners on int_play_accounting.participant_no = int_listeners.participant_no
)

select
    participant_id,
    history_source,
    fate,
    cast(sum(landed_rows) as bigint) as landed_rows
from named
group by participant_id, history_source, fate
