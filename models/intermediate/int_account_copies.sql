-- One row is one kept account row that equals others of the same person, but the first of them: its
-- number among them. Each of them is a play, and only this number distinguishes them.
with int_play_fates as (select * from {{ ref('int_play_fates') }}),

numbered as (
    select
        row_id,
        row_number() over (
            partition by participant_no, ended_ms, ms_played, content_type, title, creator
            order by row_id
        ) as copy_no
    from int_play_fates
    where history_source = 'account' and fate = 'kept'
),

further_copies as (
    select
        row_id,
        copy_no
    from numbered
    where copy_no > 1
)

select * from further_copies
