-- relation: (select spotify_id from warehouse.anonymized.anon_fetched_tracks union all select spotify_id from warehouse.anonymized.anon_fetched_values)
-- what: Right of the wall, what a music service said over the network is about tracks of plays there, outside private sessions.
-- example: In a release, the length of a track that only participants heard who do not agree to the release.
-- why: Each such row shows that somebody in the study heard the track. The plays of the same tables must show the same.
-- remedy: Look at models/anonymized/anon_fetched_tracks.sql and macros/heard_tracks.sql.
with heard as (
    select distinct tracks.spotify_uri
    from warehouse.anonymized.anon_plays as plays
    inner join warehouse.anonymized.anon_tracks as tracks on plays.track_id = tracks.track_id
    where not plays.is_private_session and not tracks.is_private
),

fetched as (
    select spotify_id from warehouse.anonymized.anon_fetched_tracks
    union
    select spotify_id from warehouse.anonymized.anon_fetched_values
)

select distinct 'anonymized.anon_fetched_tracks.spotify_id' as place, fetched.spotify_id
from fetched
anti join heard on heard.spotify_uri = {{ track_uri('fetched.spotify_id') }}
