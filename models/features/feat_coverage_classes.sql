-- One row is one class of tracks and one feature that they have: from which source, and how they were found there. Tracks
-- without features are in no class.
with feat_track_coverage as (select * from {{ ref('feat_track_coverage') }}),

feat_track_resolved_values as (select * from {{ ref('feat_track_resolved_values') }}),

members as (
    select
        coverage_class,
        min(track_id) as track_id
    from feat_track_coverage
    group by coverage_class
),

described as (
    select
        members.coverage_class,
        feat_track_resolved_values.feature,
        feat_track_resolved_values.source_id,
        feat_track_resolved_values.match_method
    from members
    inner join feat_track_resolved_values on members.track_id = feat_track_resolved_values.track_id
    where feat_track_resolved_values.feature <> 'duration_ms'
)

select * from described
