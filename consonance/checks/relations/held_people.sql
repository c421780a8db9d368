-- People who are in every sample: for each purpose one who grants all purposes but this one, one more who has withdrawn, and one
-- whose consent is later than `as_of`. Each has data of every kind, in two packages that have the same plays and disagree on
-- how they were played. Private plays are told once more by copies that do not say so: by a donation tool, which hands over few
-- keys, in the newer package, and by the account history. What they let pass is in the sample from the
-- beginning; the rest is added by held_back.sql. All moments are of one person alone: whatever is made of moments is another
-- thing for each.
--
-- Writes the vault `vault`, and temporary tables: `held_people`, and `held_…` with the rows of a table of the vault and whether
-- they pass.
create or replace temp table held_people as
with people as (
    select unnest(list_concat({{ consent_purposes() }}, ['withdrawn', 'not_yet'])) as held
)

select
    held,
    nullif(nullif(held, 'withdrawn'), 'not_yet') as purpose,
    row_number() over (order by held) as place,
    getvariable('marker') || '-held-' || held as participant_code,
    cast((select coalesce(max(participant_no), 0) from vault.raw.keyring) + row_number() over (order by held) as integer) as participant_no,
    cast((select coalesce(max(member_id), 0) from vault.raw.members) + 3 * row_number() over (order by held) as integer) as extended_member,
    cast((select coalesce(max(donation_id), 0) from vault.raw.donations) + 2 * row_number() over (order by held) as integer) as donation_id
from people;

insert into vault.raw.participants by name
select
    participant_code,
    1990 as birth_year,
    'female' as gender,
    'DE' as country,
    'Etc/GMT-1' as timezone
from held_people;

