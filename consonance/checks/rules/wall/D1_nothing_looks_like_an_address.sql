-- relation: strings
-- what: No text in the warehouse, seeds and audit included, looks like an e-mail address, an IP address, a telephone number or a device model.
-- example: A track with the title "write to jane@example.org"; a reason_end "198.51.100.7"; a seed with the e-mail addresses of participants.
-- why: A title in an export can be any text (D1).
-- remedy: Pass the column named first through a function that withholds such texts: functions/public_text.sql, functions/reason_token.sql. In a seed, delete the line. The patterns are in macros/addresses.sql.
with texts as (
    select
        place,
        line,
        -- Seeds cite papers by their DOI, which is a long number.
        case when starts_with(place, 'reference.') then regexp_replace(value, '\b10\.[0-9]{4,9}/[^ ]+', '', 'g') else value end as value
    from {strings} as strings
),
judged as (
    select
        place,
        line,
        case
            when {{ looks_like_an_address('value') }} then 'looks like an e-mail or IP address'
            when {{ looks_like_a_telephone_number('value') }} and regexp_full_match(value, '[0-9]+')
                then 'is a number of ten digits or more, as telephone numbers are'
            when {{ looks_like_a_telephone_number('value') }} then 'looks like a telephone number'
            when regexp_matches(value, '\((samsung|iPhone\d|iPad\d)|API \d\d \(|\bSM-[A-Z]\d{3}') then 'looks like a device model'
        end as detail
    from texts
)
select place, line, detail
from judged
where detail is not null
