-- One row is one exclusion reason, or that plays are used: how many of the participant's plays.
select
    fate,
    cast(sum(landed_rows) as bigint) as plays
from vault.intermediate.int_play_accounting
where participant_no = $participant_no
group by fate
order by plays desc, fate
