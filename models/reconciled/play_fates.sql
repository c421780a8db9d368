-- One row is one landed play: what became of it, and when it was by the participant's own clock.
with landed_plays as (select * from {{ ref('landed_plays') }}),

listeners as (select * from {{ ref('listeners') }}),

zone_days as (select * from {{ ref('zone_days') }}),

extended_duplicates as (select * from {{ ref('extended_duplicates') }}),

account_repeats as (select * from {{ ref('account_repeats') }}),

located as (
    select
        landed_plays.*,
        listeners.history_from,
        listeners.history_to,
        listeners.grants_listening_history,
        listeners.grants_podcasts_audiobooks,
        listeners.grants_private_sessions,
        case
            when extended_duplicates.row_id is not null then 'duplicate'
            else account_repeats.fate
        end as repeat_fate,
        coalesce(
            start_days.offset_ms,
            {{ zone_offset_ms('listeners.time_zone', 'landed_plays.started_ms') }}
        ) as start_offset_ms,
        coalesce(
            end_days.offset_ms,
            {{ zone_offset_ms('listeners.time_zone', 'landed_plays.ended_ms') }}
        ) as end_offset_ms
    from landed_plays
    inner join listeners on landed_plays.participant_no = listeners.participant_no
    left join zone_days as start_days
        on
            listeners.time_zone = start_days.time_zone
            and {{ epoch_day('landed_plays.started_ms') }} = start_days.utc_day
    left join zone_days as end_days
        on
            listeners.time_zone = end_days.time_zone
            and {{ epoch_day('landed_plays.ended_ms') }} = end_days.utc_day
    left join extended_duplicates on landed_plays.row_id = extended_duplicates.row_id
    left join account_repeats on landed_plays.row_id = account_repeats.row_id
),

dated as (
    select
        *,
        {{ date_of_epoch_day(epoch_day('(ended_ms + end_offset_ms)')) }} as ended_on
    from located
),

fated as (
    select
        row_id,
        participant_no,
        history_source,
        case
            when repeat_fate is not null then repeat_fate
            when ended_on < history_from or ended_on > history_to then 'outside_consent_window'
            when
                not grants_listening_history
                or (content_type in ('episode', 'audiobook') and not grants_podcasts_audiobooks)
                or (coalesce(is_private_session, false) and not grants_private_sessions)
                then 'purpose_not_granted'
            else 'kept'
        end as fate,
        reported_ms,
        started_ms,
        ended_ms,
        start_offset_ms,
        end_offset_ms,
        ms_played,
        start_quality,
        content_type,
        content_uri,
        title,
        creator,
        album,
        platform,
        country,
        reason_start,
        reason_end,
        is_skipped_as_exported,
        is_shuffle,
        is_offline,
        is_private_session
    from dated
)

select * from fated
