-- One row is one track with audio features, and its class: tracks of one class have the same features, each from the
-- same source and found in the same way. There are few classes, so that coverage is counted by class.
with feat_track_resolved_values as (select * from {{ ref('feat_track_resolved_values') }}),

classed as (
    select
        track_id,
        {{ sum_of_digests(text_digest("concat_ws('|', feature, source_id, match_method)")) }} as coverage_class
    from feat_track_resolved_values
    where feature <> 'duration_ms'
    group by track_id
)

select * from classed
