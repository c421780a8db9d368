-- relation: strings
-- what: No text in the warehouse names a participant by the rule of names, unless Spotify's catalogue has the text. No text is a device string, a file name or a secret of the vault.
-- example: The Spotify user name of a donor as the "artist" of a voice memo.
-- why: People are known by these names outside the study (D1).
-- remedy: Find the column that the rule counts, and the model that writes it. The rule of names is in macros/names.sql.
with names as (
    select participant_code as name from vault.raw.participants
    union
    select participant_code from vault.raw.keyring
    union
    select unnest(usernames) from vault.raw.members
),
known as (
    select play_secret as value from vault.raw.keyring
    union
    select file from vault.raw.donations
    union
    select name from vault.raw.donation_members
    union
    -- One word, such as "android", is a family of devices and no device.
    select platform from vault.raw.extended_plays where not regexp_full_match(platform, '[a-z_]+')
),
texts as (
    select distinct place, value from {strings} as strings
),
naming as (
    select texts.place, texts.value
    from texts
    inner join names on {{ holds_name('texts.value', 'names.name') }}
),
of_the_catalogue as (
    {%- for column, (uri, kinds) in played_texts.extended_plays.items() %}
    select {{ column }} as value
    from vault.raw.extended_plays
    semi join naming on {{ column }} = naming.value
    where {{ is_catalogue_uri(uri, kinds) }}
    {{- '' if loop.last else '\n    union' }}
    {%- endfor %}
)
select naming.place
from naming
anti join of_the_catalogue on naming.value = of_the_catalogue.value
union all
select texts.place
from texts
-- Two letters may be a country.
inner join known on lower(known.value) = lower(texts.value) and length(known.value) > 2
