-- Everyone with a zone of their own lives in a zone with another offset, and does everything at the same local time: all
-- moments in UTC are others. The zones of the sample never change their clocks (sample.sql).
create or replace temp table moved as
with zones as (
    select
        zone,
        epoch(timezone(zone, timestamptz '2020-01-01 00:00:00+00') - timestamp '2020-01-01') as ahead_s,
        coalesce(lead(zone) over (order by zone), min(zone) over ()) as other_zone
    from steady_zones
)

select
    keyring.participant_no,
    participants.participant_code,
    zones.other_zone,
    cast(zones.ahead_s - others.ahead_s as bigint) as moved_s,
    to_seconds(cast(zones.ahead_s - others.ahead_s as bigint)) as moved_by,
    cast(null as timestamp) as turn
from vault.raw.participants
inner join vault.raw.keyring on participants.participant_code = keyring.participant_code
inner join zones on participants.timezone = zones.zone
inner join zones as others on zones.other_zone = others.zone;

update vault.raw.participants as participants
set timezone = moved.other_zone
from moved
where participants.participant_code = moved.participant_code;
