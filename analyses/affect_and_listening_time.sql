-- Do positive and negative affect (PANAS) differ with the listening time in the three hours before a report?
-- One row is one range of listening time. Reports before a participant's first play and after the last one are left
-- out: of what was heard then, the history says nothing.
with emotion_windows as (select * from {{ ref('emotion_windows') }}),

participants as (select * from {{ ref('participants') }}),

ranged as (
    select
        case
            when emotion_windows.ms_played = 0 then '0: none'
            when emotion_windows.ms_played < 30 * 60000 then '1: under 30 minutes'
            when emotion_windows.ms_played < 60 * 60000 then '2: 30 to 60 minutes'
            else '3: over an hour'
        end as listening_before,
        emotion_windows.participant_id,
        emotion_windows.reported_positive_affect,
        emotion_windows.reported_negative_affect
    from emotion_windows
    inner join participants on emotion_windows.participant_id = participants.participant_id
    where
        emotion_windows.emotion_window = 'before_180m'
        and emotion_windows.instrument = 'panas'
        and coalesce(emotion_windows.reported_positive_affect, emotion_windows.reported_negative_affect) is not null
        and emotion_windows.reported_at_local between participants.first_play_at_local and participants.last_play_at_local
),

affects as (
    select
        listening_before,
        count(*) as reports,
        {{ fewest_participants(['reported_positive_affect', 'reported_negative_affect']) }} as participants,
        round(avg(reported_positive_affect), 1) as mean_positive_affect,
        round(avg(reported_negative_affect), 1) as mean_negative_affect
    from ranged
    group by listening_before
)

select * from affects
order by listening_before
