-- One row is one characteristic of plays: how plays with a value of one feature differ from plays without one.
with feature_coverage_differences as (select * from marts.feature_coverage_differences)

select
    characteristic,
    covered_plays,
    uncovered_plays,
    covered_mean,
    uncovered_mean,
    standardised_difference
from feature_coverage_differences
where feature = getvariable('feature')
order by abs(standardised_difference) desc nulls last, characteristic
