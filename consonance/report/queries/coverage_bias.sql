-- One row is one characteristic of plays: how plays with a value of one feature differ from plays without one. The
-- characteristic is known of plays of more than so many persons on both sides; of fewer, there is no row.
with feature_coverage_differences as (
    select * from marts.feature_coverage_differences
    where feature = getvariable('feature')
)

select
    characteristic,
    least(covered_participants, uncovered_participants) as persons,
    covered_plays,
    uncovered_plays,
    covered_mean,
    uncovered_mean,
    standardised_difference
from feature_coverage_differences
where least(covered_participants, uncovered_participants) > getvariable('small_group')
order by abs(standardised_difference) desc nulls last, characteristic
