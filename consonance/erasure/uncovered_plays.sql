-- One row is one landed play that consent no longer covers, or a copy of one: a duplicate with the same minute and
-- length. If only the play were deleted, the copy would take its place.
create or replace temp table uncovered_plays as
with judged as (
    select
        row_id,
        participant_no,
        cast(row_id // 4294967296 as integer) as member_id,
        cast(row_id % 4294967296 as integer) as row_no,
        history_source,
        fate,
        reported_ms // 60000 as minute,
        ms_played,
        content_type,
        is_private_session
    from vault.intermediate.int_play_fates
    where list_contains(getvariable('numbers'), participant_no)
),

uncovered as (
    select * from judged where fate in ('outside_consent_window', 'purpose_not_granted')
),

copies as (
    select *
    from judged
    semi join uncovered using (participant_no, minute, ms_played)
    where fate in ('duplicate', 'superseded_by_extended')
)

select * from uncovered
union all
select * from copies;
