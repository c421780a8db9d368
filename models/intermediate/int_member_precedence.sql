-- One row is one member: its place among those of its participant when one of two equal rows is to
-- be kept. First come the members of the donation that reaches the later time, then of the one with
-- the smaller SHA-256, then the order in the donation: never the order of loading.
with int_landed_plays as (select * from {{ ref('int_landed_plays') }}),

stg_donations as (select * from {{ ref('stg_donations') }}),

stg_donation_members as (select * from {{ ref('stg_donation_members') }}),

member_reach as (
    select
        member_id,
        max(reported_ms) as reaches_ms
    from int_landed_plays
    group by member_id
),

donation_reach as (
    select
        stg_donation_members.donation_id,
        max(member_reach.reaches_ms) as reaches_ms
    from stg_donation_members
    inner join member_reach on stg_donation_members.member_id = member_reach.member_id
    group by stg_donation_members.donation_id
),

donation_order as (
    select
        stg_donations.donation_id,
        stg_donations.participant_no,
        row_number() over (
            partition by stg_donations.participant_no
            order by donation_reach.reaches_ms desc, stg_donations.sha256 asc
        ) as donation_place
    from stg_donations
    inner join donation_reach on stg_donations.donation_id = donation_reach.donation_id
),

-- A member that is in several donations has the best of its places.
placed as (
    select
        stg_donation_members.member_id,
        donation_order.donation_id,
        donation_order.participant_no,
        donation_order.donation_place,
        stg_donation_members.position,
        row_number() over (
            partition by stg_donation_members.member_id
            order by donation_order.donation_place asc, stg_donation_members.position asc
        ) as choice
    from stg_donation_members
    inner join donation_order on stg_donation_members.donation_id = donation_order.donation_id
),

ordered as (
    select
        member_id,
        participant_no,
        row_number() over (
            partition by participant_no
            order by donation_place asc, position asc, member_id asc
        ) as precedence
    from placed
    where choice = 1
)

select * from ordered
