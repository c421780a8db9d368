-- relation: warehouse.marts.tracks
-- tier: controlled
-- what: Every value of an audio feature in marts.tracks is that of a source which may be redistributed, by its licence or by a permission of the study that has not expired. marts.plays has the values of its tracks.
-- example: A valence of an archive of Spotify's API, which nobody permitted to pass on.
-- why: The terms of the sources differ, value by value (docs/permissions.md). This rule reads the licences and the study's permissions itself, not the models.
-- remedy: Run 'consonance load' and publish again. If the rule still fails, look at models/features/feat_source_permissions.sql and feat_track_source_values.sql.
with tracks as (
    select * from warehouse.marts.tracks as tracks
)
select feature from {cells_that_may_not_be_passed_on} as cells
union all
select 'plays'
from warehouse.marts.plays as plays
inner join tracks on tracks.track_id = plays.track_id
where
    {%- for feature in ['duration_ms'] + features_of_plays %}
    {{ 'or ' if not loop.first }}plays.{{ feature }} is distinct from tracks.{{ feature }}
    {%- endfor %}
