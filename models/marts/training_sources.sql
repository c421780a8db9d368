-- One row is one audio feature and one source whose values of it models are trained on: what permits it.
with feat_training_values as (select * from {{ ref('feat_training_values') }}),

feat_source_permissions as (select * from {{ ref('feat_source_permissions') }}),

counted as (
    select
        feature,
        source_id,
        count(*) as tracks
    from feat_training_values
    where feature <> 'duration_ms'
    group by feature, source_id
),

permitted as (
    select
        counted.feature,
        counted.source_id,
        feat_source_permissions.licence,
        feat_source_permissions.training_permitted_by,
        feat_source_permissions.training_reference,
        feat_source_permissions.training_expires_on,
        counted.tracks
    from counted
    inner join feat_source_permissions on counted.source_id = feat_source_permissions.source_id
)

select * from permitted
