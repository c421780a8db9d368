-- One row is one kept play of a pseudonymous participant: its start on shifted local time, start and end in
-- elapsed time.
with play_fates as (
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
        is_skipped_as_exported,
        is_shuffle,
        is_offline,
        is_private_session
    from {{ ref('play_fates') }}
),

listeners as (
    select
        participant_no,
        pseudonym,
        play_secret,
        shift_weeks,
        country,
        grants_demographics
    from {{ ref('listeners') }}
),

generalisation as (
    select country_level
    from {{ ref('stg_generalisation') }}
),

clock_origins as (
    select
        participant_no,
        origin_ms
    from {{ ref('clock_origins') }}
),

account_copies as (
    select
        row_id,
        copy_no
    from {{ ref('account_copies') }}
),

-- Names without a URI that are nobody else's; their ids must not be guessable.
private_names as (
    select distinct
        participant_no,
        coalesce(title, '') as title,
        coalesce(creator, '') as creator,
        is_private
    from {{ ref('spellings') }}
    where is_private and content_uri is null
),

pseudonymised as (
    select
        {{ function('record_pseudonym') }}(
            listeners.play_secret,
            concat_ws(
                '|',
                play_fates.history_source,
                play_fates.content_type,
                -- As reported: two plays may share their corrected times.
                cast(play_fates.reported_ms as varchar),
                cast(play_fates.ms_played as varchar),
                -- Texts may hold what stands between the parts: lengths tell where they end.
                cast(coalesce(length(play_fates.content_uri), 0) as varchar),
                cast(coalesce(length(play_fates.title), 0) as varchar),
                coalesce(play_fates.content_uri, ''),
                coalesce(play_fates.title, ''),
                coalesce(play_fates.creator, ''),
                cast(coalesce(account_copies.copy_no, 1) as varchar)
            )
        ) as play_id,
        {{ function('participant_pseudonym') }}(listeners.pseudonym) as participant_id,
        {{ function('track_identity') }}(
            play_fates.content_uri, play_fates.title, play_fates.creator, private_names.is_private, listeners.play_secret
        ) as track_id,
        {{ function('shifted_local_time') }}(
            play_fates.started_ms, play_fates.start_offset_ms, listeners.shift_weeks
        ) as started_at_local,
        {{ function('elapsed_ms') }}(play_fates.started_ms, clock_origins.origin_ms) as started_elapsed_ms,
        {{ function('elapsed_ms') }}(play_fates.ended_ms, clock_origins.origin_ms) as ended_elapsed_ms,
        play_fates.ms_played,
        {{ function('known_word') }}(play_fates.start_quality) as start_quality,
        {{ function('known_word') }}(play_fates.content_type) as content_type,
        {{ function('reason_token') }}(play_fates.reason_start) as reason_start,
        {{ function('reason_token') }}(play_fates.reason_end) as reason_end,
        play_fates.is_skipped_as_exported,
        play_fates.is_shuffle,
        play_fates.is_offline,
        coalesce(play_fates.is_private_session, false) as is_private_session,
        {{ function('device_family') }}(play_fates.platform) as device_family,
        -- Where a release tells no countries of people it tells none of their plays.
        {{ function('wider_country') }}(
            {{ function('consented_country') }}(play_fates.country, listeners.grants_demographics),
            cast(null as varchar),
            generalisation.country_level
        ) as country,
        {{ function('is_abroad') }}(play_fates.country, listeners.country, listeners.grants_demographics) as is_abroad,
        play_fates.history_source
    from play_fates
    inner join listeners on play_fates.participant_no = listeners.participant_no
    inner join clock_origins on play_fates.participant_no = clock_origins.participant_no
    left join account_copies on play_fates.row_id = account_copies.row_id
    left join private_names
        on
            play_fates.participant_no = private_names.participant_no
            and coalesce(play_fates.title, '') = private_names.title
            and coalesce(play_fates.creator, '') = private_names.creator
            and play_fates.content_uri is null
    cross join generalisation
    where play_fates.fate = 'kept'
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
    is_skipped_as_exported,
    is_shuffle,
    is_offline,
    is_private_session,
    device_family,
    country,
    is_abroad,
    history_source
from pseudonymised
