-- One row is one landed play: its fate (`kept`, or the reason why it is left out), and when it was on the
-- participant's own clock.
with int_landed_plays as (select * from {{ ref('int_landed_plays') }}),

int_listeners as (select * from {{ ref('int_listeners') }}),

int_zone_days as (select * from {{ ref('int_zone_days') }}),

int_extended_duplicates as (select * from {{ ref('int_extended_duplicates') }}),

int_account_repeats as (select * from {{ ref('int_account_repeats') }}),

located as (
    select
        int_landed_plays.*,
        int_listeners.history_from,
        int_listeners.history_to,
        int_listeners.grants_listening_history,
        int_listeners.grants_podcasts_audiobooks,
        int_listeners.grants_private_sessions,
        case
            when int_extended_duplicates.row_id is not null then 'duplicate'
            else int_account_repeats.fate
        end as repeat_fate,
        coalesce(
            start_days.offset_ms,
            {{ zone_offset_ms('int_listeners.time_zone', 'int_landed_plays.started_ms') }}
        ) as start_offset_ms,
        coalesce(
            end_days.offset_ms,
            {{ zone_offset_ms('int_listeners.time_zone', 'int_landed_plays.ended_ms') }}
        ) as end_offset_ms
    from int_landed_plays
    inner join int_listeners on int_landed_plays.participant_no = int_listeners.participant_no
    left join int_zone_days as start_days
        on
            int_listeners.time_zone = start_days.time_zone
            and {{ epoch_day('int_landed_plays.started_ms') }} = start_days.utc_day
    left join int_zone_days as end_days
        on
            int_listeners.time_zone = end_days.time_zone
            and {{ epoch_day('int_landed_plays.ended_ms') }} = end_days.utc_day
    left join int_extended_duplicates on int_landed_plays.row_id = int_extended_duplicates.row_id
    left join int_account_repeats on int_landed_plays.row_id = int_account_repeats.row_id
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
        is_shuffle,
        is_offline,
        is_private_session
    from dated
)

select * from fated
