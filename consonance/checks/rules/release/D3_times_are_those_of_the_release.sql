-- relation: times
-- what: Every temporal column (found by its type) holds, person by person, times moved by the shift of this release; where no person is named there is none.
-- example: A column with the warehouse's dates; a table of days without a participant.
-- why: One date that is not moved gives away all others (D3).
-- remedy: Publish again. If it stays, let the column pass functions/shifted_local_time.sql.
with candidate as (
    select release_no from vault.raw.releases where published_at is null
),
spans as (
    select participant_no, min(ts) as first_ts, max(ts) as last_ts
    from (
        select participant_no, ts from vault.raw.extended_plays
        union all
        select participant_no, end_time from vault.raw.account_plays
        union all
        select keyring.participant_no, survey_answers.answered_at
        from vault.raw.survey_answers
        inner join vault.raw.keyring on keyring.participant_code = survey_answers.participant_code
    )
    group by participant_no
),
shifted as (
    select members.pseudonym, members.shift_weeks, spans.first_ts, spans.last_ts
    from spans
    inner join vault.raw.release_keyring as members on members.participant_no = spans.participant_no
    inner join candidate on candidate.release_no = members.release_no
)
select times.place
from {times} as times
left join shifted on shifted.pseudonym = times.participant_id
where
    times.first_time is not null
    and (
        shifted.pseudonym is null
        -- As in the wall's D3: two days allow for zones, and seven for plays that are told of later.
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
