-- One row is one way in which kept plays name what was played, and whether it is private: a local
-- file, or a text without a catalogue URI that names a participant (old exports have only the names of a
-- voice memo). Definition: docs/numbers.md, "Private texts".
-- participant_no is null where a public URI identifies it, whoever played it.
with int_play_fates as (select * from {{ ref('int_play_fates') }}),

int_known_names as (select * from {{ ref('int_known_names') }}),

spelled as (
    select
        case
            when content_uri is null or {{ begins_with('content_uri', "'spotify:local:'") }} then participant_no
        end as participant_no,
        content_type,
        content_uri,
        title,
        creator,
        album,
        count(*) as plays
    from int_play_fates
    where
        fate = 'kept'
        and content_type <> 'unknown'
    group by
        case
            when content_uri is null or {{ begins_with('content_uri', "'spotify:local:'") }} then participant_no
        end,
        content_type, content_uri, title, creator, album
),

located as (
    select
        *,
        case content_type
            when 'track' then {{ is_catalogue_uri('content_uri', 'track') }}
            when 'episode' then {{ is_catalogue_uri('content_uri', 'episode') }}
            else {{ is_catalogue_uri('content_uri', 'chapter|audiobook') }}
        end as is_in_catalogue
    from spelled
),

texts as (
    select title as text_value from located
    where not is_in_catalogue
    union
    select creator from located
    where not is_in_catalogue
    union
    select album from located
    where not is_in_catalogue
),

texts_with_names as (
    select distinct texts.text_value
    from texts
    inner join int_known_names on {{ holds_name('texts.text_value', 'int_known_names.name') }}
),

judged as (
    select
        located.participant_no,
        located.content_type,
        located.content_uri,
        located.title,
        located.creator,
        located.album,
        located.plays,
        coalesce({{ begins_with('located.content_uri', "'spotify:local:'") }}, false)
        or (
            not located.is_in_catalogue
            and (
                titles.text_value is not null
                or creators.text_value is not null
                or albums.text_value is not null
            )
        ) as is_private
    from located
    left join texts_with_names as titles on located.title = titles.text_value
    left join texts_with_names as creators on located.creator = creators.text_value
    left join texts_with_names as albums on located.album = albums.text_value
)

select * from judged
