-- What music did people hear in the hour before a report? One row is one mood quadrant, by the signs of valence and arousal.
with emotion_windows as (select * from {{ ref('emotion_windows') }}),

quadrants as (
    select
        case
            when reported_valence >= 0 and reported_arousal >= 0 then 'pleasant, aroused'
            when reported_valence >= 0 then 'pleasant, calm'
            when reported_arousal >= 0 then 'unpleasant, aroused'
            else 'unpleasant, calm'
        end as mood_quadrant,
        participant_id,
        plays_with_features,
        mean_valence,
        mean_energy,
        mean_danceability,
        mean_tempo
    from emotion_windows
    where
        emotion_window = 'before_60m'
        and reported_valence is not null
        and reported_arousal is not null
        and plays_with_features >= 3
),

mixes as (
    select
        mood_quadrant,
        count(*) as reports,
        {{ fewest_participants(['mean_valence', 'mean_energy', 'mean_danceability', 'mean_tempo']) }} as participants,
        round(avg(mean_valence), 3) as music_valence,
        round(avg(mean_energy), 3) as music_energy,
        round(avg(mean_danceability), 3) as music_danceability,
        round(avg(mean_tempo), 1) as music_tempo
    from quadrants
    group by mood_quadrant
)

select * from mixes
order by mood_quadrant
