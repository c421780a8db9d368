{# No text in these columns looks like an address, or is a name that the vault knows. #}
{% test no_identifiers(model, columns) %}

with known_names as (
    select lower(participant_code) as name from {{ source('raw', 'participants') }}
    union
    select lower(username) from ({{ unnested(source('raw', 'members'), 'usernames', 'username') }}) as accounts
),

texts as (
    {%- for column in columns %}
    select distinct {{ column }} as text_value from {{ model }}
    {{ 'union' if not loop.last }}
    {%- endfor %}
)

select texts.text_value
from texts
left join known_names
    on
        lower(texts.text_value) = known_names.name
        and length(known_names.name) > 2
where
    known_names.name is not null
    or texts.text_value like '%_@_%.__%'
    or regexp_matches(texts.text_value, '\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b')
    or regexp_matches(texts.text_value, '\b[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]*[0-9]')

{% endtest %}
