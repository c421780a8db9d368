-- The twin of a vault: the same study with only its identifying inputs changed. Who people are, what
-- their accounts, devices and uploads are called and every secret is another; what they heard, when,
-- on which kind of device, and what they consented to is the same.
--
-- Reads the vault `original`, writes the vault `vault`: a copy of it in which of all tables those of plays
-- and saved tracks alone hold rows. The variable `marker` is a word that occurs nowhere else: every changed
-- text holds it, as a canary.
begin;

-- Participants are numbered the other way round, so that no order can rest on it.
set variable mirror = (select max(participant_no) + 1 from original.raw.keyring);

-- One row is one participant code that occurs anywhere.
create table vault.codes as
with codes as (
    select participant_code from original.raw.participants
    union
    select participant_code from original.raw.keyring
    union
    select participant_code from original.raw.consent_events
    union
    select participant_code from original.raw.survey_answers
)

select
    participant_code,
    -- What stands for somebody who was erased is known by its beginning.
    case when starts_with(participant_code, 'erased-') then 'erased-' else '' end
    || getvariable('marker') || '-' || row_number() over (order by md5(participant_code || getvariable('marker'))) as other_code
from codes;

-- One row is one user name of a donated account.
create table vault.usernames as
with usernames as (
    select distinct unnest(usernames) as username
    from original.raw.members
)

select
    username,
    getvariable('marker') || '-user-' || row_number() over (order by md5(username || getvariable('marker'))) as other_username
from usernames;

-- One row is one text that names a participant: another text that names the same one, and no other text.
create table vault.texts as
with texts as (
    select track_name as text_value from original.raw.extended_plays
    union
    select artist_name from original.raw.extended_plays
    union
    select album_name from original.raw.extended_plays
    union
    select episode_name from original.raw.extended_plays
    union
    select show_name from original.raw.extended_plays
    union
    select audiobook_title from original.raw.extended_plays
    union
    select chapter_title from original.raw.extended_plays
    union
    select title from original.raw.account_plays
    union
    select creator from original.raw.account_plays
),

names as (
    select lower(username) as name, other_username as other_name from vault.usernames
    union
    select lower(codes.participant_code), codes.other_code
    from vault.codes
    inner join original.raw.participants on codes.participant_code = participants.participant_code
    union
    select participant_code, other_code
    from vault.codes
    where starts_with(participant_code, 'erased-')
)

select
    texts.text_value,
    min(names.other_name) || ' ' || md5(texts.text_value) as other_text
from texts
inner join names
    on
        lower(texts.text_value) = names.name
        or (length(names.name) >= 8 and contains(lower(texts.text_value), names.name))
group by texts.text_value;

-- One row is one device: another device of the same family.
create table vault.devices as
with platforms as (
    select distinct platform
    from original.raw.extended_plays
    where platform is not null and platform <> 'not_applicable'
),

families as (
    select
        platform,
        warehouse.declassify.device_family(platform) as family
    from platforms
)

select
    platform,
    case family
        when 'android' then 'Android OS 12 API 31 (' || getvariable('marker') || ')'
        when 'ios' then 'iOS 15.1 (' || getvariable('marker') || ')'
        when 'mac' then 'OS X 12.0 [' || getvariable('marker') || ']'
        when 'windows' then 'Windows 11 [' || getvariable('marker') || ']'
        when 'linux' then 'Linux [' || getvariable('marker') || ']'
        when 'cast' then 'cast ' || getvariable('marker')
        when 'web' then 'web ' || getvariable('marker')
        when 'console' then 'xbox ' || getvariable('marker')
        when 'tv' then 'tizen ' || getvariable('marker')
        when 'speaker' then 'sonos ' || getvariable('marker')
        when 'car' then 'tesla ' || getvariable('marker')
        when 'wearable' then 'garmin ' || getvariable('marker')
        else 'another ' || getvariable('marker')
    end as other_platform
from families;

insert into vault.raw.study by name
select 'Study ' || getvariable('marker') as title, as_of, loaded_at, software_version
from original.raw.study;

insert into vault.raw.participants by name
select
    codes.other_code as participant_code,
    participants.birth_year,
    participants.gender,
    participants.country,
    participants.timezone,
    participants.enrolled_at
from original.raw.participants
inner join vault.codes on participants.participant_code = codes.participant_code;

insert into vault.raw.consent_events by name
select
    consent_events.ledger_line,
    codes.other_code as participant_code,
    consent_events.event,
    consent_events.purposes,
    consent_events.form_version,
    consent_events.occurred_at,
    consent_events.history_from,
    consent_events.history_to
