-- One row is one track, one genre classifier of AcousticBrainz and one of its genres: the mean probability over the submissions
-- of the surest recording of the track that has any.
{%- set models = {
    'dortmund': {'alternative': 'alternative', 'blues': 'blues', 'electronic': 'electronic', 'folkcountry': 'folk and country', 'funksoulrnb': 'funk, soul and R&B', 'jazz': 'jazz', 'pop': 'pop', 'raphiphop': 'rap and hip hop', 'rock': 'rock'},
    'electronic': {'ambient': 'ambient', 'dnb': 'drum and bass', 'house': 'house', 'techno': 'techno', 'trance': 'trance'},
    'rosamerica': {'cla': 'classical', 'dan': 'dance', 'hip': 'hip hop', 'jaz': 'jazz', 'pop': 'pop', 'rhy': 'rhythm and blues', 'roc': 'rock', 'spe': 'speech'},
    'tzanetakis': {'blu': 'blues', 'cla': 'classical', 'cou': 'country', 'dis': 'disco', 'hip': 'hip hop', 'jaz': 'jazz', 'met': 'metal', 'pop': 'pop', 'reg': 'reggae', 'roc': 'rock'},
} %}
with feat_track_keys as (select * from {{ ref('feat_track_keys') }}),

acousticbrainz_genres as (select * from {{ source('music', 'acousticbrainz_genres') }}),

recording_redirects as (select * from {{ source('music', 'recording_redirects') }}),

feat_source_permissions as (select * from {{ ref('feat_source_permissions') }}),

keyed_recordings as (
    select
        track_id,
        {{ as_uuid('key') }} as recording_mbid,
        match_method,
        match_confidence
    from feat_track_keys
    where key_kind = 'recording_mbid'
),

{{ asked_recordings('keyed_recordings') }},

submissions as (
    select
        asked_recordings.recording_mbid
        {%- for model in models %}
        {%- for column in models[model] %},
        acousticbrainz_genres.{{ model }}_{{ column }}
        {%- endfor %}
        {%- endfor %}
    from acousticbrainz_genres
    inner join asked_recordings on acousticbrainz_genres.recording_mbid = asked_recordings.submitted_mbid
),

given_probabilities as (
    {%- for model in models %}
    {%- set is_last_model = loop.last %}
    {%- for column, genre in models[model].items() %}
    select
        recording_mbid,
        'genre_{{ model }}' as model,
        '{{ genre }}' as genre,
        {{ model }}_{{ column }} as probability
    from submissions
    where {{ model }}_{{ column }} between 0 and 1
    {{ 'union all' if not (loop.last and is_last_model) }}
    {%- endfor %}
    {%- endfor %}
),

-- Rounded: in which order numbers are added changes their last digits.
of_recordings as (
    select
        recording_mbid,
        'acousticbrainz_highlevel' as source_id,
        model,
        genre,
        round(avg(probability), 6) as probability,
        count(*) as n
    from given_probabilities
    group by recording_mbid, model, genre
),

ranked as (
    select
        keyed_recordings.track_id,
        of_recordings.model,
        of_recordings.genre,
        of_recordings.probability,
        of_recordings.n,
        of_recordings.source_id,
        keyed_recordings.match_method,
        keyed_recordings.match_confidence,
        row_number() over (
            partition by keyed_recordings.track_id, of_recordings.model, of_recordings.genre
            order by
                keyed_recordings.match_confidence desc, keyed_recordings.match_method asc,
                keyed_recordings.recording_mbid asc
        ) as choice
    from keyed_recordings
    inner join of_recordings on keyed_recordings.recording_mbid = of_recordings.recording_mbid
    inner join feat_source_permissions on of_recordings.source_id = feat_source_permissions.source_id
    where feat_source_permissions.is_shown
),

surest as (
    select
        track_id,
        model,
        genre,
        probability,
        cast(n as integer) as n,
        source_id,
        match_method,
        match_confidence
    from ranked
    where choice = 1
)

select * from surest
