{# No text in these columns looks like an address, or names a participant by the rule of names; beside a catalogue
   URI, in the column catalogue_uri, stand Spotify's own texts, which name nobody. #}
{% test no_identifiers(model, columns, catalogue_uri=none) %}
{{ config(enabled=not is_desk()) }}

with int_known_names as (
    select participant_code as name from {{ source('raw', 'participants') }}
    union
    select username from ({{ unnested(source('raw', 'members'), 'usernames', 'username') }}) as accounts
),

texts as (
    {%- for column in columns %}
    select
        {{ column }} as text_value,
        {{ is_catalogue_uri(catalogue_uri) if catalogue_uri else 'false' }} as is_in_catalogue
    from {{ model }}
    {{ 'union' if not loop.last }}
    {%- endfor %}
)

select texts.text_value
from texts
left join int_known_names
    on
        not texts.is_in_catalogue
        and {{ holds_name('texts.text_value', 'int_known_names.name') }}
where
    int_known_names.name is not null
    or {{ looks_like_an_address('texts.text_value') }}

{% endtest %}
