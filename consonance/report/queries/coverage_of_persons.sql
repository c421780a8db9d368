-- One row is one band of coverage: for what share of a person's plays one feature has a value, and how many persons
-- have such a share.
with shares as (
    select
        participant_id,
        least(cast(floor(share_of_plays * 4) as integer), 3) as quarter
    from marts.feature_coverage_of_participants
    where feature = getvariable('feature')
),

bands as (
    select
        cast(25 * quarter as varchar) || ' to ' || cast(25 * (quarter + 1) as varchar) || ' %' as band,
        count(*) as persons
    from shares
    group by quarter
)

select * from bands
order by band
