-- relation: strings
-- what: No text in any column of the warehouse looks like an e-mail, IP address, telephone number or device model.
-- example: A track titled "write to jane@example.org"; a reason_end that holds "198.51.100.7".
-- why: What an export calls a title may be anything (D1).
-- remedy: Look at functions/public_text.sql and functions/reason_token.sql; dbt run.
-- Materialised, or DuckDB looks at the text of every row before it drops the repetitions.
with texts as materialized (
    select place, value from {strings} as strings
)
select place
from texts
where
    regexp_matches(value, '[^\s@]+@[^\s@]+\.[A-Za-z]{2,}')
    or regexp_matches(value, '\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b')
    or regexp_matches(value, '\b[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]*[0-9]')
    or (
        regexp_matches(value, '\+(\d[ ()/.-]{0,2}){8,}|(\d[ ()/.-]{0,2}){10,}')
        -- Ids of Spotify's and pseudonyms may hold many digits in a row.
        and not regexp_full_match(value, '(spotify:[a-z]+:)?[0-9A-Za-z]{22}|p[a-z2-9]{11}')
    )
    or regexp_matches(value, '\((samsung|iPhone\d|iPad\d)|API \d\d \(|\bSM-[A-Z]\d{3}')
