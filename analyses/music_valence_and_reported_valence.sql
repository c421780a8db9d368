-- Do participants report a higher valence after more positive music? One row is the whole answer.
-- It is the slope of reported valence (-1 to 1) on the mean valence (0 to 1) of the music heard in the hour before,
-- within participants, with its 95 % confidence interval. It shows an association in time, not a cause.
with emotion_windows as (select * from {{ ref('emotion_windows') }}),

centred as (
    select
        participant_id,
        reported_valence - avg(reported_valence) over (partition by participant_id) as reported,
        mean_valence - avg(mean_valence) over (partition by participant_id) as heard
    from emotion_windows
    where
        emotion_window = 'before_60m'
        and reported_valence is not null
        and plays_with_features >= 1
),

fitted as (
    select
        count(*) as reports,
        count(distinct participant_id) as participants,
        regr_slope(reported, heard) as slope,
        sqrt(
            (regr_syy(reported, heard) - regr_slope(reported, heard) * regr_sxy(reported, heard))
            / (count(*) - count(distinct participant_id) - 1)
            / regr_sxx(reported, heard)
        ) as standard_error
    from centred
)

select
    reports,
    participants,
    round(slope, 3) as slope,
    round(slope - 1.96 * standard_error, 3) as slope_from,
    round(slope + 1.96 * standard_error, 3) as slope_to
from fitted
