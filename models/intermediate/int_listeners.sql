-- One row is one enrolled participant: their secrets, their time zone, and what they grant.
with stg_participants as (select * from {{ ref('stg_participants') }}),

stg_keyring as (select * from {{ ref('stg_keyring') }}),

int_consent_state as (select * from {{ ref('int_consent_state') }}),

country_time_zones as (select * from {{ ref('country_time_zones') }}),

joined as (
    select
        stg_keyring.participant_no,
        stg_participants.participant_code,
        stg_keyring.pseudonym,
        stg_keyring.play_secret,
        stg_keyring.shift_weeks,
        stg_participants.birth_year,
        stg_participants.gender,
        stg_participants.country,
        country_time_zones.region,
        coalesce(stg_participants.time_zone, country_time_zones.time_zone, 'UTC') as time_zone,
        stg_participants.time_zone is null as is_time_zone_assumed,
        int_consent_state.history_from,
        int_consent_state.history_to,
        {%- for purpose in consent_purposes() %}
        coalesce(int_consent_state.grants_{{ purpose }}, false) as grants_{{ purpose }}{{ ',' if not loop.last }}
        {%- endfor %}
    from stg_participants
    inner join stg_keyring on stg_participants.participant_code = stg_keyring.participant_code
    left join int_consent_state on stg_participants.participant_code = int_consent_state.participant_code
    left join country_time_zones on stg_participants.country = country_time_zones.country
)

select * from joined
