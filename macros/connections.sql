{# The settings of DuckDB that are not as they must be where the vault is attached; none is as it should be. What is written
   to disk in between is encrypted and in the study folder; nothing is fetched, kept as a secret or logged. `is_locked`: nor
   can other files be reached, or settings be changed. It is asked before each model (macros/stores.sql), whenever a vault is
   opened (consonance/study/vault.py), and by a rule. #}
{% macro unfit_settings(is_locked) -%}
    select name
    from duckdb_settings()
    where
        coalesce(value, '') <> case name
            when 'temp_file_encryption' then 'true'
            when 'autoinstall_known_extensions' then 'false'
            when 'allow_community_extensions' then 'false'
            when 'allow_persistent_secrets' then 'false'
            when 'allow_unredacted_secrets' then 'false'
            when 'enable_external_file_cache' then 'false'
            when 'enable_logging' then '0'
            when 'enable_profiling' then ''
            when 'log_query_path' then ''
            when 'profiling_output' then ''
            when 'http_logging_output' then ''
            {%- if is_locked %}
            when 'enable_external_access' then 'false'
            when 'lock_configuration' then 'true'
            {%- endif %}
            else coalesce(value, '')
        end
        or (name = 'temp_directory' and not ends_with(value, '.spill'))
{%- endmacro %}
