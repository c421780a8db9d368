-- relation: strings
-- what: No column of the warehouse, seeds and audit included, lists participant codes or user names, however short they are.
-- example: A seed with the codes P001, P002, … and the group of each.
-- why: The rule of names passes over names of less than five characters and over numbers, which are in many titles. Several of them in one column are a list of people.
-- remedy: Look at the file named first. What a study knows of its participants comes from participants.csv and the questionnaires, and passes the wall under a pseudonym; a seed holds what is true of every study.
with known_names as (
    select lower(participant_code) as name from vault.raw.participants
    union
    select lower(participant_code) from vault.raw.keyring
    union
    select lower(unnest(usernames)) from vault.raw.members
),
own_words as (
    -- Instruments and items may be called like participants: both are often a letter and a number.
    select instrument as word from vault.raw.survey_answers
    union
    select item from vault.raw.survey_answers
    union
    select unnest([instrument, scale]) from vault.raw.instrument_scales
    union
    select item from vault.raw.instrument_items
    {%- for table, columns in played_texts.items() %}
    {%- for column in columns %}
    union
    -- So may be music.
    select {{ column }} from vault.raw.{{ table }} semi join known_names on lower({{ column }}) = known_names.name
    {%- endfor %}
    {%- endfor %}
),
names as (
    select name from known_names
    except
    select lower(word) from own_words
),
texts as (
    select place, lower(value) as value, min(line) as line
    from {strings} as strings
    anti join {words} as words using (place, value)
    group by all
),
counted as (
    select
        texts.place,
        count(names.name) as names,
        count(*) as texts,
        min(texts.line) filter (where names.name is not null) as line
    from texts
    left join names
        on
            texts.value = names.name
            and length(names.name) > 1
            -- Small numbers are counts and answers; longer ones are codes where a seed has them.
            and (not regexp_full_match(names.name, '[0-9]+') or (length(names.name) > 2 and starts_with(texts.place, 'reference.')))
    group by texts.place
)
-- Two of a hundred titles may be called like two participants.
select place, line, 'has the codes or user names of several participants' as detail
from counted
where names > 1 and 10 * names >= texts
