-- One row is one track with audio features or a length: each value from the source that the study prefers of those
-- that have it.
with feat_track_resolved_values as (select * from {{ ref('feat_track_resolved_values') }}),

-- One source may have found a track in several ways, each feature in its own. The least sure of them is told of all.
placed as (
    select
        track_id,
        feature,
        value,
        source_id,
        match_method,
        match_confidence,
        case
            when feature <> 'duration_ms'
                then row_number() over (
                    partition by track_id, feature = 'duration_ms'
                    order by source_choice asc, match_confidence asc, match_method asc, feature asc
                )
        end as place
    from feat_track_resolved_values
),

resolved as (
    select
        track_id,
        max(case when place = 1 then source_id end) as feature_source,
        max(case when place = 1 then match_method end) as match_method,
        max(case when place = 1 then match_confidence end) as match_confidence
        {%- for feature in ['duration_ms'] + var('audio_features') %},
        cast({{ to_cast("max(case when feature = '" ~ feature ~ "' then value end)", feature_type(feature)) }} as {{ feature_type(feature) }}) as {{ feature }},
        max(case when feature = '{{ feature }}' then source_id end) as {{ feature }}_source
        {%- endfor %}
    from placed
    group by track_id
)

select * from resolved
