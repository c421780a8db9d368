-- One row is one person of whom the attacker sees a record, numbered.
with participants as (select * from warehouse.marts.participants),

plays as (select * from warehouse.marts.plays),

named as (
    select participant_id from participants
    union
    select participant_id from plays
),

numbered as (
    select
        cast(row_number() over (order by participant_id) as integer) as person,
        participant_id
    from named
)

select * from numbered
