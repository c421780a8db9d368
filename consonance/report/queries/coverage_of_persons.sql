-- One row is one participant, and the band of coverage: for what share of their plays one feature has a value.
with shares as (
    select
        participant_id,
        least(cast(floor(share_of_plays * 4) as integer), 3) as quarter
    from marts.feature_coverage_of_participants
    where feature = getvariable('feature')
),

bands as (
    select
        participant_id,
        'coverage' as grouping,
        cast(25 * quarter as varchar) || ' to ' || cast(25 * (quarter + 1) as varchar) || ' %' as group_name
    from shares
)

select * from bands
order by group_name, participant_id
