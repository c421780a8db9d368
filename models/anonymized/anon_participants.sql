-- One row is one participant with an active consent to listening history or emotion reports.
with int_listeners as (
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
    from {{ ref('int_listeners') }}
),

stg_study as (
    select as_of_ms
    from {{ ref('stg_study') }}
),

stg_generalisation as (
    select
        age_level,
        country_level,
        gender_level
    from {{ ref('stg_generalisation') }}
),

pseudonymised as (
    select
        {{ function('participant_pseudonym') }}(int_listeners.pseudonym) as participant_id,
        {{ function('wider_age_band') }}(
            {{ function('age_band') }}(int_listeners.birth_year, stg_study.as_of_ms, int_listeners.grants_demographics),
            stg_generalisation.age_level
        ) as age_band,
        case
            when stg_generalisation.gender_level = 0
                then {{ function('gender_group') }}(int_listeners.gender, int_listeners.grants_demographics)
        end as gender,
        {{ function('wider_country') }}(
            {{ function('consented_country') }}(int_listeners.country, int_listeners.grants_demographics),
            int_listeners.region,
            stg_generalisation.country_level
        ) as country,
        {{ function('flag') }}(int_listeners.is_time_zone_assumed) as is_time_zone_assumed,
        {%- for purpose in consent_purposes() %}
        int_listeners.grants_{{ purpose }}{{ ',' if not loop.last }}
        {%- endfor %}
    from int_listeners
    cross join stg_study
    cross join stg_generalisation
    where int_listeners.grants_listening_history or int_listeners.grants_emotion_reports
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
