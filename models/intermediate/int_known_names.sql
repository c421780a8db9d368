-- One row is one name by which a participant is known outside, and for which texts are searched: the user
-- name of a donated account, or the participant code; of an erased participant, what replaces the code. In small letters.
with stg_members as (select * from {{ ref('stg_members') }}),

stg_participants as (select * from {{ ref('stg_participants') }}),

stg_consent_events as (select * from {{ ref('stg_consent_events') }}),

usernames as (
    {{ unnested('stg_members', 'usernames', 'username') }}
),

names as (
    select lower(username) as name from usernames
    union
    select lower(participant_code) from stg_participants
    union
    select participant_code from stg_consent_events
    where participant_code like 'erased-%'
),

distinctive as (
    select name
    from names
    where {{ is_distinctive_name('name') }}
)

select * from distinctive
