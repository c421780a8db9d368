-- One row is one entry of a public scrobble list of a known person: a track and a true UTC time, drawn of
-- the plays in the vault that the attacker sees under a pseudonym, blurred by at most jitter_seconds. Of each
-- run of entries the wrong share names another track.
with tracks as (select * from temp.seen_tracks),

targets as (select * from temp.targets),

int_play_fates as (select * from vault.intermediate.int_play_fates),

drawn_plays as (
    select
        targets.person,
        int_play_fates.row_id,
        int_play_fates.started_ms,
        int_play_fates.content_uri,
        int_play_fates.title,
        int_play_fates.creator
    from int_play_fates
    inner join targets on int_play_fates.participant_no = targets.participant_no
    where
        int_play_fates.fate = 'kept'
        and drawn_share('scrobbled', targets.person, int_play_fates.row_id, 0, 0) * targets.plays < 4 * list_max(getvariable('list_sizes'))
),

names as (
    select
        title,
        creator,
        min(track) as track
    from tracks
    where spotify_uri is null
    group by title, creator
),

known_by_track as (
    select
        drawn_plays.person,
        drawn_plays.row_id,
        drawn_plays.started_ms,
        tracks.track
    from drawn_plays
    inner join tracks on drawn_plays.content_uri = tracks.spotify_uri
    union all
    select
        drawn_plays.person,
        drawn_plays.row_id,
        drawn_plays.started_ms,
        names.track
    from drawn_plays
    inner join names
        on
            drawn_plays.title is not distinct from names.title
            and drawn_plays.creator is not distinct from names.creator
    where drawn_plays.content_uri is null
),

-- What two files tell of one moment is one scrobble.
moments as (
    select
        person,
        track,
        started_ms,
        min(row_id) as row_id
    from known_by_track
    group by person, track, started_ms
),

ordered as (
    select
        *,
        row_number() over (partition by person order by drawn('place', person, row_id, 0, 0), row_id) - 1 as place
    from moments
),

listed as (
    select
        person,
        place,
        floor((place + 1) * getvariable('wrong_share')) > floor(place * getvariable('wrong_share')) as is_wrong,
        track,
        1 + (track + drawn_below(nullif((select count(*) from tracks) - 1, 0), 'wrong track', person, place, 0, 0))
        % (select count(*) from tracks) as wrong_track,
        started_ms
        + drawn_below(2000 * getvariable('jitter_seconds') + 1, 'jitter', person, place, 0, 0)
        - 1000 * getvariable('jitter_seconds') as scrobbled_ms
    from ordered
    where place < list_max(getvariable('list_sizes'))
),

blurred as (
    select
        person,
        cast(place as integer) as place,
        is_wrong,
        cast(case when is_wrong then wrong_track else track end as integer) as track,
        scrobbled_ms
    from listed
)

select * from blurred
