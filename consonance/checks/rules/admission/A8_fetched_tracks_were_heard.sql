-- relation: (select spotify_id from vault.raw.fetched_tracks union all select spotify_id from vault.raw.fetched_values union all select spotify_id from vault.raw.tracks_to_fetch where not is_decoy)
-- what: Every track that a feature source was asked about over the network occurs in a landed play that was in no private session.
-- example: An answer about a track that only an erased participant had heard, or that was heard in private sessions alone.
-- why: Nobody else has the track, so its row shows that somebody heard it. An erasure deletes such rows.
-- remedy: Delete these rows of raw.fetched_tracks, raw.fetched_values and raw.tracks_to_fetch. Look at consonance/erasure/fetched_tracks.py, which deletes them with the plays, and at loaders/fetching.py, which decides what is asked.
with fetched as (
    select 'fetched_tracks' as place, spotify_id from vault.raw.fetched_tracks
    union all
    select 'fetched_values', spotify_id from vault.raw.fetched_values
    union all
    select 'tracks_to_fetch', spotify_id from vault.raw.tracks_to_fetch where not is_decoy
)

select
    'raw.' || fetched.place || '.spotify_id' as place
from fetched
anti join vault.raw.extended_plays as plays
    on plays.track_uri = {{ track_uri('fetched.spotify_id') }} and plays.incognito_mode is distinct from true
