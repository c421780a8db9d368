-- One row is one of the fifteen artists that the participant heard longest.
select
    creator as artist,
    count(*) as plays,
    cast(sum(ms_played) as double) / 3600000 as hours
from vault.intermediate.int_play_fates
where participant_no = $participant_no and fate = 'kept' and content_type = 'track' and creator is not null
group by creator
order by hours desc, artist
limit 15
