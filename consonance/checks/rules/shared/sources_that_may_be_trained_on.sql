-- The sources of audio features whose values may be trained on, by their licence or by a permission of the study that
-- has not expired. It reads the licences and the permissions themselves, not the models.
select source_id from warehouse.reference.feature_sources as feature_sources where may_train_models
union
select source_id from vault.raw.feature_permissions where scope = 'train' and not is_expired
