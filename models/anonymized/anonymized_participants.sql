-- One row is one participant with an active consent to listening history or emotion reports.
with listeners as (
    select
        pseudonym,
        birth_year,
        gender,
        country,
        is_time_zone_assumed,
        {%- for purpose in consent_purposes() %}
        grants_{{ purpose }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('listeners') }}
),

study as (
    select as_of_ms
    from {{ ref('stg_study') }}
),

pseudonymised as (
    select
        {{ function('participant_pseudonym') }}(listeners.pseudonym) as participant_id,
        {{ function('age_band') }}(listeners.birth_year, study.as_of_ms, listeners.grants_demographics) as age_band,
        {{ function('gender_group') }}(listeners.gender, listeners.grants_demographics) as gender,
        {{ function('consented_country') }}(listeners.country, listeners.grants_demographics) as country,
        {{ function('flag') }}(listeners.is_time_zone_assumed) as is_time_zone_assumed,
        {%- for purpose in consent_purposes() %}
        listeners.grants_{{ purpose }}{{ ',' if not loop.last }}
        {%- endfor %}
    from listeners
    cross join study
    where listeners.grants_listening_history or listeners.grants_emotion_reports
)

select
    participant_id,
    age_band,
    gender,
    country,
    is_time_zone_assumed,
    {%- for purpose in consent_purposes() %}
    grants_{{ purpose }}{{ ',' if not loop.last }}
    {%- endfor %}
from pseudonymised
