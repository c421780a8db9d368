-- relation: vault.raw.consent_events
-- what: Whoever a row of the vault is of grants the purpose for which it was given, as consonance/study/stores.yml declares, and is enrolled. A column with a purpose of its own is empty without it.
-- example: Saved tracks of a participant who does not grant library; the gender of one who does not grant demographics; an answer of P099, who is not in participants.csv.
-- why: What nobody agreed to is not kept, also left of the wall (data minimisation; C1).
-- remedy: Look at the files that the finding names: they decide what lands, and must ask for the purpose (consonance/consent/state.py). Then run 'consonance load'. Who withdrew: run 'consonance withdraw'.
with grants as (
    select keyring.participant_code, keyring.participant_no, unnest(granted.purposes) as purpose
    from {what_the_ledger_grants} as granted
    inner join vault.raw.keyring on keyring.pseudonym = granted.pseudonym
    union
    -- What was in the vault before somebody took something back, is erased by the next load or withdrawal: until then
    -- 'consonance doctor' reports it.
    select keyring.participant_code, keyring.participant_no, unnest(applied_consents.purposes)
    from vault.raw.applied_consents
    inner join vault.raw.keyring on keyring.participant_no = applied_consents.participant_no
)
{%- for given in given_for %}
select
    'raw.{{ given.table }}.{{ given.column or given.owner }}' as place,
    'is of a participant who does not grant {{ given.purpose }} (see {{ given.landed_by }})' as detail
from vault.raw.{{ given.table }} as given
where
    {{ given.owner }} not in (select {{ given.kind }} from grants where purpose = '{{ given.purpose }}')
    {%- if given.column %}
    and {{ given.column }} is not null
    and not ({{ given.unless }})
    {%- endif %}
union all
{%- if given.kind == 'participant_code' %}
select 'raw.{{ given.table }}.{{ given.owner }}', 'is of nobody who is enrolled (see {{ given.landed_by }})'
from vault.raw.{{ given.table }} as given
where {{ given.owner }} not in (select participant_code from vault.raw.participants)
union all
{%- endif %}
{%- endfor %}
select 'raw.applied_consents.purposes', 'has a purpose that the ledger never granted (see consonance/consent/coverage.py)'
from vault.raw.applied_consents
inner join vault.raw.keyring on keyring.participant_no = applied_consents.participant_no
left join (
    select participant_code, flatten(list(purposes)) as purposes from vault.raw.consent_events group by participant_code
) as ever on ever.participant_code = keyring.participant_code
where not coalesce(list_has_all(ever.purposes, applied_consents.purposes), false)
