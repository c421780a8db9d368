-- One row is one release with data of the participant.
select
    releases.release_no,
    releases.tier,
    strftime(releases.published_at, '%Y-%m-%d') as published_on,
    strftime(unpublished.unpublished_at, '%Y-%m-%d') as unpublished_on
from vault.raw.release_keyring
inner join vault.raw.releases on release_keyring.release_no = releases.release_no
left join vault.raw.unpublished on releases.release_no = unpublished.release_no
where release_keyring.participant_no = $participant_no
order by releases.release_no
