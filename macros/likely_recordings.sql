{# The recordings that one of the tracks in `asked` can be, with the keys of their names: CTEs of which
   `likely_recordings` is the last. To make the keys of every recording takes many times as long as to load them, and
   there are far fewer artists: so the artists are looked for first. A recording is likely if its artist is one of a
   track's, is called nearly so, or is nobody in particular, or if its album is one on which such a track is. `asked` has
   the keys of macros/track_names.sql. `recordings` has names as they are, a `recording_mbid` and a `score`. #}
{% macro likely_recordings(asked, recordings) -%}
    {{- adapter.dispatch('likely_recordings', 'consonance')(asked, recordings) -}}
{%- endmacro %}

{% macro duckdb__likely_recordings(asked, recordings) -%}
asked_credits as (
    select distinct artist_key
    from (select {{ each_of('artist_keys') }} as artist_key from {{ asked }}) as each_artist
    where not {{ is_nobody('artist_key') }}
),

credits as (
    select distinct artist
    from {{ recordings }} as credited
    where exists (select 1 from {{ asked }})
),

credit_keys as (
    {{ with_name_keys("(select artist, '' as nothing from credits) as named_credits", 'artist', 'artist', 'nothing', 'nothing') }}
),

each_credit as (
    select
        artist,
        {{ each_of('artist_keys') }} as artist_key
    from credit_keys
),

known_artists as (
    select
        asked_credits.artist_key,
        each_credit.artist
    from asked_credits
    inner join each_credit on asked_credits.artist_key = each_credit.artist_key
),

unknown_artists as (
    select artist_key
    from asked_credits
    where artist_key not in (select artist_key from known_artists)
),

likely_credits as (
    select artist
    from known_artists
    union
    select artist
    from each_credit
    where {{ is_nobody('artist_key') }}
    {%- for letters in ['left', 'right'] %}
    union
    select each_credit.artist
    from each_credit
    inner join unknown_artists
        on
            {{ outer_letters(letters, 'each_credit.artist_key', 3) }} = {{ outer_letters(letters, 'unknown_artists.artist_key', 3) }}
            and {{ is_similar('unknown_artists.artist_key', 'each_credit.artist_key') }}
    union
    select each_credit.artist
    from each_credit
    inner join asked_credits
        on
            {{ outer_letters(letters, 'each_credit.artist_key', 6) }} = {{ outer_letters(letters, 'asked_credits.artist_key', 6) }}
            and {{ is_longer_name('asked_credits.artist_key', 'each_credit.artist_key') }}
    {%- endfor %}
),

asked_albums as (
    select distinct album_key
    from {{ asked }} as compilations
    where {{ is_nobody('first_artist_key') }} and album_key <> ''
),

albums as (
    select distinct album
    from {{ recordings }} as released
    where exists (select 1 from asked_albums)
),

album_keys as (
    {{ with_name_keys("(select album, '' as nothing from albums) as named_albums", 'album', 'nothing', 'nothing', 'album') }}
),

likely_albums as (
    select album_keys.album
    from album_keys
    inner join asked_albums on album_keys.album_key = asked_albums.album_key
),

likely_recordings as (
    {{ with_name_keys(
        '(select * from ' ~ recordings ~ ' as named_recordings where artist in (select artist from likely_credits) or album in (select album from likely_albums)) as likely_names',
        'recording_mbid, score', 'artist', 'title', 'album'
    ) }}
)
{%- endmacro %}

{# All of them, from which the same ones are chosen: Spark checks a statement with each step written out wherever it is read,
   and these steps would be written out a hundred times. #}
{% macro spark__likely_recordings(asked, recordings) -%}
likely_recordings as (
    {{ with_name_keys(recordings ~ ' as named_recordings', 'recording_mbid, score', 'artist', 'title', 'album') }}
)
{%- endmacro %}
