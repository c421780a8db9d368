-- One row is one kept play of a pseudonymous participant: its start on shifted local time, start and end in
-- elapsed time.
with int_play_fates as (
    select
        row_id,
        participant_no,
        history_source,
        fate,
        reported_ms,
        started_ms,
        ended_ms,
        start_offset_ms,
        ms_played,
        start_quality,
        content_type,
        content_uri,
        title,
        creator,
        platform,
        country,
        reason_start,
        reason_end,
        is_shuffle,
        is_offline,
        is_private_session
    from {{ ref('int_play_fates') }}
),

int_listeners as (
    select
        participant_no,
        pseudonym,
        play_secret,
        shift_weeks,
        country,
        grants_demographics
    from {{ ref('int_listeners') }}
),

stg_generalisation as (
    select country_level
    from {{ ref('stg_generalisation') }}
),

int_clock_origins as (
    select
        participant_no,
        origin_ms
    from {{ ref('int_clock_origins') }}
),

int_account_copies as (
    select
        row_id,
        copy_no
    from {{ ref('int_account_copies') }}
),

-- Private names without a URI; their ids must not be guessable.
private_names as (
    select distinct
        participant_no,
        coalesce(title, '') as title,
        coalesce(creator, '') as creator,
        is_private
    from {{ ref('int_spellings') }}
    where is_private and content_uri is null
),

pseudonymised as (
    select
        {{ function('record_pseudonym') }}(
            int_listeners.play_secret,
            concat_ws(
                '|',
                int_play_fates.history_source,
                int_play_fates.content_type,
                -- As reported: two plays may share their corrected times.
                cast(int_play_fates.reported_ms as string),
                cast(int_play_fates.ms_played as string),
                -- A text may contain the separator: the lengths say where each part ends.
                cast(coalesce(length(int_play_fates.content_uri), 0) as string),
                cast(coalesce(length(int_play_fates.title), 0) as string),
                coalesce(int_play_fates.content_uri, ''),
                coalesce(int_play_fates.title, ''),
                coalesce(int_play_fates.creator, ''),
                cast(coalesce(int_account_copies.copy_no, 1) as string)
            )
        ) as play_id,
        {{ function('participant_pseudonym') }}(int_listeners.pseudonym) as participant_id,
        {{ function('track_identity') }}(
            int_play_fates.content_uri, int_play_fates.title, int_play_fates.creator, private_names.is_private, int_listeners.play_secret
        ) as track_id,
        {{ function('shifted_local_time') }}(
            int_play_fates.started_ms, int_play_fates.start_offset_ms, int_listeners.shift_weeks
        ) as started_at_local,
        {{ function('elapsed_ms') }}(int_play_fates.started_ms, int_clock_origins.origin_ms) as started_elapsed_ms,
        {{ function('elapsed_ms') }}(int_play_fates.ended_ms, int_clock_origins.origin_ms) as ended_elapsed_ms,
        int_play_fates.ms_played,
        {{ function('known_word') }}(int_play_fates.start_quality) as start_quality,
        {{ function('known_word') }}(int_play_fates.content_type) as content_type,
        {{ function('reason_token') }}(int_play_fates.reason_start) as reason_start,
        {{ function('reason_token') }}(int_play_fates.reason_end) as reason_end,
        int_play_fates.is_shuffle,
        int_play_fates.is_offline,
        coalesce(int_play_fates.is_private_session, false) as is_private_session,
        {{ function('device_family') }}(int_play_fates.platform) as device_family,
        -- A release that withholds the countries of persons withholds those of their plays too, and whether they were abroad:
        -- this would tell who gave no demographics.
        {{ function('wider_country') }}(
            {{ function('consented_country') }}(int_play_fates.country, int_listeners.grants_demographics),
            cast(null as string),
            stg_generalisation.country_level
        ) as country,
        case
            when stg_generalisation.country_level < 2
                then {{ function('is_abroad') }}(int_play_fates.country, int_listeners.country, int_listeners.grants_demographics)
        end as is_abroad,
        int_play_fates.history_source
    from int_play_fates
    inner join int_listeners on int_play_fates.participant_no = int_listeners.participant_no
    inner join int_clock_origins on int_play_fates.participant_no = int_clock_origins.participant_no
    left join int_account_copies on int_play_fates.row_id = int_account_copies.row_id
    left join private_names
        on
            int_play_fates.participant_no = private_names.participant_no
            and coalesce(int_play_fates.title, '') = private_names.title
            and coalesce(int_play_fates.creator, '') = private_names.creator
            and int_play_fates.content_uri is null
    cross join stg_generalisation
    where int_play_fates.fate = 'kept'
)

select
    play_id,
    participant_id,
    track_id,
    started_at_local,
    started_elapsed_ms,
    ended_elapsed_ms,
    ms_played,
    start_quality,
    content_type,
    reason_start,
    reason_end,
    is_shuffle,
    is_offline,
    is_private_session,
    device_family,
    country,
    is_abroad,
    history_source
from pseudonymised
