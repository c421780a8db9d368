-- One row is one history source and one feature source (or "none"): how much music it covers.
with plays as (select * from {{ ref('plays') }}),

feature_sources as (select * from {{ ref('feature_sources') }}),

music as (
    select
        history_source,
        coalesce(feature_source, 'none') as feature_source,
        coalesce(feature_match_method, 'none') as match_method,
        track_id,
        participant_id,
        is_counted
    from plays
    where content_type = 'track'
),

totals as (
    select
        history_source,
        count(*) as all_plays
    from music
    group by history_source
),

covered as (
    select
        history_source,
        feature_source,
        match_method,
        count(distinct track_id) as tracks,
        count(distinct participant_id) as participants,
        count(*) as plays,
        count(*) filter (where is_counted) as counted_plays
    from music
    group by history_source, feature_source, match_method
),

joined as (
    select
        covered.history_source,
        covered.feature_source,
        covered.match_method,
        coalesce(feature_sources.may_train_models, false) as may_train_models,
        covered.participants,
        covered.tracks,
        covered.plays,
        covered.counted_plays,
        cast(covered.plays as double) / totals.all_plays as share_of_plays
    from covered
    inner join totals on covered.history_source = totals.history_source
    left join feature_sources on covered.feature_source = feature_sources.source_id
)

select * from joined
