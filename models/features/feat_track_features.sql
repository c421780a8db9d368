-- One row is one track with audio features: each value from the source that the study prefers of those
-- that have it.
with feat_track_matches as (select * from {{ ref('feat_track_matches') }}),

source_tracks as (select * from {{ source('music', 'source_tracks') }}),

source_values as (select * from {{ source('music', 'source_values') }}),

feat_source_permissions as (select * from {{ ref('feat_source_permissions') }}),

track_features as (
    select
        source_tracks.source_id,
        source_tracks.spotify_id
        {%- for feature in var('audio_features') %},
        cast(
            max(case when source_values.feature = '{{ feature }}' then source_values.value end)
            as {{ 'smallint' if feature in ('musical_key', 'mode', 'time_signature') else 'decimal(9, 6)' }}
        ) as {{ feature }}
        {%- endfor %}
    from source_tracks
    inner join source_values
        on source_tracks.source_id = source_values.source_id and source_tracks.track_no = source_values.track_no
    where source_tracks.spotify_id is not null
    group by source_tracks.source_id, source_tracks.spotify_id
),

ranked as (
    select
        feat_track_matches.track_id,
        feat_track_matches.match_method,
        feat_track_matches.match_confidence,
        track_features.*,
        feat_source_permissions.choice
    from feat_track_matches
    inner join track_features on feat_track_matches.spotify_id = track_features.spotify_id
    inner join feat_source_permissions on track_features.source_id = feat_source_permissions.source_id
    where feat_source_permissions.is_shown
),

resolved as (
    select
        track_id,
        match_method,
        match_confidence,
        min_by(source_id, choice) as feature_source
        {%- for feature in var('audio_features') %},
        min_by({{ feature }}, choice) filter (where {{ feature }} is not null) as {{ feature }},
        min_by(source_id, choice) filter (where {{ feature }} is not null) as {{ feature }}_source
        {%- endfor %}
    from ranked
    where {{ var('audio_features') | join(' is not null or ') }} is not null
    group by track_id, match_method, match_confidence
)

select * from resolved
