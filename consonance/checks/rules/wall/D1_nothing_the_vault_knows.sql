-- relation: strings
-- what: No text in the warehouse, seeds and audit included, names a participant by the rule of names, unless Spotify's catalogue has the text. No text is a device string, a file name or a secret of the vault, or a hash of a participant code or of a user name.
-- example: The Spotify user name of a donor as the "artist" of a voice memo; the MD5 of a participant code.
-- why: People are known by these names outside the study (D1). A hash of a name is found by hashing a list of names (Last.fm-360K).
-- remedy: Look at the file named first: the value passes there, or one line above it in the models that it reads. In a seed, delete the line. The rule of names is in macros/names.sql.
with names as (
    select participant_code as name from vault.raw.participants
    union
    select participant_code from vault.raw.keyring
    union
    select unnest(usernames) from vault.raw.members
),
known as (
    select play_secret as value, 'is a secret of the keyring' as detail from vault.raw.keyring
    union
    select file, 'is the file of a donation' from vault.raw.donations
    union
    select name, 'is a file in a donation' from vault.raw.donation_members
    union
    -- One word, such as "android", is a family of devices and no device.
    select platform, 'is a device of an export' from vault.raw.extended_plays where not regexp_full_match(platform, '[a-z_]+')
    union
    select unnest([md5(name), left(md5(name), 12), sha1(name), sha256(name), to_base64(encode(name)), hex(name)]), 'is a hash of a name'
    from names
    where length(name) > 1
),
-- A word of a closed list is no name, even if somebody is called so.
texts as (
    select place, value, min(line) as line
    from {strings} as strings
    anti join {words} as words using (place, value)
    group by place, value
),
naming as (
    select texts.place, texts.line, texts.value
    from texts
    -- The rule of names once more, without macros/names.sql: a mistake there shows here.
    inner join names
        on
            (length(names.name) >= 5 and lower(texts.value) = lower(names.name))
            or (length(names.name) >= 8 and contains(lower(texts.value), lower(names.name)))
    where
        regexp_matches(names.name, '[^0-9]')
        -- Seeds are prose, and name features and items. A name that is a plain word may be among their words; a list of
        -- names is D1_no_column_lists_participants.
        and (
            regexp_matches(names.name, '[^A-Za-z]')
            or (
                not starts_with(texts.place, 'reference.')
                and texts.value not in (select value from {strings} as strings where starts_with(place, 'reference.'))
                and texts.value not in (select value from {words} as words)
            )
        )
),
of_the_catalogue as (
    {%- for column, (uri, kinds) in played_texts.extended_plays.items() %}
    select {{ column }} as value
    from vault.raw.extended_plays
    semi join naming on {{ column }} = naming.value
    where coalesce(regexp_full_match({{ uri }}, 'spotify:({{ kinds }}):[0-9A-Za-z]{22}'), false)
    {{- '' if loop.last else '\n    union' }}
    {%- endfor %}
)
select naming.place, naming.line, 'names a participant' as detail
from naming
anti join of_the_catalogue on naming.value = of_the_catalogue.value
union all
select texts.place, texts.line, known.detail
from texts
-- Two letters may be a country.
inner join known on lower(known.value) = lower(texts.value) and length(known.value) > 2
