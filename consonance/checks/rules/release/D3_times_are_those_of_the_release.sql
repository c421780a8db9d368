-- relation: times
-- what: For every person, every column with a date or time (found by its type) is moved by the person's shift in this release. A table without persons has no such column.
-- example: A column with the dates of the warehouse; a table of days without a participant.
-- why: One date that is not shifted reveals all others (D3).
-- remedy: Publish again. If the rule still fails, pass the column through functions/shifted_local_time.sql.
with candidate as (
    select release_no from vault.raw.releases where published_at is null
),
shifted as (
    select members.pseudonym, members.shift_weeks, landed_times.first_ts, landed_times.last_ts
    from {landed_times} as landed_times
    inner join vault.raw.release_keyring as members on members.participant_no = landed_times.participant_no
    inner join candidate on candidate.release_no = members.release_no
)
select times.place
from {times} as times
left join shifted on shifted.pseudonym = times.participant_id
where
    times.first_time is not null
    and (
        shifted.pseudonym is null
        -- As in the wall's D3: two days allow for zones, and seven for plays that are reported later.
        or times.first_time - to_days(7 * shifted.shift_weeks) < shifted.first_ts - interval 9 day
        or times.last_time - to_days(7 * shifted.shift_weeks) > shifted.last_ts + interval 2 day
    )
union all
select columns.table_name || '.' || columns.column_name
from information_schema.columns
where
    columns.table_catalog = 'warehouse'
    and regexp_matches(columns.data_type, '^(DATE|TIME)')
    and not exists (
        select 1
        from information_schema.columns as others
        where
            others.table_catalog = 'warehouse'
            and others.table_schema = columns.table_schema
            and others.table_name = columns.table_name
            and others.column_name = 'participant_id'
    )
