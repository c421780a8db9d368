-- relation: public_values
-- tier: public
-- what: Neither a published cell nor the difference of published cells has 1 to 20 persons.
-- example: 64 persons listened and 60 of them on a phone, so four did not. 31 women and 30 men of 63 persons.
-- why: All of Us publishes no cell of 1 to 20 participants. If one cell contains another cell, their difference is a third cell (D7). This rule counts the persons again with joins instead of sets of bits, and requires 20 whatever the study sets.
-- remedy: Look at consonance/release/public_suppression.sql, which decides what is suppressed, at public_cells.sql and public.py, and at parameters.py, which reads small_group_persons.
with possible as materialized {persons_of_public_cells},
published as (
    select relation, cell from {public_values} as published where measure = 'persons'
),
series_published as (
    select distinct possible.series from possible semi join published using (relation, cell)
),
-- What can be known of: each published cell, what the unpublished cells of a series hold together, everyone.
known as (
    select relation || ': ' || cell as name, relation as place, participant_id
    from possible
    semi join published using (relation, cell)
    union
    select series || ', the rest', relation, participant_id
    from possible
    where
        adds_up
        and (relation, cell) not in (select relation, cell from published)
        and series in (select series from series_published)
    union
    select 'everyone', 'marts.population', participant_id from possible where series = 'everyone'
),
sizes as (
    select name, any_value(place) as place, count(*) as persons from known group by name
),
everyone as (
    select count(*) as persons from possible where series = 'everyone'
),
shared as (
    select one.name as one, two.name as two, count(*) as persons
    from known as one
    inner join known as two on two.participant_id = one.participant_id and two.name > one.name
    group by one.name, two.name
),
pairs as (
    select
        -- The table, and no name of a cell: titles are what participants heard.
        case when one.name = 'everyone' then two.place else one.place end as place,
        unnest([
            coalesce(shared.persons, 0),
            one.persons - coalesce(shared.persons, 0),
            two.persons - coalesce(shared.persons, 0),
            everyone.persons - one.persons - two.persons + coalesce(shared.persons, 0)
        ]) as region,
        -- Nothing can be subtracted if none of the four parts is empty by itself.
        coalesce(shared.persons, 0) in (0, one.persons, two.persons, one.persons + two.persons - everyone.persons) as is_nested
    from sizes as one
    inner join sizes as two on two.name > one.name
    left join shared on shared.one = one.name and shared.two = two.name
    cross join everyone
)
select place
from pairs
where is_nested and region between 1 and 20
union all
select 'marts.population'
from everyone
where persons <= 20
union all
-- The certificate says how many are in the release.
select 'marts.population'
from everyone
where
    everyone.persons <> (
        select count(*)
        from vault.raw.release_keyring
        inner join vault.raw.releases on releases.release_no = release_keyring.release_no
        where releases.published_at is null
    )
