-- relation: warehouse.features.feat_training_values
-- what: Every value that models may be trained on is that of a source which permits it, by its licence or by a permission of the study that has not expired. Where such a source has a value, there is one.
-- example: A valence of an archive of Spotify's API, in a study that has no permission for it.
-- why: A model cannot forget a value (docs/permissions.md). This rule reads the licences and the study's permissions itself, not the models.
-- remedy: Run 'consonance load' and 'dbt run'. If the rule still fails, look at models/features/feat_source_permissions.sql and feat_training_values.sql.
with may_be_trained_on as {sources_that_may_be_trained_on},
permitted as (
    select known.track_id, known.feature, known.source_id, known.value
    from warehouse.features.feat_track_source_values as known
    inner join may_be_trained_on on may_be_trained_on.source_id = known.source_id
),
wanted as (
    select distinct track_id, feature from permitted
)
select 'features.feat_training_values.value' as place, 'may not be trained on' as detail
from warehouse.features.feat_training_values as used
left join permitted
    on
        permitted.track_id = used.track_id
        and permitted.feature = used.feature
        and permitted.source_id = used.source_id
        and permitted.value = used.value
where permitted.track_id is null
union all
select 'features.feat_training_values.value', 'is there twice'
from warehouse.features.feat_training_values as used
group by used.track_id, used.feature
having count(*) > 1
union all
select 'features.feat_training_values.value', 'is missing'
from wanted
left join warehouse.features.feat_training_values as used
    on used.track_id = wanted.track_id and used.feature = wanted.feature
where used.track_id is null
