-- One row is one text in the rows of others that names the participant who is erased, by the rule of names, and the
-- text that takes its place. The vault forgets the name, and would not know later that the text must not pass the
-- wall. Texts with a catalogue URI are Spotify's own, and stay.
create or replace temp table texts_to_hide as
with names as (
    select unnest(cast(getvariable('names') as varchar[])) as name
),

texts as (
    {%- for table, columns in played_texts.items() %}
    {%- for column in columns %}
    select {{ column }} as text_value
    from vault.raw.{{ table }}
    where not list_contains(getvariable('numbers'), participant_no)
    union
    {%- endfor %}
    {%- endfor %}
    select listed_fields
    from vault.raw.rejected_rows
    where not list_contains(getvariable('numbers'), participant_no)
),

named as (
    select distinct texts.text_value
    from texts
    inner join names on {{ holds_name('texts.text_value', 'names.name') }}
),

private as (
    {%- for table, columns in played_texts.items() %}
    {%- for column, (uri, kinds) in columns.items() %}
    select plays.{{ column }} as text_value
    from vault.raw.{{ table }} as plays
    semi join named on plays.{{ column }} = named.text_value
    where not list_contains(getvariable('numbers'), participant_no) and not {{ is_catalogue_uri(uri, kinds) }}
    union
    {%- endfor %}
    {%- endfor %}
    select listed_fields
    from vault.raw.rejected_rows
    semi join named on rejected_rows.listed_fields = named.text_value
    where not list_contains(getvariable('numbers'), participant_no)
)

select
    text_value,
    getvariable('label') || ' ' || row_number() over (order by text_value) as replacement
from private;

{%- for table, columns in played_texts.items() %}
{%- for column, (uri, kinds) in columns.items() %}

update vault.raw.{{ table }} as plays
set {{ column }} = texts_to_hide.replacement
from texts_to_hide
where
    plays.{{ column }} = texts_to_hide.text_value
    and not list_contains(getvariable('numbers'), plays.participant_no)
    and not {{ is_catalogue_uri(uri, kinds) }};
{%- endfor %}
{%- endfor %}

update vault.raw.rejected_rows as rejected
set listed_fields = texts_to_hide.replacement
from texts_to_hide
where
    rejected.listed_fields = texts_to_hide.text_value
    and not list_contains(getvariable('numbers'), rejected.participant_no);
