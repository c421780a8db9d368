-- One row is one track in what a pseudonymous participant saved, or in their playlists.
with stg_library_items as (
    select
        participant_no,
        origin,
        track_uri
    from {{ ref('stg_library_items') }}
),

int_listeners as (
    select
        participant_no,
        pseudonym,
        grants_listening_history,
        grants_library
    from {{ ref('int_listeners') }}
),

pseudonymised as (
    select
        {{ function('participant_pseudonym') }}(int_listeners.pseudonym) as participant_id,
        {{ function('catalogue_identity') }}(stg_library_items.track_uri) as track_id,
        {{ function('public_uri') }}(stg_library_items.track_uri) as spotify_uri,
        stg_library_items.origin
    from stg_library_items
    inner join int_listeners on stg_library_items.participant_no = int_listeners.participant_no
    where
        int_listeners.grants_listening_history
        and int_listeners.grants_library
)

select
    participant_id,
    track_id,
    spotify_uri,
    origin
from pseudonymised
