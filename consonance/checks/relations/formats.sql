-- Every play is written as an export of another time writes it. Until 2022-10-13 exports have no flag for skips, or false, and
-- stamps in milliseconds; since then a flag, and seconds. Where there is no stamp they have nothing, 0 or 1.
update vault.raw.extended_plays
set
    skipped = case when skipped is null then reason_end = 'fwdbtn' end,
    offline_timestamp = case
        when offline_timestamp is null then 0
        when offline_timestamp = 0 then 1
        when offline_timestamp = 1 then null
        when offline_timestamp >= 100000000000 then offline_timestamp // 1000
        when offline_timestamp > 200000000 then offline_timestamp * 1000
        else offline_timestamp
    end;
