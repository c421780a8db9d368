-- One row is one emotion report and one scale of its instrument: the score, or why there is none.
with emotion_reports as (select * from {{ ref('emotion_reports') }}),

feat_emotion_scores as (select * from {{ ref('feat_emotion_scores') }}),

scores as (
    select
        emotion_reports.report_id,
        emotion_reports.participant_id,
        emotion_reports.instrument,
        feat_emotion_scores.scale,
        emotion_reports.reported_at_local,
        feat_emotion_scores.score,
        feat_emotion_scores.score_min,
        feat_emotion_scores.score_max,
        feat_emotion_scores.dimension,
        cast(feat_emotion_scores.dimension_score as double) as dimension_score,
        feat_emotion_scores.items_expected,
        feat_emotion_scores.items_answered,
        feat_emotion_scores.score_status
    from feat_emotion_scores
    inner join emotion_reports on feat_emotion_scores.report_id = emotion_reports.report_id
)

select * from scores
