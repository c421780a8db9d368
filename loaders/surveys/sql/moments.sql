{# The moments of the records of one map in UTC, as they are written. A local time that a change of the clock leaves out,
   or gives twice, is read by the clock before the change: of two moments the earlier, so that nothing that was played
   after the answer counts as before it. #}
insert into survey_moments by name
with texts as (
    select
        records.map_no,
        records.line,
        people.time_zone as participant_zone,
        try_cast(records.offset_s as double) as offset_s,
        unnest([
            {%- for name in ('prompted', 'opened', 'answered', 'expires') %}
            {'kind': '{{ name }}', 'text': records.{{ name }}}{{ ',' if not loop.last }}
            {%- endfor %}
        ]) as moment
    from survey_records as records
    left join survey_people as people on records.participant_code = people.participant_code
    where records.map_no = {{ map_no }}
),

read as (
    select
        map_no,
        line,
        offset_s,
        {% if clock == 'zone' %}'{{ zone }}'{% elif clock == 'participant' %}participant_zone{% else %}cast(null as varchar){% endif %} as zone,
        moment.kind as kind,
        {%- if written_as == 'text' %}
        case when regexp_full_match(moment.text, '{{ with_offset }}') then timezone('UTC', try_cast(moment.text as timestamptz)) end as exact,
        {%- if clock == 'offset' %}
        cast(null as timestamp) as local
        {%- elif date_format %}
        try_strptime(moment.text, {{ date_format }}) as local
        {%- else %}
        case when regexp_full_match(moment.text, '{{ without_offset }}') then try_cast(moment.text as timestamp) end as local
        {%- endif %}
        {%- else %}
        cast(null as timestamp) as exact,
        case
            when try_cast(moment.text as double) between 0 and {{ 4102444800 * per_second }}
                then make_timestamp(cast(round(try_cast(moment.text as double) * {{ 1000000 // per_second }}) as bigint))
        end as local
        {%- endif %}
    from texts
    where moment.text is not null
),

possible as (
    select
        * replace (
            case when year(local) between 1970 and 2100 then local end as local,
            case when zone in (select name from pg_timezone_names()) then zone end as zone
        )
    from read
),

{%- if clock in ('zone', 'participant') %}

-- What the clock shows beyond UTC a day before, and a day after.
around as (
    select
        *,
        {{ offset_at("timezone('UTC', timezone(zone, local)) - interval 26 hours") }} as before_ms,
        {{ offset_at("timezone('UTC', timezone(zone, local)) + interval 26 hours") }} as after_ms
    from possible
),

candidates as (
    select
        *,
        local - to_milliseconds(before_ms) as by_the_clock_before,
        local - to_milliseconds(after_ms) as by_the_clock_after
    from around
),

fitting as (
    select
        *,
        timezone(zone, timezone('UTC', by_the_clock_before)) = local as fits_before,
        timezone(zone, timezone('UTC', by_the_clock_after)) = local as fits_after
    from candidates
)

select
    map_no,
    line,
    kind,
    coalesce(exact, case when fits_before or not fits_after then by_the_clock_before else by_the_clock_after end) as moment,
    coalesce(exact is null and fits_before and fits_after and by_the_clock_before <> by_the_clock_after, false) as is_twice,
    coalesce(exact is null and not fits_before and not fits_after, false) as is_missing
from fitting
{%- else %}

offsets as (
    select
        *,
        {% if clock == 'column' %}case when abs(offset_s) <= 64800 then cast(round(offset_s) as bigint) end{% else %}0{% endif %} as behind_s
    from possible
)

select
    map_no,
    line,
    kind,
    coalesce(exact, local - to_seconds(behind_s)) as moment,
    false as is_twice,
    false as is_missing
from offsets
{%- endif %}