insert into vault.raw.consent_events by name
with events as (
    select
        *,
        case when held = 'not_yet' then interval 1 day else interval '-2 days' end as after_as_of,
        'granted' as event,
        list_filter({{ consent_purposes() }}, lambda purpose: purpose <> held) as purposes
    from held_people
    union all
    select
        *,
        interval '-1 day' as after_as_of,
        'withdrawn' as event,
        [] as purposes
    from held_people
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
    'p' || left(md5(cast(uuid() as varchar)), 11) as pseudonym,
    cast(1 + place as integer) as shift_weeks,
    md5(cast(uuid() as varchar)) as play_secret
from held_people;

insert into vault.raw.donations by name
select
    held_people.donation_id + package.number as donation_id,
    held_people.participant_no,
    md5(held_people.participant_code || package.number) as sha256,
    'held.zip' as file,
    0 as unlisted_files,
    (select as_of from vault.raw.study) as loaded_at
from held_people
cross join (values (0), (1)) as package (number);

insert into vault.raw.members by name
select
    held_people.extended_member + layout.number as member_id,
    held_people.participant_no,
    md5(cast(held_people.extended_member + layout.number as varchar)) as content_hash,
    layout.kind,
    0 as rows_in,
    0 as landed,
    0 as rejected,
    [getvariable('marker') || '-held-user-' || held_people.place] as usernames
from held_people
cross join (values (0, 'extended'), (1, 'music'), (2, 'extended')) as layout (number, kind);

insert into vault.raw.donation_members by name
select
    held_people.participant_no,
    held_people.donation_id + place.package as donation_id,
    held_people.extended_member + place.member as member_id,
    place.position,
    'held.json' as name,
    true as is_counted_here
from held_people
cross join (values (0, 0, 1), (0, 1, 2), (1, 2, 1)) as place (package, member, position);

-- One row is one play of one of them.
create or replace temp table held_plays as
with plays (purposes, kind, title, creator, uri, is_private, is_account) as (
    values
    (['listening_history'], 'track', 'A held track', 'A held artist', 'spotify:track:' || repeat('h', 22), false, false),
    (['listening_history'], 'track', 'Another held track', 'A held artist', cast(null as varchar), false, false),
    (['listening_history', 'private_sessions'], 'track', 'A private track', 'A held artist', 'spotify:track:' || repeat('i', 22), true, false),
    (['listening_history', 'private_sessions'], 'track', 'A file', 'Its artist', 'spotify:local:a:b:c:61', true, false),
    (['listening_history', 'podcasts_audiobooks'], 'episode', 'A held episode', 'A held show', 'spotify:episode:' || repeat('h', 22), false, false),
    (['listening_history', 'podcasts_audiobooks'], 'audiobook', 'A held chapter', 'A held book', 'spotify:chapter:' || repeat('h', 22), false, false),
    (['listening_history', 'podcasts_audiobooks', 'private_sessions'], 'episode', 'A private episode', 'A held show', 'spotify:episode:' || repeat('i', 22), true, false),
    (['listening_history', 'podcasts_audiobooks', 'private_sessions'], 'audiobook', 'A private chapter', 'A held book', 'spotify:chapter:' || repeat('i', 22), true, false),
    (['listening_history'], 'track', 'An old held track', 'A held artist', null, false, true),
    (['listening_history'], 'track', 'A memo of ', null, null, false, true),
    (['listening_history', 'podcasts_audiobooks'], 'episode', 'An old held episode', 'A held show', null, false, true),
    (['listening_history', 'podcasts_audiobooks'], 'audiobook', 'An old held chapter', 'A held book', null, false, true)
)

select
    held_people.participant_no,
    held_people.extended_member + cast(plays.is_account as integer) as member_id,
    cast(row_number() over (partition by held_people.participant_no order by plays.title, flags.is_set) as integer) as row_no,
    study.as_of
    - to_days(cast(row_number() over (partition by held_people.participant_no order by plays.title, flags.is_set) as integer))
    - to_minutes(cast(held_people.place as integer)) as ended_at,
    plays.* exclude (purposes, title),
    -- What names a person passes as a private text, also without a creator.
    plays.title || case when plays.title = 'A memo of ' then getvariable('marker') || '-held-user-' || held_people.place else '' end as title,
    flags.is_set,
    coalesce(not list_contains(plays.purposes, held_people.purpose), false) as passes
from plays
cross join held_people
-- Whether a play was offline or shuffled must not decide whether it is held back.
inner join (select unnest([false, true]) as is_set) as flags on not (plays.is_account and flags.is_set)
cross join vault.raw.study;

create or replace temp table held_extended_plays as
select
    passes,
    participant_no,
    member_id + copy.member as member_id,
    row_no,
    cast(case when is_private and copy.member > 0 then 5 else 21 end as smallint) as key_count,
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
    is_set <> (copy.member > 0) as shuffle,
    is_set as skipped,
    is_set as offline,
    case when copy.member = 0 then is_private end as incognito_mode,
    0 as offline_timestamp
from held_plays
cross join (values (0), (2)) as copy (member)
where not is_account;

-- The package is newer that has the last play.
insert into held_extended_plays by name
select * replace (member_id + 2 as member_id, 1000 as row_no, ts + to_days(cast(row_no as integer)) as ts)
from held_extended_plays
where track_name = 'A held track' and not skipped and incognito_mode is not null;

create or replace temp table held_account_plays as
select
    passes,
    participant_no,
    member_id + cast(not is_account as integer) as member_id,
    row_no,
    case kind when 'track' then 'music' when 'episode' then 'podcast' else 'audiobook' end as kind,
    date_trunc('minute', ended_at) as end_time,
    61000 as ms_played,
    title,
    creator
from held_plays
where is_account or is_private;

create or replace temp table held_library_items as
select
    coalesce(purpose <> 'library', false) as passes,
    participant_no,
    'saved' as origin,
    'spotify:track:' || repeat('h', 22) as track_uri
from held_people;

create or replace temp table held_survey_answers as
select
    coalesce(held_people.purpose <> 'emotion_reports', false) as passes,
    held_people.participant_code,
    study.as_of - to_minutes(cast(3600 * report.number + held_people.place as integer)) as answered_at,
    'affect_grid' as instrument,
    item.item,
    cast(7 - report.number as double) as answer,
    'held.csv' as file,
    cast(3 * held_people.place + report.number as integer) as line
from held_people
cross join vault.raw.study
cross join (select unnest([1, 2]) as number) as report
cross join (select unnest(['valence', 'arousal']) as item) as item;

create or replace temp table held_survey_prompts as
select
    coalesce(held_people.purpose <> 'emotion_reports', false) as passes,
    held_people.participant_code,
    study.as_of - to_minutes(cast(3600 * prompt.number + held_people.place as integer)) as prompted_at,
    case when prompt.number <= 2 then study.as_of - to_minutes(cast(3600 * prompt.number + held_people.place as integer)) end as answered_at,
    case when prompt.number <= 2 then 'answered' else 'unanswered' end as status,
    'held.csv' as file,
    cast(3 * held_people.place + prompt.number as integer) as line
from held_people
cross join vault.raw.study
cross join (select unnest([1, 2, 3]) as number) as prompt;

{%- for table in ['extended_plays', 'account_plays', 'library_items', 'survey_answers', 'survey_prompts'] %}

insert into vault.raw.{{ table }} by name
select * exclude (passes) from held_{{ table }} where passes;
{%- endfor %}

-- One of them heard music in the night of their turn (sample.sql), 70 days before all else: a session keeps the clock that it
-- began with, so its plays move together, and only what comes hours later by an hour less.
create or replace temp table night as
select
    held_people.*,
    date_trunc('week', study.as_of - interval 70 day) - interval 1 day as sunday
from held_people
cross join vault.raw.study
where held_people.held = 'sharing_public';

insert into turns by name
select
    participant_no,
    participant_code,
    3600 as ahead_s,
    sunday - interval 1 hour + interval 6 hour as turn,
    cast(date_diff('day', sunday, timestamp '2000-09-17') // 7 as integer) as moved_weeks
from night;

insert into vault.raw.extended_plays by name
select
    night.participant_no,
    night.extended_member as member_id,
    cast(100 + play.number as integer) as row_no,
    cast(21 as smallint) as key_count,
    night.sunday - interval 1 hour + to_minutes(cast(18 * play.number - 26 as integer)) as ts,
    61000 as ms_played,
    'spotify:track:' || repeat('h', 22) as track_uri,
    'A held track' as track_name,
    'A held artist' as artist_name,
    'A held artist' as album_name,
    'android' as platform,
    'DE' as country,
    'trackdone' as reason_start,
    'trackdone' as reason_end
from night
cross join (select unnest([1, 2, 3]) as number) as play;
