-- One row is one play.
with anon_plays as (select * from {{ ref('anon_plays') }}),

ses_plays as (select * from {{ ref('ses_plays') }}),

feat_track_features as (select * from {{ ref('feat_track_features') }}),

joined as (
    select
        anon_plays.play_id,
        anon_plays.participant_id,
        ses_plays.session_id,
        anon_plays.track_id,

        ses_plays.started_at_local,
        ses_plays.ended_at_local,
        anon_plays.ms_played,
        anon_plays.start_quality,

        anon_plays.content_type,
        anon_plays.reason_start,
        anon_plays.reason_end,
        case
            when anon_plays.reason_end in ('fwdbtn', 'backbtn', 'endplay') then true
            when anon_plays.reason_end is null or anon_plays.reason_end = 'unknown' then null
            else false
        end as is_skip,
        anon_plays.is_shuffle,
        anon_plays.is_offline,
        anon_plays.is_private_session,
        anon_plays.device_family,
        anon_plays.country,
        anon_plays.is_abroad,
        anon_plays.ms_played >= {{ var('counted_from_ms') }} as is_counted,
        anon_plays.history_source,

        feat_track_features.duration_ms,
        case
            when anon_plays.ms_played >= feat_track_features.duration_ms then 1
            else cast(anon_plays.ms_played as double) / feat_track_features.duration_ms
        end as share_heard,
        feat_track_features.feature_source,
        feat_track_features.match_method as feature_match_method,
        feat_track_features.match_confidence as feature_match_confidence
        {%- for feature in var('features_of_plays') %},
        feat_track_features.{{ feature }}
        {%- endfor %}
    from anon_plays
    inner join ses_plays on anon_plays.play_id = ses_plays.play_id
    left join feat_track_features on anon_plays.track_id = feat_track_features.track_id
)

select * from joined
