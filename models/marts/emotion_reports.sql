-- One row is one emotion report: one participant, one instrument, one moment.
with anon_emotion_answers as (select * from {{ ref('anon_emotion_answers') }}),

feat_emotion_reports as (select * from {{ ref('feat_emotion_reports') }}),

feat_emotion_scores as (select * from {{ ref('feat_emotion_scores') }}),

reports as (
    select
        report_id,
        participant_id,
        instrument,
        min(answered_at_local) as reported_at_local
    from anon_emotion_answers
    group by report_id, participant_id, instrument
),

scores as (
    select
        report_id,
        max(dimension_score) filter (where dimension = 'valence') as valence,
        max(dimension_score) filter (where dimension = 'arousal') as arousal,
        max(score) filter (where dimension = 'positive_affect') as positive_affect,
        max(score) filter (where dimension = 'negative_affect') as negative_affect,
        sum(items_expected) as items_expected,
        sum(items_answered) as items_answered,
        count(*) as scales,
        count(*) filter (where score_status = 'scored') as scored_scales,
        count(*) filter (where score_status = 'outside_range') as scales_outside
    from feat_emotion_scores
    group by report_id
),

joined as (
    select
        reports.report_id,
        reports.participant_id,
        reports.instrument,
        reports.reported_at_local,
        feat_emotion_reports.is_listening,
        feat_emotion_reports.playing_track_id,
        cast(scores.valence as double) as valence,
        cast(scores.arousal as double) as arousal,
        cast(scores.positive_affect as double) as positive_affect,
        cast(scores.negative_affect as double) as negative_affect,
        cast(coalesce(scores.items_expected, 0) as integer) as items_expected,
        cast(coalesce(scores.items_answered, 0) as integer) as items_answered,
        case
            when scores.report_id is null then 'unknown_instrument'
            when scores.scored_scales = scores.scales then 'scored'
            when scores.scored_scales > 0 then 'partly_scored'
            when scores.scales_outside > 0 then 'outside_range'
            else 'too_many_missing'
        end as score_status
    from reports
    inner join feat_emotion_reports on reports.report_id = feat_emotion_reports.report_id
    left join scores on reports.report_id = scores.report_id
)

select * from joined
