-- Prompts and emotion reports of the people. What is planted: consonance/synthetic/planted.py, whose constants are the
-- variables here.

-- Local time of the person, as a date and an hour with fraction.
create or replace macro local_time(ms, zone) as timezone(zone, timezone('UTC', make_timestamp_ms(ms)));
create or replace macro local_hour(ms, zone) as
    hour(local_time(ms, zone)) + minute(local_time(ms, zone)) / 60.0;
create or replace macro moment_of(local_moment, zone) as epoch_ms(timezone('UTC', timezone(zone, local_moment)));

-- One row is one prompt. It is answered some minutes later, or never; then answered_ms is when it would have been.
create or replace table prompts as
with ends as (
    select true_plays.person_no, true_plays.session_no, max(ended_ms) as ended_ms
    from true_plays
    inner join people on people.person_no = true_plays.person_no
    where make_timestamp_ms(ended_ms) between people.last_day - interval 300 day and people.last_day - interval 1 day
    group by true_plays.person_no, true_plays.session_no
),

after_listening as (
    select
        ends.person_no,
        ends.ended_ms + cast(floor(60000 + draw('delay', ends.person_no, ends.session_no) * 1200000) as bigint) as prompted_ms
    from ends
    qualify row_number() over (partition by ends.person_no order by draw('prompt', ends.person_no, ends.session_no)) <= $prompts_after_listening
),

-- On some of these days there is another prompt.
at_any_time as (
    select
        people.person_no,
        moment_of(
            date_trunc('day', local_time(after_listening.prompted_ms, people.zone))
            + to_seconds(cast(floor((9 + 13 * draw('hour of prompt', people.person_no, after_listening.prompted_ms)) * 3600) as bigint)),
            people.zone
        ) as prompted_ms
    from after_listening
    inner join people on people.person_no = after_listening.person_no
    qualify row_number() over (partition by people.person_no order by draw('another prompt', people.person_no, after_listening.prompted_ms)) <= $other_prompts
),

-- No two in one second.
sent as (
    select distinct person_no, prompted_ms // 1000 * 1000 as prompted_ms
    from (from after_listening union all from at_any_time)
)

select
    person_no,
    row_number() over (partition by person_no order by prompted_ms) as prompt_no,
    prompted_ms,
    prompted_ms + 1000 * cast(20 + floor(draw('opening', person_no, prompted_ms) * 280) as bigint) as opened_ms,
    prompted_ms + 1000 * cast(310 + floor(draw('answering', person_no, prompted_ms) * 60) as bigint) as answered_ms,
    prompted_ms + 1800000 as expires_ms
from sent;

-- One row is one prompt and the mood at its moment.
create or replace table moods as
with heard as (
    select
        prompts.person_no,
        prompts.prompt_no,
        sum(true_plays.valence * true_plays.ms_played) / sum(true_plays.ms_played) as valence
    from prompts
    inner join true_plays
        on
            true_plays.person_no = prompts.person_no
            and true_plays.ended_ms >= prompts.answered_ms - 3600000
            and true_plays.ended_ms < prompts.answered_ms
            and true_plays.kind = 'track'
            and true_plays.ms_played >= 30000
    group by prompts.person_no, prompts.prompt_no
),

centred as (
    select
        *,
        valence - avg(valence) over (partition by person_no) as valence_within,
        avg(valence) over (partition by person_no) - avg(valence) over () as valence_between
    from heard
),

felt as (
    select
        prompts.*,
        $valence_within * coalesce(centred.valence_within, 0)
        + $valence_between * coalesce(centred.valence_between, 0)
        + $person_spread * draw_normal('temper of reports', prompts.person_no, 0)
        + $day_spread * draw_normal('mood of the day', prompts.person_no, cast(local_time(prompts.prompted_ms, people.zone) as date))
        + $moment_spread * draw_normal('mood of the moment', prompts.person_no, prompts.prompted_ms) as valence,
        $arousal_by_hour * cos(2 * pi() * (local_hour(prompts.answered_ms, people.zone) - $peak_hour) / 24)
        + $person_spread * draw_normal('arousal as a rule', prompts.person_no, 0)
        + $moment_spread * draw_normal('arousal then', prompts.person_no, prompts.prompted_ms) as arousal
    from prompts
    inner join people on people.person_no = prompts.person_no
    left join centred on centred.person_no = prompts.person_no and centred.prompt_no = prompts.prompt_no
)

select
    *,
    case
        when draw('answered', person_no, prompted_ms) < least(0.98, greatest(0.05, $answered_at_all + $answered_by_valence * valence)) then 'answered'
        when draw('given up', person_no, prompted_ms) < 0.1 then 'unfinished'
        else 'unanswered'
    end as status
from felt;

-- One row is one weekly questionnaire: Sunday evening, when somebody felt like filling it in.
create or replace table weeks as
with sundays as (
    select
        people.person_no,
        number as week_no,
        moment_of(
            cast(date_trunc('week', people.last_day) - interval 1 day - interval 7 day * number as timestamp)
            + to_seconds(cast(floor((18 + 4 * draw('evening of the week', people.person_no, number)) * 3600) as bigint)),
            people.zone
        ) as answered_ms
    from people, range($weeks) as numbers (number)
)

select
    person_no,
    week_no,
    answered_ms,
    $person_spread * draw_normal('temper of reports', person_no, 0) + $day_spread * draw_normal('mood of the week', person_no, week_no) as valence
from sundays
where draw('weekly', person_no, week_no) < 0.85;

-- One row is one answer to one item of a weekly questionnaire.
create or replace table panas_answers as
with items as (
    select unnest(['interested', 'excited', 'strong', 'enthusiastic', 'proud', 'alert', 'inspired', 'determined', 'attentive', 'active']) as item, 1 as sign
    union all
    select unnest(['distressed', 'upset', 'guilty', 'scared', 'hostile', 'irritable', 'ashamed', 'nervous', 'jittery', 'afraid']), -1
)

select
    weeks.person_no,
    weeks.week_no,
    weeks.answered_ms,
    items.item,
    cast(greatest(1, least(5, round(2.5 + items.sign * (0.5 + 2 * weeks.valence) + 0.7 * draw_normal(items.item, weeks.person_no, weeks.week_no)))) as integer) as answer
from weeks, items
-- Now and then an item, or several, are left out.
where draw('left out', weeks.person_no, hash(weeks.week_no, items.item)) > case when weeks.week_no % 5 = 4 then 0.2 else 0.01 end;
