-- One row is one track and one feature, or its length: the value of the source that the study prefers of those that
-- have one.
with feat_track_source_values as (select * from {{ ref('feat_track_source_values') }}),

feat_source_permissions as (select * from {{ ref('feat_source_permissions') }}),

ranked as (
    select
        feat_track_source_values.track_id,
        feat_track_source_values.feature,
        feat_track_source_values.value,
        feat_track_source_values.source_id,
        feat_track_source_values.match_method,
        feat_track_source_values.match_confidence,
        feat_source_permissions.choice as source_choice,
        row_number() over (
            partition by feat_track_source_values.track_id, feat_track_source_values.feature
            order by feat_source_permissions.choice asc
        ) as choice
    from feat_track_source_values
    inner join feat_source_permissions on feat_track_source_values.source_id = feat_source_permissions.source_id
),

preferred as (
    select
        track_id,
        feature,
        value,
        source_id,
        match_method,
        match_confidence,
        cast(source_choice as integer) as source_choice
    from ranked
    where choice = 1
)

select * from preferred
