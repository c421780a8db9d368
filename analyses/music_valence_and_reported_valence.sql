-- Do participants report a higher valence after more positive music? One row is the whole answer.
-- It is the slope of reported valence (-1 to 1) on the mean valence (0 to 1) of the music heard in the hour before,
-- within participants, with its 95 % confidence interval. It is of those whose music differed between their reports: the
-- others say nothing about it. Too few reports give no slope. It shows an association in time, not a cause.
with emotion_windows as (select * from {{ ref('emotion_windows') }}),

reported as (
    select
        participant_id,
        reported_valence,
        mean_valence,
        min(mean_valence) over (partition by participant_id) as lowest_valence,
        max(mean_valence) over (partition by participant_id) as highest_valence
    from emotion_windows
    where
        emotion_window = 'before_60m'
        and reported_valence is not null
        and plays_with_features >= 1
),

centred as (
    select
        participant_id,
        reported_valence - avg(reported_valence) over (partition by participant_id) as reported,
        mean_valence - avg(mean_valence) over (partition by participant_id) as heard
    from reported
    where lowest_valence < highest_valence
),

summed as (
    select
        count(*) as reports,
        count(distinct participant_id) as participants,
        regr_sxx(reported, heard) as sxx,
        regr_sxy(reported, heard) as sxy,
        regr_syy(reported, heard) as syy
    from centred
),

fitted as (
    select
        reports,
        participants,
        case when reports > participants + 1 and sxx > 0 then sxy / sxx end as slope,
        case
            when reports > participants + 1 and sxx > 0
                then sqrt(greatest(syy - sxy * sxy / sxx, 0) / (reports - participants - 1) / sxx)
        end as standard_error
    from summed
)

select
    reports,
    participants,
    round(slope, 3) as slope,
    round(slope - 1.96 * standard_error, 3) as slope_from,
    round(slope + 1.96 * standard_error, 3) as slope_to
from fitted
