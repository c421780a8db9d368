-- One row is one participant in one group by age band, gender or country.
with participants as (select * from marts.participants),

groups as (
    select 'age band' as grouping, coalesce(age_band, 'not stated') as group_name, participant_id from participants
    union all
    select 'gender' as grouping, coalesce(gender, 'not stated') as group_name, participant_id from participants
    union all
    select 'country' as grouping, coalesce(country, 'not stated') as group_name, participant_id from participants
)

select * from groups
order by grouping, group_name, participant_id
