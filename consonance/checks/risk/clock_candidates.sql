-- One row is one person and one number of weeks by which the person may have been shifted, judged by the changes of the
-- clock: no session and no report makes it impossible, and where a change of the clock is needed there is one. A number of
-- weeks counts if one zone of the person allows it.
with clock_zones as (select * from temp.clock_zones),

session_clock_tests as (select * from temp.session_clock_tests),

report_clock_tests as (select * from temp.report_clock_tests),

tests as (
    select
        person,
        'session ' || session_id as mark,
        needs_change,
        time_zone,
        weeks,
        is_possible
    from session_clock_tests
    union all
    select
        person,
        'report ' || report_id as mark,
        needs_change,
        time_zone,
        weeks,
        is_possible
    from report_clock_tests
),

needs as (
    select
        person,
        count(distinct mark) as marks
    from tests
    where needs_change
    group by person
),

judged as (
    select
        person,
        time_zone,
        weeks,
        bool_and(is_possible) as is_possible,
        count(distinct mark) filter (where needs_change and is_possible) as explained_marks
    from tests
    where weeks is not null
    group by person, time_zone, weeks
),

weeks as (
    select cast(weeks as integer) as weeks
    from unnest(range(-getvariable('max_shift_weeks'), getvariable('max_shift_weeks') + 1)) as whole (weeks)
    where weeks <> 0
),

candidates as (
    select distinct
        clock_zones.person,
        weeks.weeks
    from clock_zones
    cross join weeks
    left join judged
        on
            clock_zones.person = judged.person
            and clock_zones.time_zone = judged.time_zone
            and weeks.weeks = judged.weeks
    left join needs on clock_zones.person = needs.person
    where
        coalesce(judged.is_possible, true)
        and coalesce(judged.explained_marks, 0) = coalesce(needs.marks, 0)
)

select * from candidates
