-- The same study with other identities: only its identifying inputs are changed. Who people are, what their accounts,
-- devices and uploads are called, and every secret is another. What they heard, when, on which kind of device, and what
-- they consented to is the same.
--
-- Reads the vault `before`, writes the vault `vault`: a copy of it in which only the tables of plays and saved tracks
-- hold rows. The variable `marker` is a word that occurs nowhere else: every changed text holds it, as a canary.
begin;

-- Participants are numbered the other way round, and codes and user names are in the reverse order, so that no order
-- can rest on them.
set variable mirror = (select max(participant_no) + 1 from before.raw.keyring);

-- One row is one participant code that occurs anywhere.
create table vault.codes as
with codes as (
    select participant_code from before.raw.participants
    union
    select participant_code from before.raw.keyring
    union
    select participant_code from before.raw.consent_events
    union
    select participant_code from before.raw.survey_answers
    union
    select participant_code from before.raw.survey_prompts
)

select
    participant_code,
    -- What stands for somebody who was erased is known by its beginning.
    case when starts_with(participant_code, 'erased-') then 'erased-' else '' end
    || getvariable('marker') || '-' || lpad(cast(row_number() over (order by participant_code desc) as varchar), 6, '0') as other_code,
    -- By how many weeks all moments of the participant are moved (moments.sql).
    0 as moved_weeks
from codes;

-- One row is one user name of a donated account.
create table vault.usernames as
with usernames as (
    select distinct unnest(usernames) as username
    from before.raw.members
)

select
    username,
    getvariable('marker') || '-user-' || lpad(cast(row_number() over (order by username desc) as varchar), 6, '0') as other_username
from usernames;

-- One row is one text that names a participant by the rule of names: another text that names the same one,
-- and no other text. Only rows in which it has no catalogue URI get the other text.
create table vault.texts as
with texts as (
    {%- for table, columns in played_texts.items() %}
    {%- set is_last_table = loop.last %}
    {%- for column in columns %}
    select {{ column }} as text_value from before.raw.{{ table }}
    {%- if not (is_last_table and loop.last) %}
    union
    {%- endif %}
    {%- endfor %}
    {%- endfor %}
),

names as (
    select lower(username) as name, other_username as other_name from vault.usernames
    union
    select lower(codes.participant_code), codes.other_code
    from vault.codes
    inner join before.raw.participants on codes.participant_code = participants.participant_code
    union
    select participant_code, other_code
    from vault.codes
    where starts_with(participant_code, 'erased-')
)

select
    texts.text_value,
    min(names.other_name) || ' ' || md5(texts.text_value) as other_text
from texts
inner join names on {{ holds_name('texts.text_value', 'names.name') }}
group by texts.text_value;

