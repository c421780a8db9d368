-- One row is one name by which a participant is known outside, and by which texts are judged: the user
-- name of a donated account, or their code; of who was erased, what stands in its place. In small letters.
with members as (select * from {{ ref('stg_members') }}),

participants as (select * from {{ ref('stg_participants') }}),

consent_events as (select * from {{ ref('stg_consent_events') }}),

usernames as (
    {{ unnested('members', 'usernames', 'username') }}
),

names as (
    select lower(username) as name from usernames
    union
    select lower(participant_code) from participants
    union
    select participant_code from consent_events
    where participant_code like 'erased-%'
),

telling as (
    select name
    from names
    where {{ is_telling_name('name') }}
)

select * from telling
