-- For each purpose one more participant, who grants all purposes but this one: with reports and prompts, with saved
-- tracks, and with plays of every kind that only this purpose lets pass. So some have reports and no plays that count.
-- One more has withdrawn, and one has a consent that is later than `as_of`: nothing of theirs passes.
create table vault.held_back as
with people as (
    select unnest(list_concat({{ consent_purposes() }}, ['withdrawn', 'not_yet'])) as held
)

select
    held,
    nullif(nullif(held, 'withdrawn'), 'not_yet') as purpose,
    row_number() over (order by held) as place,
    getvariable('marker') || '-held-' || held as participant_code,
    'p' || left(md5(cast(uuid() as varchar)), 11) as pseudonym,
    cast((select coalesce(max(participant_no), 0) from vault.raw.keyring) + row_number() over (order by held) as integer) as participant_no,
    cast((select coalesce(max(member_id), 0) from vault.raw.members) + 2 * row_number() over (order by held) as integer) as extended_member,
    cast((select coalesce(max(donation_id), 0) from vault.raw.donations) + row_number() over (order by held) as integer) as donation_id
from people;

insert into vault.raw.participants by name
select
    participant_code,
    1990 as birth_year,
    'female' as gender,
    'DE' as country,
    'Etc/GMT-1' as timezone
from vault.held_back;

insert into vault.raw.consent_events by name
with events as (
    select
        *,
        case when held = 'not_yet' then interval 1 day else interval '-2 days' end as after_as_of,
        'granted' as event,
        list_filter({{ consent_purposes() }}, lambda purpose: purpose <> held) as purposes
    from vault.held_back
    union all
    select
        *,
        interval '-1 day' as after_as_of,
        'withdrawn' as event,
        [] as purposes
    from vault.held_back
    where held = 'withdrawn'
)

select
    cast(
        (select coalesce(max(ledger_line), 0) from vault.raw.consent_events) + row_number() over (order by events.after_as_of, events.place)
        as integer
    ) as ledger_line,
    events.participant_code,
    events.event,
    events.purposes,
    'v1' as form_version,
    study.as_of + events.after_as_of as occurred_at
from events
cross join vault.raw.study;

insert into vault.raw.keyring by name
select
    participant_no,
    participant_code,
    pseudonym,
    cast(1 + place as integer) as shift_weeks,
    md5(cast(uuid() as varchar)) as play_secret
from vault.held_back;

insert into vault.raw.donations by name
select
    donation_id,
    participant_no,
    md5(participant_code) as sha256,
    getvariable('marker') || '/held.zip' as file,
    0 as unlisted_files,
    (select as_of from vault.raw.study) as loaded_at
from vault.held_back;

-- One row is one play that does not pass without its purpose.
create or replace temp table held_plays as
with plays (purposes, kind, title, creator, uri, is_private, is_account) as (
    values
    (['listening_history'], 'track', 'A held track', 'A held artist', 'spotify:track:' || repeat('h', 22), false, false),
    (['listening_history'], 'track', 'Another held track', 'A held artist', cast(null as varchar), false, false),
    (['listening_history', 'private_sessions'], 'track', 'A private track', 'A held artist', 'spotify:track:' || repeat('i', 22), true, false),
    (['listening_history', 'private_sessions'], 'track', 'A file', 'Its artist', 'spotify:local:a:b:c:61', true, false),
    (['listening_history', 'podcasts_audiobooks'], 'episode', 'A held episode', 'A held show', 'spotify:episode:' || repeat('h', 22), false, false),
    (['listening_history', 'podcasts_audiobooks'], 'audiobook', 'A held chapter', 'A held book', 'spotify:chapter:' || repeat('h', 22), false, false),
    (['listening_history'], 'track', 'An old held track', 'A held artist', null, false, true),
    (['listening_history', 'podcasts_audiobooks'], 'episode', 'An old held episode', 'A held show', null, false, true),
    (['listening_history', 'podcasts_audiobooks'], 'audiobook', 'An old held chapter', 'A held book', null, false, true)
)

