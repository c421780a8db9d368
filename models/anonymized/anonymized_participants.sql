-- One row is one participant with an active consent to listening history or emotion reports.
with listeners as (
    select
        pseudonym,
        birth_year,
        gender,
        country,
        region,
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

generalisation as (
    select
        age_level,
        country_level,
        gender_level
    from {{ ref('stg_generalisation') }}
),

pseudonymised as (
    select
        {{ function('participant_pseudonym') }}(listeners.pseudonym) as participant_id,
        {{ function('wider_age_band') }}(
            {{ function('age_band') }}(listeners.birth_year, study.as_of_ms, listeners.grants_demographics),
            generalisation.age_level
        ) as age_band,
        case
            when generalisation.gender_level = 0
                then {{ function('gender_group') }}(listeners.gender, listeners.grants_demographics)
        end as gender,
        {{ function('wider_country') }}(
            {{ function('consented_country') }}(listeners.country, listeners.grants_demographics),
            listeners.region,
            generalisation.country_level
        ) as country,
        {{ function('flag') }}(listeners.is_time_zone_assumed) as is_time_zone_assumed,
        {%- for purpose in consent_purposes() %}
        listeners.grants_{{ purpose }}{{ ',' if not loop.last }}
        {%- endfor %}
    from listeners
    cross join study
    cross join generalisation
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
