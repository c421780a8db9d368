-- Moments of plays, answers and prompts are later by what the temporary table `moved` says of each participant: `moved_by`,
-- and the same in seconds, `moved_s`; those from `turn` on, if there is one, by an hour less.
{%- macro moved_moment(moment) -%}
    {{ moment }} + moved.moved_by - to_hours(case when {{ moment }} >= moved.turn then 1 else 0 end)
{%- endmacro %}
{%- macro moved_seconds(stamp, in_one_second) -%}
    {{ stamp }} + {{ in_one_second }} * (
        moved.moved_s - case when {{ stamp }} >= {{ in_one_second }} * epoch(moved.turn) then 3600 else 0 end
    )
{%- endmacro %}
update vault.raw.extended_plays as plays
set
    ts = {{ moved_moment('plays.ts') }},
    -- Milliseconds or seconds; 0 and 1 are no moments.
    offline_timestamp = case
        when plays.offline_timestamp >= 100000000000 then {{ moved_seconds('plays.offline_timestamp', 1000) }}
        when plays.offline_timestamp > 200000000 then {{ moved_seconds('plays.offline_timestamp', 1) }}
        else plays.offline_timestamp
    end
from moved
where plays.participant_no = moved.participant_no;

update vault.raw.account_plays as plays
set end_time = {{ moved_moment('plays.end_time') }}
from moved
where plays.participant_no = moved.participant_no;

update vault.raw.survey_answers as answers
set answered_at = {{ moved_moment('answers.answered_at') }}
from moved
where answers.participant_code = moved.participant_code;

update vault.raw.survey_prompts as prompts
set
    prompted_at = {{ moved_moment('prompts.prompted_at') }},
    opened_at = {{ moved_moment('prompts.opened_at') }},
    answered_at = {{ moved_moment('prompts.answered_at') }},
    expires_at = {{ moved_moment('prompts.expires_at') }}
from moved
where prompts.participant_code = moved.participant_code;
