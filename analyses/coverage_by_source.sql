-- For what share of plays is the valence of the music known, and from which source? One row is one source.
-- Participants are those of the larger of the two histories.
with feature_coverage as (select * from {{ ref('feature_coverage') }}),

sources as (
    select
        feature_source,
        may_train_models,
        sum(tracks) as tracks,
        max(participants) as participants,
        sum(plays) as plays,
        round(sum(plays) * 1.0 / sum(sum(plays)) over (), 3) as share_of_plays
    from feature_coverage
    where feature = 'valence' and grouped_by = 'all'
    group by feature_source, may_train_models
)

select * from sources
order by plays desc, feature_source
