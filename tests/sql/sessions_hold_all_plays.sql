-- Sessions partition the plays: their numbers of plays add up to the plays. Otherwise a play would be
-- missing from, or doubled in, everything that counts by session.
with sessions as (select * from {{ ref('sessions') }}),

plays as (select * from {{ ref('plays') }}),

totals as (
    select
        (select sum(plays) from sessions) as plays_in_sessions,
        (select count(*) from plays) as plays
)

select *
from totals
where coalesce(plays_in_sessions, 0) <> plays
