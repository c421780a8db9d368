-- relation: warehouse.marts.population
-- tier: public
-- what: Between this release and each earlier public one, either no person or more than 20 persons were added, and either no person or more than 20 persons left. No person or more than 20 persons of this release are missing in each earlier controlled one.
-- example: One of 96 persons withdrew. The difference of the two releases describes that person. Two persons joined since the last controlled release: whoever has its rows computes every cell without the two.
-- why: Tables of two releases are published tables too (D7, All of Us). Persons who were erased since are counted by what the audit log says about the earlier release.
-- remedy: Wait until more than 20 persons were added or have left, or publish to the controlled tier instead. Of one command, the controlled tier is published first, and has everybody of both.
with candidate as (
    select release_no from vault.raw.releases where published_at is null
),
members as (
    select release_keyring.participant_no
    from vault.raw.release_keyring
    inner join candidate on candidate.release_no = release_keyring.release_no
),
earlier as (
    select release_no, tier from vault.raw.releases where published_at is not null
),
published as (
    select cast(facts ->> '$.release' as integer) as release_no, max(cast(facts ->> '$.persons' as bigint)) as persons
    from vault.raw.audit_log
    where kind = 'published'
    group by all
),
staying as (
    select
        earlier.release_no,
        earlier.tier,
        count(members.participant_no) as persons,
        count(release_keyring.participant_no) as known
    from earlier
    left join vault.raw.release_keyring on release_keyring.release_no = earlier.release_no
    left join members on members.participant_no = release_keyring.participant_no
    group by earlier.release_no, earlier.tier
),
changes as (
    select
        staying.release_no,
        staying.tier,
        coalesce(published.persons, staying.known) - staying.persons as gone,
        (select count(*) from members) - staying.persons as come
    from staying
    left join published on published.release_no = staying.release_no
)
select 'release ' || release_no as place
from changes
where (tier = 'public' and gone between 1 and 20) or come between 1 and 20
