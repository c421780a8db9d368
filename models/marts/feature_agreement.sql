-- One row is one feature and two sources that both have a value of it for the same tracks: how far they agree.
with feat_track_source_values as (select * from {{ ref('feat_track_source_values') }}),

pairs as (
    select
        one.feature,
        one.source_id,
        other.source_id as other_source_id,
        one.value,
        other.value as other_value,
        cast(one.value - other.value as decimal(16, 6)) as difference
    from feat_track_source_values as one
    inner join feat_track_source_values as other
        on
            one.track_id = other.track_id
            and one.feature = other.feature
            and one.source_id < other.source_id
),

-- Equal values share the mean of their places, as Spearman's correlation wants it.
places as (
    select
        *,
        rank() over (partition by feature, source_id, other_source_id order by value asc)
        + (count(*) over (partition by feature, source_id, other_source_id, value) - 1) / 2.0 as place,
        rank() over (partition by feature, source_id, other_source_id order by other_value asc)
        + (count(*) over (partition by feature, source_id, other_source_id, other_value) - 1) / 2.0 as other_place
    from pairs
),

-- Rounded: in which order numbers are added changes their last digits. A mean may be just between two rounded numbers: where
-- that happens, only decimals, which are exact, always give the same one.
agreement as (
    select
        feature,
        source_id,
        other_source_id,
        count(*) as tracks,
        case
            when min(value) < max(value) and min(other_value) < max(other_value) then round(corr(value, other_value), 6)
        end as pearson_correlation,
        case
            when min(value) < max(value) and min(other_value) < max(other_value) then round(corr(place, other_place), 6)
        end as spearman_correlation,
        cast(round(avg(difference), 6) as double) as mean_difference,
        cast(round(avg(abs(difference)), 6) as double) as mean_absolute_error,
        round(sqrt(cast(avg(difference * cast(difference as decimal(20, 6))) as double)), 6) as root_mean_square_error,
        round(avg(cast(case when abs(difference) < 0.0005 then 1 else 0 end as double)), 6) as share_equal
    from places
    group by feature, source_id, other_source_id
)

select * from agreement
