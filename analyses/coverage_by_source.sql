-- For what share of plays is the valence of the music known, and from which source? One row is one source.
with plays as (select * from {{ ref('plays') }}),

tracks as (select * from {{ ref('tracks') }}),

feature_coverage as (select * from {{ ref('feature_coverage') }}),

permissions as (
    select distinct
        feature_source,
        may_train_models
    from feature_coverage
    where feature = 'valence' and grouped_by = 'all'
),

heard as (
    select
        coalesce(tracks.valence_source, 'none') as feature_source,
        plays.participant_id,
        plays.track_id
    from plays
    left join tracks on plays.track_id = tracks.track_id
    where plays.content_type = 'track'
),

sources as (
    select
        heard.feature_source,
        permissions.may_train_models,
        count(distinct heard.track_id) as tracks,
        count(distinct heard.participant_id) as participants,
        count(*) as plays,
        round(count(*) * 1.0 / sum(count(*)) over (), 3) as share_of_plays
    from heard
    inner join permissions on heard.feature_source = permissions.feature_source
    group by heard.feature_source, permissions.may_train_models
)

select * from sources
order by plays desc, feature_source
