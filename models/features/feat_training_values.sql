-- One row is one track and one feature: the value that models may be trained on, of the source that the study prefers of
-- those that permit it.
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
        row_number() over (
            partition by feat_track_source_values.track_id, feat_track_source_values.feature
            order by feat_source_permissions.choice asc
        ) as choice
    from feat_track_source_values
    inner join feat_source_permissions on feat_track_source_values.source_id = feat_source_permissions.source_id
    where feat_source_permissions.may_train_models
),

preferred as (
    select
        track_id,
        feature,
        value,
        source_id,
        match_method,
        match_confidence
    from ranked
    where choice = 1
)

select * from preferred
