-- One row is one history source, one feature, one source of its values (or "none") and one way of
-- matching (or "none"): how much music has such a value.
with plays as (select * from {{ ref('plays') }}),

feat_track_features as (select * from {{ ref('feat_track_features') }}),

feature_sources as (select * from {{ ref('feature_sources') }}),

music as (
    select
        history_source,
        track_id,
        participant_id,
        count(*) as plays,
        count(*) filter (where is_counted) as counted_plays
    from plays
    where content_type = 'track'
    group by history_source, track_id, participant_id
),

music_and_values as (
    {%- for feature in var('audio_features') %}
    select
        music.*,
        '{{ feature }}' as feature,
        coalesce(feat_track_features.{{ feature }}_source, 'none') as feature_source,
        case
            when feat_track_features.{{ feature }}_source is null then 'none' else feat_track_features.match_method
        end as match_method
    from music
    left join feat_track_features on music.track_id = feat_track_features.track_id
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

covered as (
    select
        history_source,
        feature,
        feature_source,
        match_method,
        count(distinct participant_id) as participants,
        count(distinct track_id) as tracks,
        cast(sum(plays) as bigint) as plays,
        cast(sum(counted_plays) as bigint) as counted_plays
    from music_and_values
    group by history_source, feature, feature_source, match_method
),

joined as (
    select
        covered.history_source,
        covered.feature,
        covered.feature_source,
        covered.match_method,
        coalesce(feature_sources.may_train_models, false) as may_train_models,
        covered.participants,
        covered.tracks,
        covered.plays,
        covered.counted_plays,
        cast(covered.plays as double)
        / sum(covered.plays) over (partition by covered.history_source, covered.feature) as share_of_plays
    from covered
    left join feature_sources on covered.feature_source = feature_sources.source_id
)

select * from joined
