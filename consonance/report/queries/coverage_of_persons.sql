-- One row is one participant, and the band of coverage: for what share of their plays one feature has a value. Who has none is a
-- band too: else how many they are would be what the others lack.
with participants as (select * from marts.participants),

shares as (
    select
        participant_id,
        least(cast(floor(share_of_plays * 4) as integer), 3) as quarter
    from marts.feature_coverage_of_participants
    where feature = getvariable('feature')
),

bands as (
    select
        participants.participant_id,
        'coverage' as grouping,
        coalesce(cast(25 * shares.quarter as varchar) || ' to ' || cast(25 * (shares.quarter + 1) as varchar) || ' %', 'no plays of tracks') as group_name
    from participants
    left join shares on participants.participant_id = shares.participant_id
)

select * from bands
order by group_name, participant_id
