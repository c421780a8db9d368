-- One row is one landed account row that does not count, and why: another donation has it already,
-- or the extended history has the same play. Definition: docs/numbers.md, "Account against
-- extended".
with int_landed_plays as {{ read_anew() }} (select * from {{ ref('int_landed_plays') }}),

stg_donations as (select * from {{ ref('stg_donations') }}),

stg_donation_members as (select * from {{ ref('stg_donation_members') }}),

int_member_precedence as (select * from {{ ref('int_member_precedence') }}),

int_extended_duplicates as (select * from {{ ref('int_extended_duplicates') }}),

account_plays as (
    select
        row_id,
        participant_no,
        member_id,
        cast(floor(reported_ms / 60000.0) as bigint) as end_minute,
        ms_played,
        coalesce(title, '') as title,
        coalesce(creator, '') as creator
    from int_landed_plays
    where history_source = 'account'
),

member_counts as (
    select
        member_id,
        participant_no,
        end_minute,
        ms_played,
        title,
        creator,
        count(*) as copies
    from account_plays
    group by member_id, participant_no, end_minute, ms_played, title, creator
),

-- A donation may contain a member twice; its rows count once.
donated_members as (
    select
        stg_donation_members.donation_id,
        stg_donation_members.member_id,
        min(int_member_precedence.precedence) as precedence
    from stg_donation_members
    inner join int_member_precedence on stg_donation_members.member_id = int_member_precedence.member_id
    group by stg_donation_members.donation_id, stg_donation_members.member_id
),

donation_counts as (
    select
        donated_members.donation_id,
        member_counts.participant_no,
        member_counts.end_minute,
        member_counts.ms_played,
        member_counts.title,
        member_counts.creator,
        sum(member_counts.copies) as copies,
        min(donated_members.precedence) as precedence
    from member_counts
    inner join donated_members on member_counts.member_id = donated_members.member_id
    group by
        donated_members.donation_id, member_counts.participant_no, member_counts.end_minute,
        member_counts.ms_played, member_counts.title, member_counts.creator
),

ranked_donations as (
    select
        donation_counts.*,
        row_number() over (
            partition by
                donation_counts.participant_no, donation_counts.end_minute,
                donation_counts.ms_played, donation_counts.title, donation_counts.creator
            order by donation_counts.copies desc, donation_counts.precedence asc, stg_donations.sha256 asc
        ) as choice
    from donation_counts
    inner join stg_donations on donation_counts.donation_id = stg_donations.donation_id
),

-- The donation that has a row most often counts; the copies elsewhere are surplus.
counted as (
    select account_plays.*
    from account_plays
    inner join ranked_donations
        on
            account_plays.participant_no = ranked_donations.participant_no
            and account_plays.end_minute = ranked_donations.end_minute
            and account_plays.ms_played = ranked_donations.ms_played
            and account_plays.title = ranked_donations.title
            and account_plays.creator = ranked_donations.creator
            and ranked_donations.choice = 1
    inner join donated_members
        on
            ranked_donations.donation_id = donated_members.donation_id
            and account_plays.member_id = donated_members.member_id
),

account_listeners as (
    select distinct participant_no
    from account_plays
),

extended_plays as {{ read_anew() }} (
    select
        int_landed_plays.participant_no,
        cast(floor(int_landed_plays.reported_ms / 60000.0) as bigint) as end_minute,
        int_landed_plays.ms_played,
        coalesce(int_landed_plays.title, '') as title,
        coalesce(int_landed_plays.creator, '') as creator
    from int_landed_plays
    inner join account_listeners on int_landed_plays.participant_no = account_listeners.participant_no
    left join int_extended_duplicates on int_landed_plays.row_id = int_extended_duplicates.row_id
    where
        int_landed_plays.history_source = 'extended'
        and int_extended_duplicates.row_id is null
),

extended_counts as (
    select
        participant_no,
        end_minute,
        ms_played,
        count(*) as plays
    from extended_plays
    group by participant_no, end_minute, ms_played
),

extended_name_counts as (
    select
        participant_no,
        end_minute,
        ms_played,
        title,
        creator,
        count(*) as plays
    from extended_plays
    group by participant_no, end_minute, ms_played, title, creator
),

numbered as (
    select
        *,
        row_number() over (
            partition by participant_no, end_minute, ms_played, title, creator
            order by row_id
        ) as copy_no
    from counted
),

-- As many account rows as there are extended plays of that minute and length; those of the same
-- names first, so that the rest is what the extended history lacks.
matched as (
    select
        numbered.row_id,
        coalesce(extended_counts.plays, 0) as plays,
        row_number() over (
            partition by numbered.participant_no, numbered.end_minute, numbered.ms_played
            order by
                case when numbered.copy_no <= coalesce(extended_name_counts.plays, 0) then 0 else 1 end asc,
                numbered.creator asc,
                numbered.title asc,
                numbered.row_id asc
        ) as place
    from numbered
    left join extended_counts
        on
            numbered.participant_no = extended_counts.participant_no
            and numbered.end_minute = extended_counts.end_minute
            and numbered.ms_played = extended_counts.ms_played
    left join extended_name_counts
        on
            numbered.participant_no = extended_name_counts.participant_no
            and numbered.end_minute = extended_name_counts.end_minute
            and numbered.ms_played = extended_name_counts.ms_played
            and numbered.title = extended_name_counts.title
            and numbered.creator = extended_name_counts.creator
),

repeats as (
    select
        account_plays.row_id,
        case
            when counted.row_id is null then 'duplicate'
            else 'superseded_by_extended'
        end as fate
    from account_plays
    left join counted on account_plays.row_id = counted.row_id
    left join matched on account_plays.row_id = matched.row_id
    where
        counted.row_id is null
        or matched.place <= matched.plays
)

select * from repeats
