-- relation: vault.raw.participants
-- what: No table of the vault whose rows are of nobody, as consonance/study/stores.yml declares, has participant codes, pseudonyms or numbers of participants in it.
-- example: A new table with a column "who", in which the loader writes the participant code.
-- why: A withdrawal deletes the rows of the tables that have an owner, and only those. What the others say of a participant would stay.
-- remedy: Declare in consonance/study/stores.yml which column says whose a row is (owner), instead of nobody.
{%- for table, (texts, numbers) in nobody.items() %}
{%- for column in texts %}
select 'raw.{{ table }}.{{ column }}' as place, 'has the pseudonym of a participant' as detail
from vault.raw.{{ table }}
where {{ column }} in (select pseudonym from vault.raw.keyring)
union all
-- One code may be a word of the operator's, such as the version of a notice: "v1". Two are participants.
select 'raw.{{ table }}.{{ column }}' as place, 'has codes of participants' as detail
from vault.raw.{{ table }}
where {{ column }} in (select participant_code from vault.raw.keyring where regexp_matches(participant_code, '[^A-Za-z]'))
having count(distinct {{ column }}) > 1
union all
{%- endfor %}
{%- for column in numbers %}
-- Numbers of participants are drawn from a thousand million: two of them are there by no accident.
select 'raw.{{ table }}.{{ column }}' as place, 'has numbers of participants' as detail
from vault.raw.{{ table }} as rows_of_nobody
where {{ column }} in (select participant_no from vault.raw.keyring)
having count(distinct {{ column }}) > 1
union all
{%- endfor %}
{%- endfor %}
select '' as place, '' as detail where false
