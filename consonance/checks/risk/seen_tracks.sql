-- One row is one public track that the attacker sees, numbered. Private ones mean nothing to others.
with tracks as (select * from warehouse.marts.tracks),

numbered as (
    select
        cast(row_number() over (order by track_id) as integer) as track,
        track_id,
        spotify_uri,
        title,
        creator
    from tracks
    where not is_private
)

select * from numbered