-- One row is one device: another device of the same family.
create table vault.devices as
with platforms as (
    select distinct platform
    from before.raw.extended_plays
    where platform is not null
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
from before.raw.study;

insert into vault.raw.generalisation by name
select age_level, country_level, gender_level
from before.raw.generalisation;

insert into vault.raw.feature_permissions by name
select source_id, scope, reference, expires_on, is_expired
from before.raw.feature_permissions;

insert into vault.raw.feature_use by name
select shown_for
from before.raw.feature_use;

insert into vault.raw.participants by name
select
    codes.other_code as participant_code,
    participants.birth_year,
    participants.gender,
    participants.country,
    participants.timezone,
    participants.enrolled_at
from before.raw.participants
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
from before.raw.consent_events
inner join vault.codes on consent_events.participant_code = codes.participant_code;

-- New pseudonyms have the order of the old ones, so that the order of rows can be compared.
insert into vault.raw.keyring by name
with old as (
    select
        keyring.participant_no,
        codes.other_code,
        keyring.shift_weeks,
        row_number() over (order by keyring.pseudonym) as place
    from before.raw.keyring
    inner join vault.codes on keyring.participant_code = codes.participant_code
),

drawn as (
    select 'p' || left(md5(cast(uuid() as varchar)), 11) as pseudonym
    from old
),

new as (
    select
        pseudonym,
        row_number() over (order by pseudonym) as place
    from drawn
)

select
    getvariable('mirror') - old.participant_no as participant_no,
    old.other_code as participant_code,
    new.pseudonym,
    case when old.shift_weeks > 0 then -1 - cast(floor(random() * 260) as integer) else 1 + cast(floor(random() * 260) as integer) end as shift_weeks,
    md5(cast(uuid() as varchar)) as play_secret
from old
inner join new on old.place = new.place;

insert into vault.raw.donations by name
select
    donation_id,
    getvariable('mirror') - participant_no as participant_no,
    -- Of donations that are alike the smaller hash counts: the new ones keep the order of the old.
    getvariable('marker') || '-' || lpad(cast(dense_rank() over (order by sha256) as varchar), 12, '0') as sha256,
    getvariable('marker') || '/' || donation_id || '.zip' as file,
    unlisted_files,
    loaded_at
from before.raw.donations;

insert into vault.raw.members by name
with mentions as (
    select
        member_id,
        unnest(usernames) as username
    from before.raw.members
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
    md5(members.content_hash || getvariable('marker')) as content_hash,
    members.kind,
    members.rows_in,
    members.landed,
    members.rejected,
    coalesce(renamed.usernames, []) as usernames
from before.raw.members
left join renamed on members.member_id = renamed.member_id;

insert into vault.raw.donation_members by name
select
    getvariable('mirror') - participant_no as participant_no,
    donation_id,
    member_id,
    position,
    getvariable('marker') || '/' || position || '.json' as name,
    is_counted_here
from before.raw.donation_members;

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
from before.raw.erased_rows;

update vault.raw.library_items
set participant_no = getvariable('mirror') - participant_no;

update vault.raw.extended_plays as plays
set platform = devices.other_platform
from vault.devices as devices
where plays.platform = devices.platform;

-- Of equal rows the one with more fields counts: every row has one more.
update vault.raw.extended_plays
set key_count = key_count + 1;

update vault.raw.extended_plays
set track_uri = 'spotify:local:' || getvariable('marker') || ':' || md5(track_uri)
where starts_with(track_uri, 'spotify:local:');

{%- for table, columns in played_texts.items() %}
{%- for column, (uri, kinds) in columns.items() %}

update vault.raw.{{ table }} as plays
set {{ column }} = texts.other_text
from vault.texts as texts
where plays.{{ column }} = texts.text_value and not {{ is_catalogue_uri(uri, kinds) }};
{%- endfor %}
{%- endfor %}

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
from before.raw.survey_answers as answers
inner join vault.codes on answers.participant_code = codes.participant_code;

insert into vault.raw.instrument_scales by name
select instrument, scale, answer_min, answer_max, score_as, max_missing, dimension
from before.raw.instrument_scales;

insert into vault.raw.instrument_items by name
select instrument, scale, item, is_reversed
from before.raw.instrument_items;

insert into vault.raw.survey_prompts by name
select
    codes.other_code as participant_code,
    prompts.prompted_at,
    prompts.opened_at,
    prompts.answered_at,
    prompts.expires_at,
    prompts.status,
    getvariable('marker') || '-' || lpad(cast(dense_rank() over (order by prompts.file) as varchar), 6, '0') || '.csv' as file,
    prompts.line
from before.raw.survey_prompts as prompts
inner join vault.codes on prompts.participant_code = codes.participant_code;

-- What a feature source said about tracks is said of nobody.
insert into vault.raw.fetched_tracks by name
select source_id, spotify_id, asked_at, isrc, length_ms, is_known
from before.raw.fetched_tracks;

insert into vault.raw.fetched_values by name
select source_id, spotify_id, feature, value
from before.raw.fetched_values;

commit;
