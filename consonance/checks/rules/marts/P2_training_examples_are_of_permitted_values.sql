-- relation: warehouse.marts.training_examples
-- what: Every mean of a feature in the training examples is that of the plays of its window, over values of sources that permit training, by their licence or by a permission of the study that has not expired. Where there is such a value, there is a mean.
-- example: A mean valence that an archive of Spotify's API contributes to, in a study that has no permission for it.
-- why: A mean is made of its values, and a model cannot forget them (docs/permissions.md). This rule reads the licences and the study's permissions itself, not the models.
-- remedy: Run 'consonance load' and 'dbt run'. If the rule still fails, look at models/features/feat_training_window_features.sql and models/marts/training_examples.sql.
with may_be_trained_on as {sources_that_may_be_trained_on},
permitted as (
    select known.track_id, known.feature, known.value
    from warehouse.features.feat_training_values as known
    inner join may_be_trained_on on may_be_trained_on.source_id = known.source_id
),
wanted as (
    select
        heard.report_id,
        heard.emotion_window,
        permitted.feature,
        sum(least(plays.ms_played // 1000, 86400) * permitted.value) / nullif(sum(least(plays.ms_played // 1000, 86400)), 0) as mean
    from warehouse.features.feat_emotion_report_plays as heard
    inner join warehouse.anonymized.anon_plays as plays on plays.play_id = heard.play_id
    inner join permitted on permitted.track_id = plays.track_id
    group by heard.report_id, heard.emotion_window, permitted.feature
),
cells as (
    {%- for feature in audio_features if feature not in features_without_mean %}
    select report_id, emotion_window, '{{ feature }}' as feature, mean_{{ feature }} as mean
    from warehouse.marts.training_examples
    {{- '' if loop.last else '\n    union all' }}
    {%- endfor %}
)
select 'marts.training_examples.mean_' || cells.feature as place
from cells
left join wanted
    on
        wanted.report_id = cells.report_id
        and wanted.emotion_window = cells.emotion_window
        and wanted.feature = cells.feature
where
    -- The means have six digits.
    (cells.mean is null) <> (wanted.mean is null)
    or abs(cells.mean - wanted.mean) > 0.000001
