-- One row is one emotion report and one window before or after it: what was reported, and the play-time-weighted mean of
-- each feature of the music in the window, with the number of plays that have a value.
with emotion_windows as (select * from marts.emotion_windows),

emotion_window_features as (select * from marts.emotion_window_features),

heard as (
    select
        report_id,
        emotion_window,
        max(mean) filter (where feature = 'valence') as music_valence,
        max(plays_with_value) filter (where feature = 'valence') as plays_with_valence,
        max(mean) filter (where feature = 'valence_tags') as music_valence_tags,
        max(plays_with_value) filter (where feature = 'valence_tags') as plays_with_valence_tags,
        max(mean) filter (where feature = 'valence_lyrics_audio') as music_valence_lyrics_audio,
        max(plays_with_value) filter (where feature = 'valence_lyrics_audio') as plays_with_valence_lyrics_audio,
        max(mean) filter (where feature = 'mood_happy') as music_mood_happy,
        max(plays_with_value) filter (where feature = 'mood_happy') as plays_with_mood_happy,
        max(mean) filter (where feature = 'energy') as music_energy,
        max(plays_with_value) filter (where feature = 'energy') as plays_with_energy,
        max(mean) filter (where feature = 'arousal_tags') as music_arousal_tags,
        max(plays_with_value) filter (where feature = 'arousal_tags') as plays_with_arousal_tags,
        max(mean) filter (where feature = 'arousal_lyrics_audio') as music_arousal_lyrics_audio,
        max(plays_with_value) filter (where feature = 'arousal_lyrics_audio') as plays_with_arousal_lyrics_audio,
        max(mean) filter (where feature = 'mood_aggressive') as music_mood_aggressive,
        max(plays_with_value) filter (where feature = 'mood_aggressive') as plays_with_mood_aggressive
    from emotion_window_features
    group by report_id, emotion_window
),

joined as (
    select
        emotion_windows.report_id,
        emotion_windows.participant_id,
        emotion_windows.instrument,
        emotion_windows.reported_at_local,
        emotion_windows.emotion_window,
        emotion_windows.plays,
        emotion_windows.reported_valence,
        emotion_windows.reported_arousal,
        emotion_windows.reported_positive_affect,
        emotion_windows.reported_negative_affect,
        heard.* exclude (report_id, emotion_window)
    from emotion_windows
    left join heard
        on
            emotion_windows.report_id = heard.report_id
            and emotion_windows.emotion_window = heard.emotion_window
    where emotion_windows.direction in ('before', 'after')
)

select * from joined
order by participant_id, reported_at_local, report_id, emotion_window
