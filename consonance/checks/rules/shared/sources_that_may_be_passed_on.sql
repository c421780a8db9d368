-- The sources of audio features whose values may be passed on, by their licence or by a permission of the study that
-- has not expired. It reads the licences and the permissions themselves, not the models.
select source_id from warehouse.reference.feature_sources as feature_sources where may_redistribute
union
select source_id from vault.raw.feature_permissions where scope = 'redistribute' and not is_expired
