-- One row is one way in which kept plays name what was played, and whether it is private: a local
-- file, or a text that names a participant (old exports tell a voice memo by its names alone).
-- participant_no is null where a public URI tells what it is, whoever played it.
with play_fates as (select * from {{ ref('play_fates') }}),

known_names as (select * from {{ ref('known_names') }}),

spelled as (
    select
        case
            when content_uri is null or starts_with(content_uri, 'spotify:local:') then participant_no
        end as participant_no,
        content_type,
        content_uri,
        title,
        creator,
        album,
        count(*) as plays
    from play_fates
    where
        fate = 'kept'
        and content_type <> 'unknown'
    group by
        case
            when content_uri is null or starts_with(content_uri, 'spotify:local:') then participant_no
        end,
        content_type, content_uri, title, creator, album
),

texts as (
    select title as text_value from spelled
    union
    select creator from spelled
    union
    select album from spelled
),

-- A short name is a common word: it gives somebody away only if it is the whole text.
telling_texts as (
    select distinct texts.text_value
    from texts
    inner join known_names
        on
            lower(texts.text_value) = known_names.name
            or (length(known_names.name) >= 8 and contains(lower(texts.text_value), known_names.name))
),

judged as (
    select
        spelled.*,
        coalesce(starts_with(spelled.content_uri, 'spotify:local:'), false)
        or titles.text_value is not null
        or creators.text_value is not null
        or albums.text_value is not null as is_private
    from spelled
    left join telling_texts as titles on spelled.title = titles.text_value
    left join telling_texts as creators on spelled.creator = creators.text_value
    left join telling_texts as albums on spelled.album = albums.text_value
)

select * from judged
