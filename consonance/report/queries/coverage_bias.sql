-- One row is one characteristic of plays: how plays with a value of one feature differ from plays without one. The
-- characteristic is known of plays of more than so many persons on both sides; of fewer, there is no row. Nor is there one
-- of the kind of history, if few donated one of the two.
with feature_coverage_differences as (
    select * from marts.feature_coverage_differences
    where feature = getvariable('feature')
),

histories as (
    select
        count(distinct participant_id) filter (where history_source = 'account') as account,
        count(distinct participant_id) filter (where history_source = 'extended') as extended
    from marts.plays
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
cross join histories
where
    least(covered_participants, uncovered_participants) > getvariable('small_group')
    and not (
        characteristic = 'is_of_account_history'
        and least(nullif(histories.account, 0), nullif(histories.extended, 0)) <= getvariable('small_group')
    )
order by abs(standardised_difference) desc nulls last, characteristic
