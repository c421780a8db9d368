-- One row is one file of one donation, with how many of its rows were landed and rejected, by participant code.
create or replace view vault.raw.load_accounting as
select
    keyring.participant_code, donations.file, donation_members.name as member, members.kind,
    case when donation_members.is_counted_here then 'landed' else 'repeated' end as status,
    case when donation_members.is_counted_here then members.rows_in else 0 end as rows_in,
    case when donation_members.is_counted_here then members.landed else 0 end as landed,
    case when donation_members.is_counted_here then members.rejected else 0 end as rejected,
    cast(null as varchar) as reason,
    members.member_id, donations.donation_id, donation_members.position
from vault.raw.donation_members
inner join vault.raw.donations on donations.donation_id = donation_members.donation_id
inner join vault.raw.members on members.member_id = donation_members.member_id
inner join vault.raw.keyring on keyring.participant_no = donations.participant_no
union all by name
select
    keyring.participant_code, donations.file, broken_members.name as member, null as kind,
    'broken' as status, 0 as rows_in, 0 as landed, 0 as rejected, broken_members.reason,
    cast(null as integer) as member_id, donations.donation_id, cast(null as integer) as position
from vault.raw.broken_members
inner join vault.raw.donations on donations.donation_id = broken_members.donation_id
inner join vault.raw.keyring on keyring.participant_no = donations.participant_no;

-- One row is one doubt whose a history is: two participants who share one, or (other_code is null) one participant
-- with the user names of several accounts. Definition: docs/numbers.md, "Whose a history is".
create or replace view vault.raw.history_doubts as
with thresholds as (
    -- People who listen together share single plays; who shares ten, and half of the smaller history, has one
    -- history with the other. Three that are all there is are no accident either. Chosen 2026-11: of four real
    -- listeners no two shared a play.
    select 10 as least_plays, 0.5 as least_share, 3 as least_whole
),

-- Not materialized: a copy of all plays takes longer than to read them once more.
all_moments as not materialized (
    select participant_no, date_trunc('minute', ts) as minute, ms_played
    from vault.raw.extended_plays
    union all
    select participant_no, date_trunc('minute', end_time), ms_played
    from vault.raw.account_plays
),

-- Hardly any moment belongs to two participants: titles are read of these moments alone.
crowded as (
    select minute, ms_played
    from all_moments
    group by minute, ms_played
    having min(participant_no) < max(participant_no)
),

crowded_plays as (
    select
        participant_no, date_trunc('minute', ts) as minute, ms_played,
        coalesce(track_name, episode_name, chapter_title, '') as title,
        coalesce(artist_name, show_name, audiobook_title, '') as creator
    from vault.raw.extended_plays
    semi join crowded on date_trunc('minute', ts) = crowded.minute and extended_plays.ms_played = crowded.ms_played
    union
    select participant_no, date_trunc('minute', end_time), ms_played, coalesce(title, ''), coalesce(creator, '')
    from vault.raw.account_plays
    semi join crowded on date_trunc('minute', end_time) = crowded.minute and account_plays.ms_played = crowded.ms_played
),

same_plays as (
    select ours.participant_no, theirs.participant_no as other_no, count(distinct (ours.minute, ours.ms_played)) as plays
    from crowded_plays as ours
    inner join crowded_plays as theirs
        on
            ours.minute = theirs.minute and ours.ms_played = theirs.ms_played
            and ours.title = theirs.title and ours.creator = theirs.creator
            and ours.participant_no < theirs.participant_no
    group by ours.participant_no, theirs.participant_no
),

same_files as (
    select ours.participant_no, theirs.participant_no as other_no, count(*) as files
    from vault.raw.members as ours
    inner join vault.raw.members as theirs
        on ours.content_hash = theirs.content_hash and ours.participant_no < theirs.participant_no
    where ours.landed > 0
    group by ours.participant_no, theirs.participant_no
),

accounts as (
    select distinct participant_no, unnest(usernames) as username
    from vault.raw.members
),

