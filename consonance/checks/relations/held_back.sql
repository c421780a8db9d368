-- The people of held_people.sql have also donated and answered what they do not let pass.
create table vault.held_back as
select
    held_people.held,
    held_people.purpose,
    held_people.participant_code as old_code,
    held_people.participant_no as old_no,
    keyring.participant_code,
    keyring.participant_no,
    keyring.pseudonym
from held_people
inner join vault.codes on held_people.participant_code = codes.participant_code
inner join vault.raw.keyring on codes.other_code = keyring.participant_code;

{%- for table in ['extended_plays', 'account_plays', 'library_items'] %}

insert into vault.raw.{{ table }} by name
select
    held_back.participant_no,
    more.* exclude (passes, participant_no)
from held_{{ table }} as more
inner join vault.held_back on more.participant_no = held_back.old_no
where not more.passes;
{%- endfor %}

{%- for table in ['survey_answers', 'survey_prompts'] %}

-- In a file that is called as identities.sql calls files.
insert into vault.raw.{{ table }} by name
select
    held_back.participant_code,
    getvariable('marker') || '-held.csv' as file,
    more.* exclude (passes, participant_code, file)
from held_{{ table }} as more
inner join vault.held_back on more.participant_code = held_back.old_code
where not more.passes;
{%- endfor %}
