-- Reads `tracks`, as a rule names the tracks to check: each value of a feature whose source may not be passed on, by the
-- licence or by the study's own permission, or that is not the value of that source. "made" is the study that the
-- release is made of.
select cells.feature
from (
    {%- for feature in ['duration_ms'] + audio_features %}
    select track_id, '{{ feature }}' as feature, cast({{ feature }} as double) as value, {{ feature }}_source as source_id
    from tracks
    where {{ feature }} is not null or {{ feature }}_source is not null
    {{- '' if loop.last else '\n    union all' }}
    {%- endfor %}
) as cells
left join {sources_that_may_be_passed_on} as may_be_passed_on
    on may_be_passed_on.source_id = cells.source_id
left join made.features.feat_track_source_values as known
    on known.track_id = cells.track_id and known.source_id = cells.source_id and known.feature = cells.feature
where
    may_be_passed_on.source_id is null
    -- The columns have six digits.
    or not coalesce(abs(known.value - cells.value) <= 0.000001, false)
