-- Who does not consent to demographics has other demographics. A country stands for a zone too, where a participant
-- has none: it is replaced by one whose zone has the same offsets.
create or replace temp table unwilling as
select
    keyring.participant_no,
    participants.participant_code
from vault.raw.participants
inner join vault.raw.keyring on participants.participant_code = keyring.participant_code
left join ({{ counting_consent_events() }}) as state on participants.participant_code = state.participant_code
where not coalesce(state.is_active and list_contains(state.purposes, 'demographics'), false);

update vault.raw.participants as participants
set
    birth_year = case when participants.birth_year = 1950 then 1999 else 1950 end,
    gender = case when lower(participants.gender) = 'female' then 'male' else 'female' end,
    country = case
        when participants.timezone is not null then case when participants.country = 'FR' then 'IT' else 'FR' end
        else coalesce((select other_country from steady_zones where country = participants.country), participants.country)
    end
from unwilling
where participants.participant_code = unwilling.participant_code;

update vault.raw.extended_plays as plays
set country = case when plays.country = 'FR' then 'IT' else 'FR' end
from unwilling
where plays.participant_no = unwilling.participant_no;