same_accounts as (
    select ours.participant_no, theirs.participant_no as other_no, count(*) as accounts
    from accounts as ours
    inner join accounts as theirs
        on ours.username = theirs.username and ours.participant_no < theirs.participant_no
    group by ours.participant_no, theirs.participant_no
),

-- Of nobody else the whole history is looked at.
persons_alike as (
    select unnest([participant_no, other_no]) as participant_no
    from same_plays
    cross join thresholds
    where plays >= least_whole
    union
    select unnest([participant_no, other_no]) from same_files
    union
    select unnest([participant_no, other_no]) from same_accounts
),

moments as (
    select distinct participant_no, minute, ms_played
    from all_moments
    where participant_no in (select participant_no from persons_alike)
),

sizes as (
    select participant_no, count(*) as plays
    from moments
    group by participant_no
),

-- One account leaves its plays in every request. Who was busy in the same month and shares no history has another
-- account under the same name, such as a word that donors put in its place.
busy_months as (
    select participant_no, date_trunc('month', minute) as month
    from moments
    cross join thresholds
    group by participant_no, date_trunc('month', minute), least_plays
    having count(*) >= least_plays
),

different_accounts as (
    select distinct ours.participant_no, theirs.participant_no as other_no
    from busy_months as ours
    inner join busy_months as theirs on ours.month = theirs.month and ours.participant_no < theirs.participant_no
    semi join same_accounts
        on ours.participant_no = same_accounts.participant_no and theirs.participant_no = same_accounts.other_no
),

shared as (
    select participant_no, other_no from same_files
    union
    select same_plays.participant_no, same_plays.other_no
    from same_plays
    cross join thresholds
    inner join sizes as ours on same_plays.participant_no = ours.participant_no
    inner join sizes as theirs on same_plays.other_no = theirs.participant_no
    where
        (same_plays.plays >= least_plays and same_plays.plays >= least_share * least(ours.plays, theirs.plays))
        or (same_plays.plays >= least_whole and same_plays.plays = least(ours.plays, theirs.plays))
    union
    select same_accounts.participant_no, same_accounts.other_no
    from same_accounts
    cross join thresholds
    inner join sizes as ours on same_accounts.participant_no = ours.participant_no
    inner join sizes as theirs on same_accounts.other_no = theirs.participant_no
    anti join different_accounts
        on same_accounts.participant_no = different_accounts.participant_no and same_accounts.other_no = different_accounts.other_no
    where least(ours.plays, theirs.plays) >= least_plays
),

doubts as (
    select
        keyring.participant_code,
        others.participant_code as other_code,
        coalesce(same_files.files, 0) as same_files,
        coalesce(same_plays.plays, 0) as same_plays,
        least(ours.plays, theirs.plays) as plays,
        coalesce(same_accounts.accounts, 0) as accounts
    from shared
    inner join vault.raw.keyring on shared.participant_no = keyring.participant_no
    inner join vault.raw.keyring as others on shared.other_no = others.participant_no
    left join same_files on shared.participant_no = same_files.participant_no and shared.other_no = same_files.other_no
    left join same_plays on shared.participant_no = same_plays.participant_no and shared.other_no = same_plays.other_no
    left join same_accounts
        on shared.participant_no = same_accounts.participant_no and shared.other_no = same_accounts.other_no
    left join sizes as ours on shared.participant_no = ours.participant_no
    left join sizes as theirs on shared.other_no = theirs.participant_no
    union all
    select keyring.participant_code, null, 0, 0, 0, count(*)
    from accounts
    inner join vault.raw.keyring on accounts.participant_no = keyring.participant_no
    group by keyring.participant_code
    having count(*) > 1
)

select
    least(participant_code, other_code) as participant_code,
    case when other_code is not null then greatest(participant_code, other_code) end as other_code,
    same_files, same_plays, plays, accounts,
    case
        when other_code is null then participant_code in (select participant_code from vault.raw.history_decisions where is_alone)
        else exists (
            select 1
            from vault.raw.history_decisions as ours
            inner join vault.raw.history_decisions as theirs on ours.decision_no = theirs.decision_no
            where ours.participant_code = doubts.participant_code and theirs.participant_code = doubts.other_code
        )
    end as is_decided
from doubts;

