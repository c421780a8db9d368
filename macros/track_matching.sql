{# Which recording of a catalogue a track is, by names: docs/matching.md. One row is one track that has one.
   `asked` and `recordings` have the keys of macros/track_names.sql, a length in milliseconds (or null), and an id:
   `asked_id`, `recording_mbid`. `recordings` has a `score`: of equals the lowest is taken. #}
{% macro matched_by_names(asked, recordings) -%}
    with asked as (select * from {{ asked }}),

    recordings as (select * from {{ recordings }}),

    asked_artists as (
        select
            asked_id,
            title_key,
            {{ each_of('artist_keys') }} as artist_key
        from asked
    ),

    -- Of millions of recordings these few can be one of the tracks.
    of_asked_titles as (
        select
            recording_mbid,
            title_key,
            {{ each_of('artist_keys') }} as artist_key
        from recordings
        where title_key in (select title_key from asked)
    ),

    equal_names as (
        select distinct
            asked_artists.asked_id,
            of_asked_titles.recording_mbid,
            'names' as method
        from asked_artists
        inner join of_asked_titles
            on
                asked_artists.title_key = of_asked_titles.title_key
                and asked_artists.artist_key = of_asked_titles.artist_key
    ),

    unmatched as (
        select * from asked
        where asked_id not in (select asked_id from equal_names)
    ),

    unmatched_artists as (
        select
            asked_id,
            title_key,
            {{ each_of('artist_keys') }} as artist_key
        from unmatched
    ),

    of_asked_artists as (
        select
            named.recording_mbid,
            named.title_key,
            named.artist_key
        from (
            select
                recording_mbid,
                title_key,
                {{ each_of('artist_keys') }} as artist_key
            from recordings
        ) as named
        where named.artist_key in (select artist_key from unmatched_artists)
    ),

    -- A letter or two is wrong in the title. Numbers and words of other versions are never taken for an error.
    titles_alike as (
        select distinct
            unmatched_artists.asked_id,
            of_asked_artists.recording_mbid,
            'similar_title' as method
        from unmatched_artists
        inner join of_asked_artists
            on
                unmatched_artists.artist_key = of_asked_artists.artist_key
                and abs(length(unmatched_artists.title_key) - length(of_asked_artists.title_key)) <= 2
                and damerau_levenshtein(unmatched_artists.title_key, of_asked_artists.title_key)
                <= {{ errors_allowed('unmatched_artists.title_key') }}
                and {{ what_must_agree('unmatched_artists.title_key') }} = {{ what_must_agree('of_asked_artists.title_key') }}
    ),

    artists_alike as (
        select distinct
            unmatched.asked_id,
            recordings.recording_mbid,
            'similar_artist' as method
        from unmatched
        inner join recordings
            on
                unmatched.title_key = recordings.title_key
                and damerau_levenshtein(unmatched.first_artist_key, recordings.first_artist_key)
                <= {{ errors_allowed('unmatched.first_artist_key') }}
                and length(unmatched.title_key) >= 4
    ),

    candidates as (
        select * from equal_names
        union all
        select * from titles_alike
        union all
        select * from artists_alike
    ),

    compared as (
        select
            candidates.asked_id,
            candidates.recording_mbid,
            candidates.method,
            recordings.score,
            case candidates.method when 'names' then 0.93 when 'similar_title' then 0.76 else 0.76 end
            + case when asked.exact_title_key = recordings.exact_title_key then 0.03 else 0 end
            + case when asked.artist_keys = recordings.artist_keys then 0.02 else 0 end
            + case when asked.album_key = recordings.album_key then case candidates.method when 'names' then 0.02 else 0.12 end else 0 end
            + case
                when asked.length_ms is null or recordings.length_ms is null then 0
                when abs(asked.length_ms - recordings.length_ms) <= 4000 then case candidates.method when 'names' then 0 else 0.08 end
                when abs(asked.length_ms - recordings.length_ms) > greatest(20000, asked.length_ms * 0.1) then -0.15
                else 0
            end as evidence
        from candidates
        inner join asked on candidates.asked_id = asked.asked_id
        inner join recordings on candidates.recording_mbid = recordings.recording_mbid
    ),

    ranked as (
        select
            asked_id,
            recording_mbid,
            method,
            least(evidence, 1.0) as confidence,
            rank() over (partition by asked_id order by evidence desc) as place,
            row_number() over (partition by asked_id order by evidence desc, score asc, recording_mbid asc) as choice
        from compared
    ),

    counted as (
        select
            *,
            count(*) filter (where place = 1) over (partition by asked_id) as equals
        from ranked
    ),

    chosen as (
        select
            asked_id,
            recording_mbid,
            method,
            cast(confidence as decimal(4, 3)) as confidence,
            cast(equals as integer) as equals
        from counted
        where choice = 1
    )

    select * from chosen
{%- endmacro %}

{# How many letters may be wrong in a key. Of short ones each letter counts. #}
{% macro errors_allowed(key) -%}
    case when length({{ key }}) >= 12 then 2 when length({{ key }}) >= 7 then 1 else 0 end
{%- endmacro %}

{# Numbers, and words of versions that sound different, as they follow each other in a key. #}
{% macro what_must_agree(key) -%}
    regexp_extract_all({{ key }}, '[0-9]+|live|remix|mix|dub|acoustic|unplugged|instrumental|karaoke|acapella|demo|cover|slowed|spedup|nightcore|extended|reprise|interlude|intro|orchestral|piano|version|rerecorded')
{%- endmacro %}

{% macro each_of(list) -%}
    unnest({{ list }})
{%- endmacro %}
