-- One row is one enrolled participant: their secrets, their clock, and what they grant.
with participants as (select * from {{ ref('stg_participants') }}),

keyring as (select * from {{ ref('stg_keyring') }}),

int_consent_state as (select * from {{ ref('int_consent_state') }}),

country_time_zones as (select * from {{ ref('country_time_zones') }}),

joined as (
    select
        keyring.participant_no,
        participants.participant_code,
        keyring.pseudonym,
        keyring.play_secret,
        keyring.shift_weeks,
        participants.birth_year,
        participants.gender,
        participants.country,
        country_time_zones.region,
        coalesce(participants.time_zone, country_time_zones.time_zone, 'UTC') as time_zone,
        participants.time_zone is null as is_time_zone_assumed,
        int_consent_state.history_from,
        int_consent_state.history_to,
        {%- for purpose in consent_purposes() %}
        coalesce(int_consent_state.grants_{{ purpose }}, false) as grants_{{ purpose }}{{ ',' if not loop.last }}
        {%- endfor %}
    from participants
    inner join keyring on participants.participant_code = keyring.participant_code
    left join int_consent_state on participants.participant_code = int_consent_state.participant_code
    left join country_time_zones on participants.country = country_time_zones.country
)

select * from joined