select
    held_back.participant_no,
    held_back.extended_member + cast(plays.is_account as integer) as member_id,
    cast(row_number() over (partition by held_back.participant_no order by plays.title, flags.is_set) as integer) as row_no,
    -- Everyone at moments of their own: whatever is made of moments alone is another thing for each.
    study.as_of
    - to_days(cast(row_number() over (partition by held_back.participant_no order by plays.title, flags.is_set) as integer))
    - to_minutes(cast(held_back.place as integer)) as ended_at,
    plays.*,
    flags.is_set
from plays
inner join vault.held_back on held_back.purpose is null or list_contains(plays.purposes, held_back.purpose)
-- Whether a play was offline or shuffled must not decide whether it is held back.
inner join (select unnest([false, true]) as is_set) as flags on not (plays.is_account and flags.is_set)
cross join vault.raw.study;

insert into vault.raw.members by name
select distinct
    member_id,
    participant_no,
    md5(cast(member_id as varchar)) as content_hash,
    case when is_account then 'music' else 'extended' end as kind,
    0 as rows_in,
    0 as landed,
    0 as rejected,
    [getvariable('marker') || '-held-user'] as usernames
from held_plays;

insert into vault.raw.donation_members by name
select
    members.participant_no,
    held_back.donation_id,
    members.member_id,
    cast(row_number() over (partition by members.participant_no order by members.member_id) as integer) as position,
    'held.json' as name,
    true as is_counted_here
from vault.raw.members as members
inner join vault.held_back on members.participant_no = held_back.participant_no;

insert into vault.raw.extended_plays by name
select
    participant_no,
    member_id,
    row_no,
    cast(21 as smallint) as key_count,
    ended_at as ts,
    61000 as ms_played,
    case when kind = 'track' then uri end as track_uri,
    case when kind = 'track' then title end as track_name,
    case when kind = 'track' then creator end as artist_name,
    case when kind = 'track' then creator end as album_name,
    case when kind = 'episode' then uri end as episode_uri,
    case when kind = 'episode' then title end as episode_name,
    case when kind = 'episode' then creator end as show_name,
    case when kind = 'audiobook' then uri end as chapter_uri,
    case when kind = 'audiobook' then title end as chapter_title,
    case when kind = 'audiobook' then creator end as audiobook_title,
    'android' as platform,
    'DE' as country,
    'trackdone' as reason_start,
    'trackdone' as reason_end,
    is_set as shuffle,
    is_set as skipped,
    is_set as offline,
    is_private as incognito_mode,
    0 as offline_timestamp
from held_plays
where not is_account;

insert into vault.raw.account_plays by name
select
    participant_no,
    member_id,
    row_no,
    case kind when 'track' then 'music' when 'episode' then 'podcast' else 'audiobook' end as kind,
    date_trunc('minute', ended_at) as end_time,
    61000 as ms_played,
    title,
    creator
from held_plays
where is_account;

insert into vault.raw.library_items by name
select
    participant_no,
    'saved' as origin,
    'spotify:track:' || repeat('h', 22) as track_uri
from vault.held_back;

insert into vault.raw.survey_answers by name
select
    held_back.participant_code,
    study.as_of - to_minutes(cast(3600 * report.number + held_back.place as integer)) as answered_at,
    'affect_grid' as instrument,
    item.item,
    cast(7 - report.number as double) as answer,
    getvariable('marker') || '-held.csv' as file,
    cast(3 * held_back.place + report.number as integer) as line
from vault.held_back
cross join vault.raw.study
cross join (select unnest([1, 2]) as number) as report
cross join (select unnest(['valence', 'arousal']) as item) as item;

insert into vault.raw.survey_prompts by name
select
    held_back.participant_code,
    study.as_of - to_minutes(cast(3600 * prompt.number + held_back.place as integer)) as prompted_at,
    case when prompt.number <= 2 then study.as_of - to_minutes(cast(3600 * prompt.number + held_back.place as integer)) end as answered_at,
    case when prompt.number <= 2 then 'answered' else 'unanswered' end as status,
    getvariable('marker') || '-held.csv' as file,
    cast(3 * held_back.place + prompt.number as integer) as line
from vault.held_back
cross join vault.raw.study
cross join (select unnest([1, 2, 3]) as number) as prompt;
