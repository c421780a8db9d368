-- Do people skip more on some devices? One row is one device family.
with plays as (select * from {{ ref('plays') }}),

devices as (
    select
        coalesce(device_family, 'unknown') as device,
        {{ fewest_participants(['is_skip', 'is_shuffle']) }} as participants,
        count(*) as plays,
        round(avg(case when is_skip then 1.0 when not is_skip then 0.0 end), 3) as skip_rate,
        round(avg(case when is_shuffle then 1.0 when not is_shuffle then 0.0 end), 3) as shuffle_rate
    from plays
    where history_source = 'extended'
    group by coalesce(device_family, 'unknown')
)

select * from devices
order by plays desc, device
