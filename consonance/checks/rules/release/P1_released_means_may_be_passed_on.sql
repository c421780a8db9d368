-- relation: warehouse.marts.emotion_window_features
-- tier: controlled
-- what: The means of audio features in the windows of emotion reports, and in the training examples, are made of values of sources which may be redistributed, by their licence or by a permission of the study that has not expired.
-- example: A mean valence that an archive of Spotify's API contributes to, which nobody permitted to pass on.
-- why: A mean is made of its values: what may not be passed on is in it (docs/permissions.md). This rule reads the licences and the study's permissions itself, not the models.
-- remedy: Run 'consonance load' and publish again. If the rule still fails, look at models/features/feat_source_permissions.sql and feat_track_source_values.sql.
with may_be_passed_on as {sources_that_may_be_passed_on},
known as (
    select 'window' as place, track_id, feature, value, source_id from made.features.feat_track_resolved_values
    union all
    select 'example', track_id, feature, value, source_id from made.features.feat_training_values
),
wanted as (
    select
        known.place,
        heard.report_id,
        heard.emotion_window,
        known.feature,
        sum(least(plays.ms_played // 1000, 86400) * known.value) / nullif(sum(least(plays.ms_played // 1000, 86400)), 0) as mean
    from made.features.feat_emotion_report_plays as heard
    inner join made.anonymized.anon_plays as plays on plays.play_id = heard.play_id
    inner join known on known.track_id = plays.track_id
    inner join may_be_passed_on on may_be_passed_on.source_id = known.source_id
    group by known.place, heard.report_id, heard.emotion_window, known.feature
),
cells as (
    select 'window' as place, report_id, emotion_window, feature, mean
    from warehouse.marts.emotion_window_features
    {%- for feature in features_of_plays if feature not in features_without_mean %}
    union all
    select 'window', report_id, emotion_window, '{{ feature }}', mean_{{ feature }}
    from warehouse.marts.emotion_windows
    {%- endfor %}
    {%- for feature in audio_features if feature not in features_without_mean %}
    union all
    select 'example', report_id, emotion_window, '{{ feature }}', mean_{{ feature }}
    from warehouse.marts.training_examples
    {%- endfor %}
)
select cells.feature
from cells
left join wanted
    on
        wanted.place = cells.place
        and wanted.report_id = cells.report_id
        and wanted.emotion_window = cells.emotion_window
        and wanted.feature = cells.feature
where
    -- The means have six digits.
    (cells.mean is null) <> (wanted.mean is null)
    or abs(cells.mean - wanted.mean) > 0.000001
