-- One row is one text of somebody else's rows that names whom we erase, by the rule of known names, and
-- what stands in its place from now on: the vault would forget that it must not pass the wall.
create or replace temp table texts_to_hide as
with others_plays as (
    select * from vault.raw.extended_plays where not list_contains(getvariable('numbers'), participant_no)
),

others_account_plays as (
    select * from vault.raw.account_plays where not list_contains(getvariable('numbers'), participant_no)
),

texts as (
    select track_name as text_value from others_plays
    union
    select artist_name from others_plays
    union
    select album_name from others_plays
    union
    select episode_name from others_plays
    union
    select show_name from others_plays
    union
    select audiobook_title from others_plays
    union
    select chapter_title from others_plays
    union
    select title from others_account_plays
    union
    select creator from others_account_plays
    union
    select author from others_account_plays
    union
    select listed_fields
    from vault.raw.rejected_rows
    where not list_contains(getvariable('numbers'), participant_no)
),

names as (
    select lower(unnest(getvariable('names'))) as name
),

named as (
    select distinct texts.text_value
    from texts
    inner join names
        on
            lower(texts.text_value) = names.name
            or (length(names.name) >= 8 and contains(lower(texts.text_value), names.name))
)

select
    text_value,
    getvariable('label') || ' ' || row_number() over (order by text_value) as replacement
from named;
