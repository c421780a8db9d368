-- One row is one play as an extended history states it.
with source as (select * from {{ source('raw', 'extended_plays') }}),

renamed as (
    select
        cast(member_id as bigint) * 4294967296 + row_no as row_id,
        participant_no,
        member_id,
        row_no,

        track_uri,
        track_name,
        artist_name,
        album_name,
        episode_uri,
        episode_name,
        show_name,
        chapter_uri,
        chapter_title,
        audiobook_uri,
        audiobook_title,
        platform,
        country,
        reason_start,
        reason_end,

        key_count,
        ms_played,
        -- Despite its name near the play's start. Milliseconds before 2022-10-13, seconds since.
        offline_timestamp,

        shuffle as is_shuffle,
        skipped as is_skipped_as_exported,
        offline as is_offline,
        incognito_mode as is_private_session,

        {{ epoch_ms('ts') }} as ts_ms
    from source
)

select * from renamed
