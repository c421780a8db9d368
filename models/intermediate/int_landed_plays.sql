-- One row is one landed play of either history, with the times it began and ended (UTC) and how
-- sure they are. Definitions: docs/numbers.md, "Times" and "Content type".
with stg_extended_plays as (select * from {{ ref('stg_extended_plays') }}),

stg_account_plays as (select * from {{ ref('stg_account_plays') }}),

-- `ts` is the end of a play, but wrong after an exit; then the offline stamp, near the start, helps
-- if it is plausible: in either unit, not later than `ts`, at most 7 days before it. Milliseconds of it are left out:
-- exports have them until a known date only.
stamped as (
    select
        *,
        case
            when coalesce(is_offline, false) or offline_timestamp is null or offline_timestamp <= 1 then null
            when offline_timestamp >= 100000000000 then offline_timestamp - offline_timestamp % 1000
            else offline_timestamp * 1000
        end as stamp_ms
    from stg_extended_plays
),

judged as (
    select
        *,
        coalesce(reason_end in ('unexpected-exit', 'unexpected-exit-while-paused', 'logout'), false) as is_exit,
        coalesce(stamp_ms <= ts_ms and stamp_ms >= ts_ms - 604800000, false) as is_stamp_usable
    from stamped
),

extended as (
    select
        row_id,
        participant_no,
        member_id,
        row_no,
        key_count,
        'extended' as history_source,
        ts_ms as reported_ms,
        case
            when is_exit and is_stamp_usable and stamp_ms < ts_ms - ms_played then stamp_ms
            else ts_ms - ms_played
        end as started_ms,
        case
            when is_exit and is_stamp_usable and stamp_ms < ts_ms - ms_played then stamp_ms + ms_played
            else ts_ms
        end as ended_ms,
        ms_played,
        case
            when not is_exit then 'exact'
            when not is_stamp_usable then 'unreliable_exit'
            when stamp_ms < ts_ms - ms_played then 'offline_corrected'
            else 'exact'
        end as start_quality,
        case
            when coalesce(track_name, artist_name, track_uri) is not null then 'track'
            when coalesce(episode_name, show_name, episode_uri) is not null then 'episode'
            when coalesce(chapter_title, audiobook_title, chapter_uri, audiobook_uri) is not null then 'audiobook'
            else 'unknown'
        end as content_type,
        coalesce(track_uri, episode_uri, chapter_uri, audiobook_uri) as content_uri,
        case
            when coalesce(track_name, artist_name, track_uri) is not null then track_name
            when coalesce(episode_name, show_name, episode_uri) is not null then episode_name
            else chapter_title
        end as title,
        case
            when coalesce(track_name, artist_name, track_uri) is not null then artist_name
            when coalesce(episode_name, show_name, episode_uri) is not null then show_name
            else audiobook_title
        end as creator,
        case
            when coalesce(track_name, artist_name, track_uri) is not null then album_name
        end as album,
        platform,
        country,
        reason_start,
        reason_end,
        is_shuffle,
        is_offline,
        is_private_session
    from judged
),

account as (
    select
        row_id,
        participant_no,
        member_id,
        row_no,
        cast(null as smallint) as key_count,
        'account' as history_source,
        end_time_ms as reported_ms,
        end_time_ms - ms_played as started_ms,
        end_time_ms as ended_ms,
        ms_played,
        'minute_resolution' as start_quality,
        case kind
            when 'music' then 'track'
            when 'podcast' then 'episode'
            else 'audiobook'
        end as content_type,
        cast(null as string) as content_uri,
        title,
        creator,
        cast(null as string) as album,
        cast(null as string) as platform,
        cast(null as string) as country,
        cast(null as string) as reason_start,
        cast(null as string) as reason_end,
        cast(null as boolean) as is_shuffle,
        cast(null as boolean) as is_offline,
        cast(null as boolean) as is_private_session
    from stg_account_plays
),

unioned as (
    select * from extended
    union all
    select * from account
)

select * from unioned
