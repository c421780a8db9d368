-- Everything that has an order is the other way round: participants, lines of the ledger and of questionnaires, rows in
-- files, files and donations as they were loaded, and how rows lie in every table of the vault. Where the order decides
-- between equals (docs/numbers.md), equals keep their order.
create or replace table vault.raw.participants as
select * from vault.raw.participants order by rowid desc;

create or replace table vault.raw.keyring as
select * from vault.raw.keyring order by rowid desc;

-- Of decisions at one moment the later line counts.
create or replace table vault.raw.consent_events as
select * replace (
    cast(row_number() over (order by participant_code desc, occurred_at desc, ledger_line asc) as integer) as ledger_line
)
from vault.raw.consent_events
order by rowid desc;

-- Of answers at one moment the later line of a file counts.
create or replace table vault.raw.survey_answers as
select * replace (
    cast(row_number() over (
        partition by file order by participant_code desc, answered_at desc, instrument desc, item desc, line asc
    ) as integer) as line
)
from vault.raw.survey_answers
order by rowid desc;

create or replace table vault.raw.survey_prompts as
select * replace (
    cast(row_number() over (
        partition by file
        order by participant_code desc, coalesce(prompted_at, opened_at, answered_at) desc, line asc
    ) as integer) as line
)
from vault.raw.survey_prompts
order by rowid desc;

set variable last_donation = (select coalesce(max(donation_id), 0) + 1 from vault.raw.donations);
set variable last_member = (select coalesce(max(member_id), 0) + 1 from vault.raw.members);

create or replace table vault.raw.donations as
select * replace (cast(getvariable('last_donation') - donation_id as integer) as donation_id)
from vault.raw.donations
order by rowid desc;

create or replace table vault.raw.members as
select * replace (cast(getvariable('last_member') - member_id as integer) as member_id)
from vault.raw.members
order by rowid desc;

create or replace table vault.raw.donation_members as
select * replace (
    cast(getvariable('last_donation') - donation_id as integer) as donation_id,
    cast(getvariable('last_member') - member_id as integer) as member_id
)
from vault.raw.donation_members
order by rowid desc;

create or replace table vault.raw.erased_rows as
select * replace (cast(getvariable('last_member') - member_id as integer) as member_id)
from vault.raw.erased_rows
order by rowid desc;

-- Of equal plays the earlier row of a file counts.
create or replace table vault.raw.extended_plays as
select * replace (
    cast(getvariable('last_member') - member_id as integer) as member_id,
    cast(row_number() over (partition by member_id order by ts desc, ms_played desc, row_no asc) as integer) as row_no
)
from vault.raw.extended_plays
order by rowid desc;

create or replace table vault.raw.account_plays as
select * replace (
    cast(getvariable('last_member') - member_id as integer) as member_id,
    cast(row_number() over (
        partition by member_id order by date_trunc('minute', end_time) desc, ms_played desc, row_no asc
    ) as integer) as row_no
)
from vault.raw.account_plays
order by rowid desc;

create or replace table vault.raw.library_items as
select * from vault.raw.library_items order by rowid desc;
