-- One row is one track, one genre classifier and one of its genres: how probable the classifier finds it.
with feat_track_genres as (select * from {{ ref('feat_track_genres') }}),

tracks as (select * from {{ ref('tracks') }}),

heard as (
    select
        tracks.track_id,
        feat_track_genres.model,
        feat_track_genres.genre,
        feat_track_genres.probability,
        cast(
            row_number() over (
                partition by tracks.track_id, feat_track_genres.model
                order by feat_track_genres.probability desc, feat_track_genres.genre asc
            ) as integer
        ) as place,
        feat_track_genres.n,
        feat_track_genres.source_id,
        feat_track_genres.match_method,
        feat_track_genres.match_confidence
    from feat_track_genres
    inner join tracks on feat_track_genres.track_id = tracks.track_id
)

select * from heard
