-- Emotion reports of the people: affect grids after listening, with a planted relation to the valence of what was
-- heard, and PANAS. $slope, $person_spread and $noise are those of consonance/synthetic/study.py.

-- One row is one report. About one session in six of the last year before the export is followed by one.
create or replace table reports as
with ends as (
    select true_plays.person_no, true_plays.session_no, max(ended_ms) as ended_ms
    from true_plays
    inner join people on people.person_no = true_plays.person_no
    where make_timestamp_ms(ended_ms) between people.last_day - interval 300 day and people.last_day - interval 1 day
    group by true_plays.person_no, true_plays.session_no
),

chosen as (
    select
        ends.person_no,
        ends.ended_ms // 1000 * 1000 + 1000 * cast(60 + floor(draw('delay', ends.person_no, ends.session_no) * 1500) as bigint) as answered_ms
    from ends
    qualify row_number() over (partition by ends.person_no order by draw('report', ends.person_no, ends.session_no)) <= 60
),

heard as (
    select chosen.person_no, chosen.answered_ms, avg(true_plays.valence) as valence
    from chosen
    inner join true_plays
        on
            true_plays.person_no = chosen.person_no
            and true_plays.ended_ms >= chosen.answered_ms - 3600000
            and true_plays.ended_ms < chosen.answered_ms
            and true_plays.kind = 'track'
            and true_plays.ms_played >= 30000
    group by chosen.person_no, chosen.answered_ms
)

select
    heard.person_no,
    heard.answered_ms,
    $slope * (heard.valence - 0.5)
    + $person_spread * draw_normal('temper of reports', heard.person_no, 0)
    + $noise * draw_normal('noise of reports', heard.person_no, heard.answered_ms) as felt_valence,
    0.4 * draw_normal('felt arousal', heard.person_no, heard.answered_ms) as felt_arousal
from heard;

-- One row is one answer, with its line for the survey file.
create or replace table affect_grid_answers as
with answers as (
    select reports.person_no, reports.answered_ms, 'valence' as item, felt_valence as felt from reports
    union all
    select reports.person_no, reports.answered_ms, 'arousal', felt_arousal from reports
)

select
    answers.person_no, answers.answered_ms, answers.item,
    concat_ws(
        ',', people.code, strftime(make_timestamp_ms(answers.answered_ms), '%Y-%m-%dT%H:%M:%S+00:00'), 'affect_grid', answers.item,
        cast(cast(greatest(1, least(9, round(5 + 4 * answers.felt))) as integer) as varchar)
    ) as line
from answers
inner join people on people.person_no = answers.person_no;

-- One row is one answer to one item, of every sixth report.
create or replace table panas_answers as
with chosen as (
    select *, row_number() over (partition by person_no order by answered_ms) as report_no from reports
),

items as (
    select unnest(['interested', 'excited', 'strong', 'enthusiastic', 'proud', 'alert', 'inspired', 'determined', 'attentive', 'active']) as item, 1 as sign
    union all
    select unnest(['distressed', 'upset', 'guilty', 'scared', 'hostile', 'irritable', 'ashamed', 'nervous', 'jittery', 'afraid']), -1
),

answers as (
    select
        chosen.person_no, chosen.answered_ms, items.item,
        greatest(1, least(5, round(3 + items.sign * 1.2 * chosen.felt_valence + 0.7 * draw_normal(items.item, chosen.person_no, chosen.answered_ms)))) as answer
    from chosen, items
    where
        chosen.report_no % 6 = 0
        -- Now and then an item, or several, are left out.
        and draw('left out', chosen.person_no, hash(chosen.answered_ms, items.item)) > case when chosen.report_no % 18 = 0 then 0.3 else 0.01 end
)

select
    answers.person_no, answers.answered_ms, answers.item,
    concat_ws(',', people.code, strftime(make_timestamp_ms(answers.answered_ms), '%Y-%m-%dT%H:%M:%S+00:00'), 'panas', answers.item, cast(cast(answers.answer as integer) as varchar)) as line
from answers
inner join people on people.person_no = answers.person_no;
