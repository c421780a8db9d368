-- One row is one hour of the day, in the participant's local time: what part of their listening began in it.
with hours as (
    select
        cast(hour(make_timestamp_ms(started_ms + start_offset_ms)) as integer) as hour,
        sum(ms_played) as ms_played
    from vault.intermediate.int_play_fates
    where participant_no = $participant_no and fate = 'kept'
    group by hour
)

select
    cast(hour as double) + 0.5 as middle,
    cast(100 as double) * ms_played / sum(ms_played) over () as percent
from hours
where ms_played > 0
order by middle
