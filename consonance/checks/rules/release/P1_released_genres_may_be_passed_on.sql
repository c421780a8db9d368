-- relation: warehouse.marts.track_genres
-- tier: controlled
-- what: Every probability of a genre in marts.track_genres is of a source which may be redistributed, by its licence or by a permission of the study that has not expired, and is the value that the study has of it.
-- example: A genre of a classifier whose owner forbids passing its values on.
-- why: The terms of the sources differ (docs/permissions.md). This rule reads the licences and the study's permissions itself, not the models.
-- remedy: Run 'consonance load' and publish again. If the rule still fails, look at models/features/feat_source_permissions.sql and feat_track_genres.sql.
select genres.genre
from warehouse.marts.track_genres as genres
left join {sources_that_may_be_passed_on} as may_be_passed_on
    on may_be_passed_on.source_id = genres.source_id
left join made.features.feat_track_genres as known
    on
        known.track_id = genres.track_id and known.source_id = genres.source_id and known.model = genres.model
        and known.genre = genres.genre
where
    may_be_passed_on.source_id is null
    or not coalesce(abs(known.probability - genres.probability) <= 0.000001, false)
