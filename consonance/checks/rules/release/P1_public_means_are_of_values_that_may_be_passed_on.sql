-- relation: warehouse.marts.features_by_mood_quadrant
-- tier: public
-- what: The means of audio features in a public release are made of values of sources which may be redistributed, by their licence or by a permission of the study that has not expired.
-- example: A mean valence of an archive of Spotify's API, which nobody permitted to pass on.
-- why: A mean is made of its values: what may not be passed on is in it (docs/permissions.md). This rule reads the licences and the study's permissions itself, not the models.
-- remedy: Run 'consonance load' and publish again. If the rule still fails, look at models/features/feat_source_permissions.sql and feat_track_source_values.sql.
with tracks as (
    select * from made.marts.tracks
)
select feature from {cells_that_may_not_be_passed_on} as cells
