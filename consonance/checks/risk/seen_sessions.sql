-- One row is one session of a person whose shift is attacked, on the (shifted) local time of the marts, and when
-- the next one began.
with sessions as (select * from warehouse.marts.sessions),

targets as (select * from temp.targets),

placed as (
    select
        targets.person,
        sessions.session_id,
        epoch_ms(sessions.started_at_local) as started_ms,
        epoch_ms(sessions.ended_at_local) as ended_ms,
        sessions.session_gap_minutes * 60000 as gap_ms,
        lead(epoch_ms(sessions.started_at_local)) over (
            partition by targets.person
            order by sessions.session_no
        ) as next_started_ms
    from sessions
    inner join targets on sessions.participant_id = targets.participant_id
)

select * from placed
