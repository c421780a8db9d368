{# Bring what one shard has into the vault. `shard`: what it is attached as; the variables: `admitted`, codes of those whose history may be
   read; `refused`, hashes of donations that were erased; `loaded_at`. Numbers of participants, donations and members are those
   of the shard, and become the vault's. #}
create or replace temp table shard_people as
select theirs.participant_no as shard_no, ours.participant_no
from {{ shard }}.raw.keyring as theirs
inner join vault.raw.keyring as ours on theirs.participant_code = ours.participant_code
where list_contains(cast(getvariable('admitted') as varchar[]), ours.participant_code);

create or replace temp table shard_donations as
select theirs.donation_id as shard_id, people.participant_no
from {{ shard }}.raw.donations as theirs
inner join shard_people as people on theirs.participant_no = people.shard_no
anti join vault.raw.donations as ours on people.participant_no = ours.participant_no and theirs.sha256 = ours.sha256
where not list_contains(cast(getvariable('refused') as varchar[]), theirs.sha256);

create or replace temp table shard_members as
select theirs.member_id as shard_id, people.participant_no, ours.member_id as known_id, bool_or(places.is_counted_here) as is_new
from {{ shard }}.raw.donation_members as places
inner join shard_donations as donations on places.donation_id = donations.shard_id
inner join {{ shard }}.raw.members as theirs on places.member_id = theirs.member_id
inner join shard_people as people on theirs.participant_no = people.shard_no
left join vault.raw.members as ours
    on people.participant_no = ours.participant_no and theirs.content_hash = ours.content_hash
group by theirs.member_id, people.participant_no, ours.member_id;

-- Since the shard was made, the vault got a file that it has too, or lost one that it counts on: the load that follows
-- reads these people from the inbox.
create or replace temp table people_left as
select distinct participant_no from shard_members where is_new = (known_id is not null);

create or replace temp table donation_map as
select shard_id, cast(nextval('vault.raw.donation_numbers') as integer) as donation_id
from (from shard_donations anti join people_left using (participant_no) order by shard_id);

create or replace temp table member_map as
select shard_id, cast(coalesce(known_id, nextval('vault.raw.member_numbers')) as integer) as member_id, is_new
from (from shard_members anti join people_left using (participant_no) order by shard_id);

{% for table, columns in tables.items() %}
insert into vault.raw.{{ table }} by name
select
    theirs.* replace (
        people.participant_no as participant_no
        {%- if "donation_id" in columns %}, donation_map.donation_id as donation_id{% endif %}
        {%- if "member_id" in columns %}, member_map.member_id as member_id{% endif %}
        {%- if "loaded_at" in columns %}, getvariable('loaded_at') as loaded_at{% endif %}
    )
from {{ shard }}.raw.{{ table }} as theirs
inner join shard_people as people on theirs.participant_no = people.shard_no
{% if "donation_id" in columns %}inner join donation_map on theirs.donation_id = donation_map.shard_id{% endif %}
{% if "member_id" in columns %}inner join member_map on theirs.member_id = member_map.shard_id{% endif %}
{% if "donation_id" not in columns %}where member_map.is_new{% endif %};
{% endfor %}
