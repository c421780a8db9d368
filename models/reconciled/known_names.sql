-- One row is one name by which a participant is known outside: the user name of a donated account,
-- or their code. In small letters.
with members as (select * from {{ ref('stg_members') }}),

participants as (select * from {{ ref('stg_participants') }}),

usernames as (
    {{ unnested('members', 'usernames', 'username') }}
),

names as (
    select lower(username) as name from usernames
    union
    select lower(participant_code) from participants
)

select * from names
