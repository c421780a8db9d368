-- One row is one person of the release register in one possible cell of the public tier, counted with joins. "made" is the study that the release
-- is made of. A cell is named as the rules name it in public_values: the columns of its row, with a bar between them.
with members as (
    select release_keyring.pseudonym
    from vault.raw.release_keyring
    inner join vault.raw.releases on releases.release_no = release_keyring.release_no
    where releases.published_at is null
),
base as (
    select participant_id, age_band, gender, country
    from made.marts.participants
    where
        participant_id in (select pseudonym from members)
        and participant_id in (select participant_id from made.marts.plays where ms_played >= 30000)
),
counted_plays as (
    select plays.participant_id, plays.track_id, plays.started_at_local, plays.device_family
    from made.marts.plays
    semi join base on base.participant_id = plays.participant_id
    where plays.ms_played >= 30000
),
quadrants as (
    select participant_id, reported_valence >= 0 as is_pleasant, reported_arousal >= 0 as is_aroused
    from made.marts.emotion_windows
    where
        emotion_window = 'before_60m'
        and reported_valence + reported_arousal + mean_valence + mean_energy + mean_danceability + mean_tempo is not null
        and participant_id in (select participant_id from base)
)
select 'marts.population' as relation, 'everyone' as series, true as adds_up, '' as cell, participant_id from base
union
select 'marts.listening_by_group', 'gender', true, 'gender|' || coalesce(gender, 'not told'), participant_id from base
union
select 'marts.listening_by_group', 'age band', true, 'age band|' || coalesce(age_band, 'not told'), participant_id from base
union
select 'marts.listening_by_group', 'country', true, 'country|' || coalesce(country, 'not told'), participant_id from base
union
select 'marts.listening_by_device_family', 'device', true, coalesce(device_family, 'not told'), participant_id from counted_plays
union
select 'marts.listening_by_weekday_and_hour', 'hour', true, strftime(started_at_local, '%u|%-H'), participant_id from counted_plays
union
select
    'marts.features_by_mood_quadrant',
    'mood',
    false,
    case when is_pleasant then 'pleasant, ' else 'unpleasant, ' end || case when is_aroused then 'aroused' else 'calm' end,
    participant_id
from quadrants
union
select 'marts.most_heard_tracks', 'track', false, concat_ws('|', tracks.title, coalesce(tracks.creator, ''), tracks.spotify_uri), counted_plays.participant_id
from counted_plays
inner join made.marts.tracks on tracks.track_id = counted_plays.track_id
where tracks.spotify_uri is not null and not tracks.is_private
