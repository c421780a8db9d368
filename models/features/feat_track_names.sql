-- One row is one track that may be sought by its names: with the usual length of it, and a digest of names and
-- length. Private tracks are not among them.
with anon_tracks as (select * from {{ ref('anon_tracks') }}),

anon_plays as (select * from {{ ref('anon_plays') }}),

-- A play that ended by itself was as long as its track, unless it began in the middle.
lengths as (
    select
        track_id,
        ms_played,
        count(*) as plays
    from anon_plays
    where reason_end = 'trackdone' and ms_played >= {{ var('counted_from_ms') }} and track_id is not null
    group by track_id, ms_played
),

ordered_lengths as (
    select
        track_id,
        ms_played,
        row_number() over (partition by track_id order by plays desc, ms_played desc) as choice
    from lengths
),

named as (
    select
        anon_tracks.track_id,
        anon_tracks.creator,
        anon_tracks.title,
        coalesce(anon_tracks.album, '') as album,
        ordered_lengths.ms_played as usual_ms
    from anon_tracks
    left join ordered_lengths
        on
            anon_tracks.track_id = ordered_lengths.track_id
            and ordered_lengths.choice = 1
    where
        anon_tracks.content_type = 'track'
        and not anon_tracks.is_private
        and anon_tracks.creator is not null
        and anon_tracks.title is not null
),

digested as (
    select
        track_id,
        creator,
        title,
        album,
        usual_ms,
        -- A text may contain the separator: the lengths say where each part ends.
        {{ text_digest(
            "concat_ws('|', cast(length(creator) as string), cast(length(title) as string), creator, title, album, coalesce(cast(usual_ms as string), ''))"
        ) }} as names_digest
    from named
)

select * from digested
