-- relation: vault.raw.release_keyring
-- what: Every person's shift is a number of weeks other than 0 that this person had neither in the warehouse nor in an earlier release. Shifts are drawn: no number of weeks, and no change of it since the warehouse, is that of many persons.
-- example: The times of a participant are shifted by 31 weeks in releases 3 and 4.
-- why: Equal dates link two releases as reliably as equal ids do (D3).
-- remedy: Publish again. If the rule still fails, look at draw_members in consonance/release/making.py, and at consonance/study/keyring.py.
with candidate as (
    select release_no from vault.raw.releases where published_at is null
),
earlier as (
    select participant_no, shift_weeks from vault.raw.keyring
    union
    select participant_no, shift_weeks
    from vault.raw.release_keyring
    where release_no not in (select release_no from candidate)
),
drawn as (
    select unnest(['shift', 'change']) as what, unnest([members.shift_weeks, members.shift_weeks - keyring.shift_weeks]) as weeks
    from vault.raw.release_keyring as members
    inner join candidate on candidate.release_no = members.release_no
    inner join vault.raw.keyring as keyring on keyring.participant_no = members.participant_no
)
select members.participant_no
from vault.raw.release_keyring as members
inner join candidate on candidate.release_no = members.release_no
left join earlier on earlier.participant_no = members.participant_no and earlier.shift_weeks = members.shift_weeks
where members.shift_weeks = 0 or earlier.participant_no is not null
union all
-- Of 520 numbers each is that of n / 520 persons. Five of 33 have the same one once in a million releases.
select min(weeks)
from drawn
group by what, weeks
having count(*) > 4 + (select count(*) from drawn where what = 'shift') / 100
