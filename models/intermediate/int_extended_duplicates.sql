-- One row is one landed extended row that repeats another one of the same person.
-- Definition: docs/numbers.md, "Play identity and duplicates".
with recursive int_landed_plays as {{ read_anew() }} (select * from {{ ref('int_landed_plays') }}),

int_member_precedence as (select * from {{ ref('int_member_precedence') }}),

extended_plays as {{ read_anew() }} (
    select
        row_id,
        participant_no,
        member_id,
        row_no,
        key_count,
        reported_ms,
        ms_played,
        content_uri,
        title,
        creator
    from int_landed_plays
    where history_source = 'extended'
),

-- Most plays share end and length with no other: for these no text is read.
shared_moments as (
    select
        participant_no,
        reported_ms,
        ms_played
    from extended_plays
    group by participant_no, reported_ms, ms_played
    having count(*) > 1
),

candidates as (
    select
        extended_plays.row_id,
        extended_plays.participant_no,
        extended_plays.reported_ms,
        extended_plays.ms_played,
        extended_plays.content_uri,
        -- Rows that identify nothing are equal to each other, and to nothing else.
        case
            when coalesce(extended_plays.title, extended_plays.creator) is not null
                then coalesce(extended_plays.title, chr(30)) || chr(31) || coalesce(extended_plays.creator, chr(30))
            when extended_plays.content_uri is null then ''
        end as content_name,
        extended_plays.title is not null and extended_plays.creator is not null as is_fully_named,
        -- Smaller is kept first: more keys, then the member's place, then the row's.
        (1000 - extended_plays.key_count) * 10000000000000
        + int_member_precedence.precedence * 100000000
        + extended_plays.row_no as precedence
    from extended_plays
    inner join shared_moments
        on
            extended_plays.participant_no = shared_moments.participant_no
            and extended_plays.reported_ms = shared_moments.reported_ms
            and extended_plays.ms_played = shared_moments.ms_played
    inner join int_member_precedence on extended_plays.member_id = int_member_precedence.member_id
),

-- Rows of one content are all alike: one row stands for them, in the place of the first.
contents as (
    select
        participant_no,
        reported_ms,
        ms_played,
        content_uri,
        content_name,
        is_fully_named,
        min(precedence) as precedence
    from candidates
    group by participant_no, reported_ms, ms_played, content_uri, content_name, is_fully_named
),

ordered_contents as (
    select
        *,
        row_number() over (
            partition by participant_no, reported_ms, ms_played
            order by precedence
        ) as place
    from contents
),

-- One after the other, a content is kept unless one kept before it is the same play: has the same
-- URI, or the same title and creator; one of these may be empty only where a URI is missing. `kept`
-- lists what was kept: u for its URI, n for its names, t for its names if these decide although both have a
-- URI (title and creator are filled in), or if it has no URI.
decided (participant_no, reported_ms, ms_played, place, precedence, is_kept, kept) as (
    select
        participant_no,
        reported_ms,
        ms_played,
        place,
        precedence,
        true,
        {{ content_marks() }}
    from ordered_contents
    where place = 1

    union all

    select
        following.participant_no,
        following.reported_ms,
        following.ms_played,
        following.place,
        following.precedence,
        not {{ is_same_as_kept('following') }},
        case
            when {{ is_same_as_kept('following') }} then decided.kept
            else {{ joined_arrays('decided.kept', content_marks('following')) }}
        end
    from decided
    inner join ordered_contents as following
        on
            decided.participant_no = following.participant_no
            and decided.reported_ms = following.reported_ms
            and decided.ms_played = following.ms_played
            and decided.place + 1 = following.place
),

duplicates as (
    select candidates.row_id
    from candidates
    left join decided
        on
            candidates.participant_no = decided.participant_no
            and candidates.reported_ms = decided.reported_ms
            and candidates.ms_played = decided.ms_played
            and candidates.precedence = decided.precedence
            and decided.is_kept
    where decided.precedence is null
)

select * from duplicates
