-- A part of the study, small enough to be built in seconds: everyone, but of plays and answers only those of some days, and
-- everyone in a zone whose clock never changes. Only there can moments be moved by weeks: where clocks change, a play
-- of summer that is moved to winter is at another hour. Of each participant one Sunday is left out, with the day before it:
-- then their clock changes in clocks.sql, where elapsed times of a session or a window would go with it, as they must.
--
-- Reads the vault `study` and the catalogue `archive`, writes `vault` and `catalogue`, which are empty. The variable
-- `rows` is about how many plays, and how many answers, the sample has at most.

{%- macro share_of_day(participant_no, moment) -%}
    (hash({{ participant_no }}, cast({{ moment }} as date)) % 1000000 / 1000000.0)
{%- endmacro %}
{%- set copied_whole = [
    'study', 'generalisation', 'feature_permissions', 'feature_use', 'participants', 'consent_events', 'keyring',
    'donations', 'members', 'donation_members', 'erased_rows', 'instrument_scales', 'instrument_items',
] %}

-- One row is one zone that never had another offset, and two countries whose most populous zones have it since 1952.
create or replace temp table steady_zones (zone varchar, country varchar, other_country varchar);
insert into steady_zones values
    ('Etc/GMT+5', 'PA', 'KY'),
    ('Etc/GMT+4', 'PR', 'CW'),
    ('Etc/UTC', 'CI', 'GH'),
    ('Etc/GMT-1', 'NG', 'CM'),
    ('Etc/GMT-2', 'MZ', 'ZM'),
    ('Etc/GMT-4', 'AE', 'OM'),
    ('Etc/GMT-7', 'TH', 'KH'),
    ('Etc/GMT-9', 'JP', 'PW');

{%- for table in copied_whole %}
insert into vault.raw.{{ table }} by name
select * from study.raw.{{ table }};
{%- endfor %}

create or replace temp table persons_of_sample as
select
    participants.participant_code,
    keyring.participant_no,
    zones.zone,
    zones.country
from study.raw.participants
inner join study.raw.keyring on participants.participant_code = keyring.participant_code
inner join (select *, row_number() over (order by zone) - 1 as number from steady_zones) as zones
    on keyring.participant_no % (select count(*) from steady_zones) = zones.number;

update vault.raw.participants as participants
set
    timezone = case when participants.timezone is not null then persons.zone end,
    country = case when participants.timezone is null and participants.country is not null then persons.country else participants.country end
from persons_of_sample as persons
where participants.participant_code = persons.participant_code;

-- What of all plays, and of all answers, is taken. The days with the smallest numbers are: so plays and answers of one
-- day are taken together.
set variable share_of_plays = (
    select least(1.0, getvariable('rows') / greatest(1, (select count(*) from study.raw.extended_plays) + (select count(*) from study.raw.account_plays)))
);
set variable share_of_answers = (
    select least(1.0, getvariable('rows') / greatest(1, (select count(*) from study.raw.survey_answers) + (select count(*) from study.raw.survey_prompts)))
);

{%- for table, moment in {'extended_plays': 'ts', 'account_plays': 'end_time'}.items() %}
insert into vault.raw.{{ table }} by name
select {{ copied_columns[table] | join(', ') }}
from study.raw.{{ table }}
where {{ share_of_day('participant_no', moment) }} <= getvariable('share_of_plays');
{%- endfor %}

{%- for table, moment in {'survey_answers': 'answered_at', 'survey_prompts': 'coalesce(answered_at, opened_at, prompted_at)'}.items() %}
insert into vault.raw.{{ table }} by name
select entries.*
from study.raw.{{ table }} as entries
left join study.raw.keyring on entries.participant_code = keyring.participant_code
where {{ share_of_day('keyring.participant_no', moment) }} <= getvariable('share_of_answers');
{%- endfor %}

insert into vault.raw.library_items by name
select {{ copied_columns['library_items'] | join(', ') }}
from study.raw.library_items
where hash(track_uri) % 1000 < 1000 * getvariable('share_of_plays');

