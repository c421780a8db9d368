-- relation: strings
-- what: No text in the warehouse looks like an e-mail address, an IP address, a telephone number or a device model.
-- example: A track with the title "write to jane@example.org"; a reason_end "198.51.100.7".
-- why: A title in an export can be any text (D1).
-- remedy: Look at functions/public_text.sql and functions/reason_token.sql, then 'dbt run'. The patterns are in macros/addresses.sql.
-- Materialised, or DuckDB looks at the text of every row before it drops the repetitions.
with texts as materialized (
    select place, value from {strings} as strings
)
select place
from texts
where
    {{ looks_like_an_address('value') }}
    or {{ looks_like_a_telephone_number('value') }}
    or regexp_matches(value, '\((samsung|iPhone\d|iPad\d)|API \d\d \(|\bSM-[A-Z]\d{3}')
