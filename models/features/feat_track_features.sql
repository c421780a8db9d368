-- One row is one track with audio features: each value from the source that the study prefers of those
-- that have it.
with feat_track_matches as (select * from {{ ref('feat_track_matches') }}),

track_features as (select * from {{ source('music', 'track_features') }}),

feature_sources as (select * from {{ ref('feature_sources') }}),

preferences as (
    select
        source_id,
        row_number() over (order by preference asc, source_id asc) as choice
    from feature_sources
),

ranked as (
    select
        feat_track_matches.track_id,
        feat_track_matches.match_method,
        feat_track_matches.match_confidence,
        track_features.*,
        preferences.choice
    from feat_track_matches
    inner join track_features on feat_track_matches.spotify_id = track_features.spotify_id
    inner join preferences on track_features.source_id = preferences.source_id
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
