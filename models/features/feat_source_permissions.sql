-- One row is one source of features: what its values may be used for, and whether the licence permits it or the study
-- has a permission of its own.
with feature_sources as (select * from {{ ref('feature_sources') }}),

anon_feature_permissions as (select * from {{ ref('anon_feature_permissions') }}),

anon_feature_use as (select * from {{ ref('anon_feature_use') }}),

-- Of several permissions the one that lasts longest.
ranked as (
    select
        source_id,
        scope,
        reference,
        expires_on,
        row_number() over (
            partition by source_id, scope
            order by coalesce(expires_on, '9999-12-31') desc, coalesce(reference, '') asc
        ) as choice
    from anon_feature_permissions
    where not is_expired
),

permitted as (
    select
        feature_sources.source_id,
        row_number() over (
            order by
                case
                    when false then 0
                    {%- for source_id in var('feature_source_order') %}
                    when feature_sources.source_id = '{{ source_id }}' then {{ loop.index }}
                    {%- endfor %}
                    else {{ var('feature_source_order') | length + 1 }}
                end asc,
                feature_sources.preference asc,
                feature_sources.source_id asc
        ) as choice,
        feature_sources.licence,
        {%- for use, scope, flag in (
            ('training', 'train', 'may_train_models'), ('redistribution', 'redistribute', 'may_redistribute')
        ) %}
        feature_sources.{{ flag }} or {{ use }}.source_id is not null as {{ flag }},
        case
            when feature_sources.{{ flag }} then 'licence'
            when {{ use }}.source_id is not null then 'study'
        end as {{ use }}_permitted_by,
        case when not feature_sources.{{ flag }} then {{ use }}.reference end as {{ use }}_reference,
        case when not feature_sources.{{ flag }} then {{ use }}.expires_on end as {{ use }}_expires_on
        {{- ',' if not loop.last }}
        {%- endfor %}
    from feature_sources
    {%- for use, scope in (('training', 'train'), ('redistribution', 'redistribute')) %}
    left join ranked as {{ use }}
        on
            feature_sources.source_id = {{ use }}.source_id
            and {{ use }}.scope = '{{ scope }}'
            and {{ use }}.choice = 1
    {%- endfor %}
),

shown as (
    select
        permitted.*,
        anon_feature_use.shown_for = 'study' or permitted.may_redistribute as is_shown
    from permitted
    cross join anon_feature_use
)

select * from shown
