-- One row is one of the fifteen tracks that the participant heard most often.
select
    title as track,
    creator as artist,
    count(*) as plays,
    cast(sum(ms_played) as double) / 3600000 as hours
from vault.intermediate.int_play_fates
where participant_no = $participant_no and fate = 'kept' and content_type = 'track' and title is not null
group by title, creator
order by plays desc, hours desc, track, artist
limit 15
