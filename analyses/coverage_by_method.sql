-- In which way is the music of a play found in the sources of features, and for what share of plays? One row is one feature
-- and one way: valence has sources that know Spotify's ids, mood_happy the open road by names (docs/matching.md).
-- Participants are at least so many: those of the history, extended or account, that has more of them.
with feature_coverage as (select * from {{ ref('feature_coverage') }}),

methods as (
    select
        feature,
        feature_source,
        match_method,
        max(participants) as participants,
        sum(plays) as plays,
        round(sum(plays) * 1.0 / sum(sum(plays)) over (partition by feature), 3) as share_of_plays
    from feature_coverage
    where feature in ('valence', 'mood_happy') and grouped_by = 'all'
    group by feature, feature_source, match_method
)

select * from methods
order by feature desc, plays desc, feature_source, match_method
