-- relation: vault.raw.extended_plays
-- what: Every landed play has a time, and a length of 0 to 10^12 milliseconds.
-- example: A play of -5 ms, or a play without a time.
-- why: The loader rejects such rows with a reason. A row of this kind in the vault means that the loader did not check it.
-- remedy: This is a fault of loaders/history_sql/ (values.sql, judge_odd.sql): report it. Load the inbox into a new vault when it is corrected.
select
    case when ts is null then 'raw.extended_plays.ts' else 'raw.extended_plays.ms_played' end as place,
    member_id,
    row_no
from vault.raw.extended_plays as plays
where ts is null or ms_played is null or ms_played not between 0 and 1000000000000
