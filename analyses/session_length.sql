-- How long are sessions? One row is one range of length.
with sessions as (select * from {{ ref('sessions') }}),

ranged as (
    select
        case
            when duration_ms < 5 * 60000 then '1: under 5 minutes'
            when duration_ms < 15 * 60000 then '2: 5 to 15 minutes'
            when duration_ms < 30 * 60000 then '3: 15 to 30 minutes'
            when duration_ms < 60 * 60000 then '4: 30 to 60 minutes'
            when duration_ms < 120 * 60000 then '5: 1 to 2 hours'
            else '6: over 2 hours'
        end as length_range,
        participant_id,
        plays,
        skips,
        plays_with_known_skip
    from sessions
),

lengths as (
    select
        length_range,
        count(*) as sessions,
        {{ fewest_participants(['nullif(plays_with_known_skip, 0)']) }} as participants,
        round(avg(plays), 1) as mean_plays,
        round(sum(skips) * 1.0 / nullif(sum(plays_with_known_skip), 0), 3) as skip_rate
    from ranged
    group by length_range
)

select * from lengths
order by length_range
