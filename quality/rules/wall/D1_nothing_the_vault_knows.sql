-- relation: strings
-- what: No text in any column of the warehouse is a participant code, a user name, a device string, a file name or a secret of the vault.
-- example: The Spotify user name of a donor as the "artist" of a voice memo.
-- why: These are the names by which people are known outside (D1).
-- remedy: Find the column that the rule counts and the model that writes it.
with known as (
    select participant_code as value from vault.raw.participants
    union
    select participant_code from vault.raw.keyring
    union
    select play_secret from vault.raw.keyring
    union
    select unnest(usernames) from vault.raw.members
    union
    select file from vault.raw.donations
    union
    select name from vault.raw.donation_members
    union
    -- One word, such as "android", is a family of devices and no device.
    select platform from vault.raw.extended_plays where not regexp_full_match(platform, '[a-z_]+')
)
select strings.place
from {strings} as strings
-- Two letters may be a country.
inner join known on lower(known.value) = lower(strings.value) and length(known.value) > 2
