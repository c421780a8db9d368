-- One row is one play of a track: whether one feature of its music is known, and what may go with that. Of more than
-- 200,000 plays every n-th one, by a hash of its number.
with tracks as (
    select
        track_id,
        ln(plays) as popularity,
        case getvariable('feature')
            when 'valence' then valence is not null
            when 'valence_tags' then valence_tags is not null
            when 'valence_lyrics_audio' then valence_lyrics_audio is not null
            when 'mood_happy' then mood_happy is not null
        end as is_known
    from marts.tracks
    where content_type = 'track'
),

plays as (
    select
        participant_id,
        play_id,
        track_id,
        least(ms_played / 1000, 600) as seconds_played,
        is_skip,
        is_shuffle,
        hour(started_at_local) < 6 as is_at_night
    from marts.plays
    where content_type = 'track'
),

joined as (
    select
        plays.participant_id,
        tracks.is_known,
        tracks.popularity,
        plays.seconds_played,
        plays.is_skip,
        plays.is_shuffle,
        plays.is_at_night
    from plays
    inner join tracks on plays.track_id = tracks.track_id
    where hash(plays.play_id) % greatest(1, cast(ceil((select count(*) from plays) / 200000) as ubigint)) = 0
)

select * from joined
order by all
