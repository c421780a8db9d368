-- One row is one cell to suppress, because it and something else that is published would tell of a small
-- group. Two sets of persons part everyone into four regions. Where one of the four is empty by itself,
-- subtraction gives the others: each must hold nobody, or more than small_group persons. Asked again and
-- again, until no row is left: what is suppressed as a whole changes with every cell.
with rests as (
    -- Whoever adds up the published cells of a series knows what all the others hold together.
    select
        series,
        rank,
        bit_or(who) filter (where not is_published) as who,
        arg_min(cell, (persons, cell)) filter (where is_published) as smallest_cell
    from cells
    where adds_up
    group by series, rank
    having count(*) filter (where not is_published) > 0 and count(*) filter (where is_published) > 0
),

sets as (
    select 0 as rank, 0 as persons, '' as series, '' as cell, '' as loser, who from population
    union all
    select rank, persons, series, cell, cell, who from cells where is_published
    union all
    select rank, 0, series, '', smallest_cell, who from rests
),

regions as (
    select
        later.series,
        later.loser,
        earlier.rank = 0 as is_alone,
        [
            bit_count(earlier.who & later.who),
            bit_count(earlier.who & ~later.who),
            bit_count(~earlier.who & later.who),
            bit_count(~(earlier.who | later.who))
        ] as sizes
    from sets as later
    inner join sets as earlier
        on
            earlier.rank < later.rank
            or (
                earlier.rank = later.rank
                and (-earlier.persons, earlier.cell) < (-later.persons, later.cell)
            )
),

conflicts as (
    select *
    from regions
    where
        list_contains(sizes, 0)
        and len(list_filter(sizes, lambda size: size between 1 and getvariable('small_group'))) > 0
)

select distinct
    series,
    loser as cell
from conflicts
-- What cannot be published by itself goes first, so that it pulls nothing else along.
where is_alone or not exists (select 1 from conflicts as others where others.is_alone)
