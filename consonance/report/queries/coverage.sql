-- One row is one audio feature and one source of its values: for what share of the plays of tracks it has a value.
-- Sources that are known of few persons are left out.
with feature_coverage as (select * from marts.feature_coverage where grouped_by = 'all'),

totals as (
    select
        feature,
        sum(plays) as plays
    from feature_coverage
    group by feature
),

sources as (
    select
        feature_coverage.feature,
        feature_coverage.feature_source,
        bool_or(feature_coverage.may_train_models) as may_train_models,
        max(feature_coverage.participants) as persons,
        cast(sum(feature_coverage.plays) as bigint) as plays,
        sum(feature_coverage.plays) / any_value(totals.plays) as share_of_plays
    from feature_coverage
    inner join totals on feature_coverage.feature = totals.feature
    where feature_coverage.feature_source <> 'none'
    group by feature_coverage.feature, feature_coverage.feature_source
    having max(feature_coverage.participants) > getvariable('small_group')
)

select * from sources
order by feature, share_of_plays desc, feature_source
