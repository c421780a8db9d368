-- One row is one track, one feature source and one feature of which the source has a value: the value of the surest of
-- its tracks that have one. Of AcousticBrainz, which holds many submissions of a recording: the median of them, their
-- number and spread; of key and mode the most frequent one, and the share of submissions that have another.
{%- set submitted = {
    'acousticbrainz_rhythm': {'tempo': 'bpm', 'danceability_essentia': 'danceability', 'onset_rate': 'onset_rate'},
    'acousticbrainz_tonal': {'musical_key': 'musical_key', 'mode': 'mode', 'tuning_frequency': 'tuning_frequency'},
    'acousticbrainz_lowlevel': {'average_loudness': 'average_loudness', 'dynamic_complexity': 'dynamic_complexity'},
    'acousticbrainz_highlevel': {
        'danceable': 'danceable', 'mood_acoustic': 'mood_acoustic', 'mood_aggressive': 'mood_aggressive',
        'mood_electronic': 'mood_electronic', 'mood_happy': 'mood_happy', 'mood_party': 'mood_party',
        'mood_relaxed': 'mood_relaxed', 'mood_sad': 'mood_sad', 'instrumental': 'instrumental', 'tonal': 'tonal',
        'bright': 'bright',
    },
} %}
with feat_track_sources as (select * from {{ ref('feat_track_sources') }}),

feat_track_keys as (select * from {{ ref('feat_track_keys') }}),

anon_fetched_tracks as (select * from {{ ref('anon_fetched_tracks') }}),

anon_fetched_values as (select * from {{ ref('anon_fetched_values') }}),

source_tracks as (select * from {{ source('music', 'source_tracks') }}),

source_values as (select * from {{ source('music', 'source_values') }}),

recording_redirects as (select * from {{ source('music', 'recording_redirects') }}),

audio_features as (select * from {{ ref('audio_features') }}),

feat_source_permissions as (select * from {{ ref('feat_source_permissions') }}),

keyed_recordings as (
    select
        track_id,
        {{ as_uuid('key') }} as recording_mbid,
        match_method,
        match_confidence,
        equals
    from feat_track_keys
    where key_kind = 'recording_mbid'
),

{{ asked_recordings('keyed_recordings') }},
{%- for table in submitted %}

{{ table }} as (
    select
        asked_recordings.recording_mbid
        {%- for column in submitted[table].values() %},
        submissions.{{ column }}
        {%- endfor %}
    from {{ source('music', table) }} as submissions
    inner join asked_recordings on submissions.recording_mbid = asked_recordings.submitted_mbid
),
{%- endfor %}

submissions as (
    {%- for table in submitted %}
    {%- set is_last_table = loop.last %}
    {%- for feature, column in submitted[table].items() %}
    select
        recording_mbid,
        '{{ 'acousticbrainz_highlevel' if table == 'acousticbrainz_highlevel' else 'acousticbrainz_lowlevel' }}' as source_id,
        '{{ feature }}' as feature,
        cast({{ column }} as double) as value
    from {{ table }}
    where {{ column }} is not null
    {{ 'union all' if not (loop.last and is_last_table) }}
    {%- endfor %}
    {%- endfor %}
),

possible_submissions as (
    select submissions.*
    from submissions
    inner join audio_features
        on
            submissions.feature = audio_features.feature
            and submissions.value between audio_features.range_min and audio_features.range_max
),

measured as (
    select
        recording_mbid,
        source_id,
        feature,
        median(value) as value,
        count(*) as n,
        round(stddev_samp(value), 6) as spread
    from possible_submissions
    where feature not in ('musical_key', 'mode')
    group by recording_mbid, source_id, feature
),

classes as (
    select
        recording_mbid,
        source_id,
        feature,
        value,
        count(*) as submissions
    from possible_submissions
    where feature in ('musical_key', 'mode')
    group by recording_mbid, source_id, feature, value
),

ranked_classes as (
    select
        *,
        sum(submissions) over (partition by recording_mbid, source_id, feature) as n,
        row_number() over (partition by recording_mbid, source_id, feature order by submissions desc, value asc) as choice
    from classes
),

of_recordings as (
    select * from measured
    union all
    select
        recording_mbid,
        source_id,
        feature,
        value,
        n,
        round(1 - cast(submissions as double) / n, 6) as spread
    from ranked_classes
    where choice = 1
),

-- What is known of a track of a source, or under a Spotify id that a source was asked for over the network.
given_values as (
    select
        source_id,
        track_no,
        cast(null as string) as spotify_id,
        feature,
        value
    from source_values
    union all
    select
        source_id,
        track_no,
        cast(null as string) as spotify_id,
        'duration_ms' as feature,
        length_ms as value
    from source_tracks
    where length_ms is not null
    union all
    select
        source_id,
        cast(null as bigint) as track_no,
        spotify_id,
        feature,
        value
    from anon_fetched_values
    union all
    select
        source_id,
        cast(null as bigint) as track_no,
        spotify_id,
        'duration_ms' as feature,
        length_ms as value
    from anon_fetched_tracks
    where length_ms is not null
),

possible_values as (
    select given_values.*
    from given_values
    left join audio_features on given_values.feature = audio_features.feature
    where
        given_values.value between audio_features.range_min and audio_features.range_max
        or (given_values.feature = 'duration_ms' and given_values.value between 1000 and 86400000)
),

-- The place decides between tracks of a source that are equally sure.
found_values as (
    select
        feat_track_sources.track_id,
        feat_track_sources.source_id,
        cast(feat_track_sources.track_no as string) as place,
        possible_values.feature,
        possible_values.value,
        1 as n,
        cast(null as double) as spread,
        feat_track_sources.match_method,
        feat_track_sources.match_confidence,
        feat_track_sources.equals
    from feat_track_sources
    inner join possible_values
        on
            feat_track_sources.source_id = possible_values.source_id
            and feat_track_sources.track_no = possible_values.track_no
    union all
    select
        feat_track_keys.track_id,
        possible_values.source_id,
        possible_values.spotify_id as place,
        possible_values.feature,
        possible_values.value,
        1 as n,
        cast(null as double) as spread,
        feat_track_keys.match_method,
        feat_track_keys.match_confidence,
        feat_track_keys.equals
    from feat_track_keys
    inner join possible_values on feat_track_keys.key = possible_values.spotify_id
    where feat_track_keys.key_kind = 'spotify_id'
    union all
    select
        keyed_recordings.track_id,
        of_recordings.source_id,
        cast(keyed_recordings.recording_mbid as string) as place,
        of_recordings.feature,
        of_recordings.value,
        of_recordings.n,
        of_recordings.spread,
        keyed_recordings.match_method,
        keyed_recordings.match_confidence,
        keyed_recordings.equals
    from keyed_recordings
    inner join of_recordings on keyed_recordings.recording_mbid = of_recordings.recording_mbid
),

ranked as (
    select
        found_values.*,
        row_number() over (
            partition by found_values.track_id, found_values.source_id, found_values.feature
            order by
                found_values.match_confidence desc, found_values.match_method asc, length(found_values.place) asc,
                found_values.place asc, found_values.value asc
        ) as choice
    from found_values
    inner join feat_source_permissions on found_values.source_id = feat_source_permissions.source_id
    where feat_source_permissions.is_shown
),

surest as (
    select
        track_id,
        source_id,
        feature,
        value,
        cast(n as integer) as n,
        spread,
        match_method,
        match_confidence,
        equals
    from ranked
    where choice = 1
)

select * from surest
