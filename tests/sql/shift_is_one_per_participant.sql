-- Local time minus elapsed time is one moment per participant, but for changes of the clock: every row
-- of a participant was moved by the same shift. A second shift would tear intervals apart.
with plays as (select * from {{ ref('anon_plays') }}),

origins as (
    select
        participant_id,
        {{ epoch_ms('started_at_local') }} - started_elapsed_ms as origin_ms
    from plays
),

spreads as (
    select
        participant_id,
        max(origin_ms) - min(origin_ms) as spread_ms
    from origins
    group by participant_id
)

select participant_id
from spreads
-- Clocks of one zone never differ by more than a day from themselves.
where spread_ms > 86400000
