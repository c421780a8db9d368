-- One row is one track with audio features or a length: each value from the source that the study prefers of those
-- that have it.
with feat_track_resolved_values as (select * from {{ ref('feat_track_resolved_values') }}),

resolved as (
    select
        track_id,
        min_by(source_id, source_choice) filter (where feature <> 'duration_ms') as feature_source,
        min_by(match_method, source_choice) filter (where feature <> 'duration_ms') as match_method,
        min_by(match_confidence, source_choice) filter (where feature <> 'duration_ms') as match_confidence
        {%- for feature in ['duration_ms'] + var('audio_features') %},
        cast({{ to_cast("max(case when feature = '" ~ feature ~ "' then value end)", feature_type(feature)) }} as {{ feature_type(feature) }}) as {{ feature }},
        max(case when feature = '{{ feature }}' then source_id end) as {{ feature }}_source
        {%- endfor %}
    from feat_track_resolved_values
    group by track_id
)

select * from resolved
