-- relation: vault.intermediate.int_play_fates
-- what: No play of a podcast or an audiobook, or of a private session, is kept of a participant who does not grant that purpose. What a play was is taken from the export itself.
-- example: The chapter of an audiobook, as the export has it, is kept as a track of somebody who grants listening_history only.
-- why: What is called a track needs no further purpose. So a play that gets another content type, or loses its mark of a private session, passes without the consent that it needs.
-- remedy: Look at models/staging/stg_extended_plays.sql and models/intermediate/int_landed_plays.sql, which say what a play was, and at models/intermediate/int_play_fates.sql, which asks for the purpose.
with held as (
    select participant_no, member_id, row_no, 'podcasts_audiobooks' as purpose
    from vault.raw.extended_plays
    where
        coalesce(track_name, artist_name, track_uri) is null
        and coalesce(episode_name, show_name, episode_uri, chapter_title, audiobook_title, chapter_uri, audiobook_uri) is not null
    union all
    select participant_no, member_id, row_no, 'podcasts_audiobooks'
    from vault.raw.account_plays
    where kind <> 'music'
    union all
    select participant_no, member_id, row_no, 'private_sessions'
    from vault.raw.extended_plays
    where incognito_mode
),
not_granted as (
    select held.*
    from held
    inner join vault.raw.keyring on keyring.participant_no = held.participant_no
    left join {what_the_ledger_grants} as granted on granted.participant_code = keyring.participant_code
    where not coalesce(list_contains(granted.purposes, held.purpose), false)
)
select 'intermediate.int_play_fates.fate' as place, 'keeps plays that need ' || not_granted.purpose as detail
from not_granted
inner join vault.intermediate.int_play_fates as fates
    on fates.participant_no = not_granted.participant_no and fates.row_id = cast(not_granted.member_id as bigint) * 4294967296 + not_granted.row_no
where fates.fate = 'kept'
