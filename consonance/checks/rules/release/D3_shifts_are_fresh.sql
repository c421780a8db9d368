-- relation: vault.raw.release_keyring
-- what: Every person's shift is a number of weeks other than 0 that this person had neither in the warehouse nor in an earlier release.
-- example: The times of a participant are shifted by 31 weeks in releases 3 and 4.
-- why: Equal dates link two releases as reliably as equal ids do (D3).
-- remedy: Publish again. If the rule still fails, look at consonance/release/making.py.
with candidate as (
    select release_no from vault.raw.releases where published_at is null
),
earlier as (
    select participant_no, shift_weeks from vault.raw.keyring
    union
    select participant_no, shift_weeks
    from vault.raw.release_keyring
    where release_no not in (select release_no from candidate)
)
select members.participant_no
from vault.raw.release_keyring as members
inner join candidate on candidate.release_no = members.release_no
left join earlier on earlier.participant_no = members.participant_no and earlier.shift_weeks = members.shift_weeks
where members.shift_weeks = 0 or earlier.participant_no is not null
