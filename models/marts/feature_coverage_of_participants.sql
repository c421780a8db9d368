-- One row is one participant and one feature: how much of their music has a value of it.
with plays as (select * from {{ ref('plays') }}),

feat_track_coverage as (select * from {{ ref('feat_track_coverage') }}),

feat_coverage_classes as (select * from {{ ref('feat_coverage_classes') }}),

audio_features as (select * from {{ ref('audio_features') }}),

classed as (
    select
        plays.participant_id,
        coalesce(feat_track_coverage.coverage_class, 0) as coverage_class,
        count(*) as plays,
        count(*) filter (where plays.is_counted) as counted_plays
    from plays
    left join feat_track_coverage on plays.track_id = feat_track_coverage.track_id
    where plays.content_type = 'track'
    group by plays.participant_id, feat_track_coverage.coverage_class
),

wanted as (
    select
        classed.participant_id,
        classed.coverage_class,
        classed.plays,
        classed.counted_plays,
        audio_features.feature
    from classed
    cross join audio_features
),

covered as (
    select
        wanted.participant_id,
        wanted.feature,
        cast(sum(wanted.plays) as bigint) as plays,
        cast(sum(wanted.counted_plays) as bigint) as counted_plays,
        cast(
            sum(case when feat_coverage_classes.feature is null then 0 else wanted.plays end) as bigint
        ) as covered_plays,
        cast(
            sum(case when feat_coverage_classes.feature is null then 0 else wanted.counted_plays end) as bigint
        ) as covered_counted_plays
    from wanted
    left join feat_coverage_classes
        on
            wanted.coverage_class = feat_coverage_classes.coverage_class
            and wanted.feature = feat_coverage_classes.feature
    group by wanted.participant_id, wanted.feature
),

shares as (
    select
        participant_id,
        feature,
        plays,
        counted_plays,
        covered_plays,
        covered_counted_plays,
        cast(covered_plays as double) / plays as share_of_plays
    from covered
)

select * from shares