-- One row is one participant with a zone of their own, and when their clock changes in clocks.sql: at 0:00 of the Sunday
-- nearest to the middle of their answers, or else of their plays.
create or replace temp table turns as
with moments as (
    select keyring.participant_no, 1 as choice, avg(epoch(answers.answered_at)) as middle_s
    from study.raw.survey_answers as answers
    inner join study.raw.keyring on answers.participant_code = keyring.participant_code
    group by keyring.participant_no
    union all
    select participant_no, 2, avg(epoch(ts)) from study.raw.extended_plays group by participant_no
    union all
    select participant_no, 3, avg(epoch(end_time)) from study.raw.account_plays group by participant_no
),

middles as (
    select
        persons.participant_no,
        persons.participant_code,
        cast(epoch(timezone(persons.zone, timestamptz '2020-01-01 00:00:00+00') - timestamp '2020-01-01') as bigint) as ahead_s,
        min_by(moments.middle_s, moments.choice) as middle_s
    from persons_of_sample as persons
    inner join vault.raw.participants on persons.participant_code = participants.participant_code
    inner join moments on persons.participant_no = moments.participant_no
    where participants.timezone is not null
    group by all
),

sundays as (
    select
        *,
        date_trunc('week', make_timestamp(cast(1000000 * (middle_s + ahead_s) as bigint)) + interval 4 day) - interval 1 day as sunday
    from middles
)

select
    participant_no,
    participant_code,
    ahead_s,
    sunday - to_seconds(ahead_s) as turn,
    cast(date_diff('day', sunday, timestamp '2000-09-17') // 7 as integer) as moved_weeks
from sundays;

{%- set hole = {
    'extended_plays': (
        'least(entries.ts - to_milliseconds(least(greatest(entries.ms_played, 0), 40000000000)), case when entries.offline_timestamp between epoch_ms(entries.ts) - 691200000 and epoch_ms(entries.ts) then make_timestamp_ms(entries.offline_timestamp) when entries.offline_timestamp between epoch(entries.ts) - 691200 and epoch(entries.ts) then make_timestamp(1000000 * entries.offline_timestamp) end)',
        'entries.ts', 'participant_no',
    ),
    'account_plays': (
        'entries.end_time - to_milliseconds(least(greatest(entries.ms_played, 0), 40000000000))', 'entries.end_time', 'participant_no',
    ),
    'survey_answers': ('entries.answered_at', 'entries.answered_at', 'participant_code'),
    'survey_prompts': (
        'least(entries.prompted_at, entries.opened_at, entries.answered_at)',
        'greatest(entries.prompted_at, entries.opened_at, entries.answered_at)', 'participant_code',
    ),
} %}
{%- for table, (begins, ends, person) in hole.items() %}
delete from vault.raw.{{ table }} as entries
using turns
where
    entries.{{ person }} = turns.{{ person }}
    and {{ begins }} < turns.turn + interval 1 day
    and {{ ends }} > turns.turn - interval 1 day;
{%- endfor %}

create or replace temp table heard_ids as
select distinct substring(track_uri, 15) as spotify_id
from vault.raw.extended_plays
where starts_with(track_uri, 'spotify:track:');

{%- for table in ['fetched_tracks', 'fetched_values'] %}
insert into vault.raw.{{ table }} by name
select facts.*
from study.raw.{{ table }} as facts
semi join heard_ids on facts.spotify_id = heard_ids.spotify_id;
{%- endfor %}

-- Of the catalogue what is known of these tracks by their ids. What is found by names is compared in the paired rebuild.
insert into catalogue.music.source_tracks by name
select tracks.*
from archive.music.source_tracks as tracks
semi join heard_ids on tracks.spotify_id = heard_ids.spotify_id;

insert into catalogue.music.source_values by name
select facts.*
from archive.music.source_values as facts
semi join catalogue.music.source_tracks as tracks on facts.source_id = tracks.source_id and facts.track_no = tracks.track_no;

insert into catalogue.music.archive_files by name
select * from archive.music.archive_files;
