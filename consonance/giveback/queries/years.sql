-- One row is one year of the participant's listening, in their local time: plays that the study uses.
select
    cast(year(make_timestamp_ms(started_ms + start_offset_ms)) as integer) as year,
    count(*) as plays,
    cast(sum(ms_played) as double) / 3600000 as hours
from vault.intermediate.int_play_fates
where participant_no = $participant_no and fate = 'kept'
group by year
order by year