from original.raw.consent_events
inner join vault.codes on consent_events.participant_code = codes.participant_code;

insert into vault.raw.keyring by name
select
    getvariable('mirror') - keyring.participant_no as participant_no,
    codes.other_code as participant_code,
    'p' || left(md5(cast(uuid() as varchar)), 11) as pseudonym,
    case when keyring.shift_weeks > 0 then -1 - cast(floor(random() * 260) as integer) else 1 + cast(floor(random() * 260) as integer) end as shift_weeks,
    md5(cast(uuid() as varchar)) as play_secret
from original.raw.keyring
inner join vault.codes on keyring.participant_code = codes.participant_code;

insert into vault.raw.donations by name
select
    donation_id,
    getvariable('mirror') - participant_no as participant_no,
    sha256,
    getvariable('marker') || '/' || donation_id || '.zip' as file,
    unlisted_files,
    loaded_at
from original.raw.donations;

insert into vault.raw.members by name
with mentions as (
    select
        member_id,
        unnest(usernames) as username
    from original.raw.members
),

renamed as (
    select
        mentions.member_id,
        list(usernames.other_username order by usernames.other_username) as usernames
    from mentions
    inner join vault.usernames on mentions.username = usernames.username
    group by mentions.member_id
)

select
    members.member_id,
    getvariable('mirror') - members.participant_no as participant_no,
    members.content_hash,
    members.kind,
    members.rows_in,
    members.landed,
    members.rejected,
    coalesce(renamed.usernames, []) as usernames
from original.raw.members
left join renamed on members.member_id = renamed.member_id;

insert into vault.raw.donation_members by name
select
    getvariable('mirror') - participant_no as participant_no,
    donation_id,
    member_id,
    position,
    getvariable('marker') || '/' || position || '.json' as name,
    is_counted_here
from original.raw.donation_members;

update vault.raw.extended_plays
set participant_no = getvariable('mirror') - participant_no;

update vault.raw.account_plays
set participant_no = getvariable('mirror') - participant_no;

insert into vault.raw.erased_rows by name
select
    getvariable('mirror') - participant_no as participant_no,
    member_id,
    history_source,
    erased_rows
from original.raw.erased_rows;

update vault.raw.library_items
set participant_no = getvariable('mirror') - participant_no;

update vault.raw.extended_plays as plays
set platform = devices.other_platform
from vault.devices as devices
where plays.platform = devices.platform;

update vault.raw.extended_plays
set track_uri = 'spotify:local:' || getvariable('marker') || ':' || md5(track_uri)
where starts_with(track_uri, 'spotify:local:');

update vault.raw.extended_plays as plays
set track_name = texts.other_text
from vault.texts as texts
where plays.track_name = texts.text_value;

update vault.raw.extended_plays as plays
set artist_name = texts.other_text
from vault.texts as texts
where plays.artist_name = texts.text_value;

update vault.raw.extended_plays as plays
set album_name = texts.other_text
from vault.texts as texts
where plays.album_name = texts.text_value;

update vault.raw.extended_plays as plays
set episode_name = texts.other_text
from vault.texts as texts
where plays.episode_name = texts.text_value;

update vault.raw.extended_plays as plays
set show_name = texts.other_text
from vault.texts as texts
where plays.show_name = texts.text_value;

update vault.raw.extended_plays as plays
set audiobook_title = texts.other_text
from vault.texts as texts
where plays.audiobook_title = texts.text_value;

update vault.raw.extended_plays as plays
set chapter_title = texts.other_text
from vault.texts as texts
where plays.chapter_title = texts.text_value;

update vault.raw.account_plays as plays
set title = texts.other_text
from vault.texts as texts
where plays.title = texts.text_value;

update vault.raw.account_plays as plays
set creator = texts.other_text
from vault.texts as texts
where plays.creator = texts.text_value;

-- Of answers to one item at one moment the later file counts: the new names keep the order of the old.
insert into vault.raw.survey_answers by name
select
    codes.other_code as participant_code,
    answers.answered_at,
    answers.instrument,
    answers.item,
    answers.answer,
    getvariable('marker') || '-' || lpad(cast(dense_rank() over (order by answers.file) as varchar), 6, '0') || '.csv' as file,
    answers.line
from original.raw.survey_answers as answers
inner join vault.codes on answers.participant_code = codes.participant_code;

commit;
