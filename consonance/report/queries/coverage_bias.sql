-- One row is one characteristic of plays: how plays with a value of one feature differ from plays without one. Both are of
-- at least so many persons; if of few, there is no row.
with feature_coverage_differences as (
    select * from marts.feature_coverage_differences
    where feature = getvariable('feature')
),

sides as (
    select
        count(*) filter (where covered_plays > 0) as covered,
        count(*) filter (where covered_plays < plays) as uncovered
    from marts.feature_coverage_of_participants
    where feature = getvariable('feature')
)

select
    characteristic,
    least(sides.covered, sides.uncovered) as persons,
    covered_plays,
    uncovered_plays,
    covered_mean,
    uncovered_mean,
    standardised_difference
from feature_coverage_differences
cross join sides
where least(sides.covered, sides.uncovered) > getvariable('small_group')
order by abs(standardised_difference) desc nulls last, characteristic
