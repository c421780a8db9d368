{# Which of the named things of a source a track is, by names: docs/matching.md. One row is one track and one source
   in which it was found. `asked` and `named` have the keys of macros/track_names.sql, a `source_id`, a `length_ms` (or
   null), and an id: `asked_id`, `named_id`. `named` has a `score`: of equals the lowest is taken. A track is sought
   in the source of its row alone. `named` may be large: first the few rows that can be meant are found by narrow
   columns, in the end these are compared. #}
{% macro matched_by_names(asked, named) -%}
    with asked_names as (select * from {{ asked }}),

    -- 'Various Artists' names nobody.
    asked_artists as (
        select
            asked_id,
            source_id,
            title_key,
            album_key,
            artist_key
        from (
            select
                asked_id,
                source_id,
                title_key,
                album_key,
                {{ each_of('artist_keys') }} as artist_key
            from asked_names
        ) as each_artist
        where not {{ is_nobody('artist_key') }}
    ),

    of_asked_titles as (
        select
            source_id,
            named_id,
            title_key,
            {{ each_of('artist_keys') }} as artist_key
        from {{ named }} as named_titles
        where title_key in (select title_key from asked_names)
    ),

    equal_names as (
        select distinct
            asked_artists.asked_id,
            asked_artists.source_id,
            of_asked_titles.named_id,
            'names' as method,
            0.93 as likelihood
        from asked_artists
        inner join of_asked_titles
            on
                asked_artists.source_id = of_asked_titles.source_id
                and asked_artists.title_key = of_asked_titles.title_key
                and asked_artists.artist_key = of_asked_titles.artist_key
    ),

    found as (
        select distinct
            asked_id,
            source_id
        from equal_names
    ),

    unmatched as (
        select asked_names.*
        from asked_names
        left join found
            on
                asked_names.asked_id = found.asked_id
                and asked_names.source_id = found.source_id
        where found.asked_id is null
    ),

    unmatched_artists as (
        select asked_artists.*
        from asked_artists
        inner join unmatched
            on
                asked_artists.asked_id = unmatched.asked_id
                and asked_artists.source_id = unmatched.source_id
    ),

    of_asked_artists as (
        select
            each_artist.source_id,
            each_artist.named_id,
            each_artist.title_key,
            each_artist.album_key,
            each_artist.artist_key
        from (
            select
                source_id,
                named_id,
                title_key,
                album_key,
                {{ each_of('artist_keys') }} as artist_key
            from {{ named }} as named_artists
        ) as each_artist
        where each_artist.artist_key in (select artist_key from unmatched_artists)
    ),

    -- Whom the source does not know by this name. An artist that it knows is nobody else's wrong spelling.
    known_artists as (
        select distinct
            source_id,
            artist_key
        from of_asked_artists
    ),

    unknown_artists as (
        select
            unmatched_artists.asked_id,
            unmatched_artists.source_id,
            unmatched_artists.artist_key
        from unmatched_artists
        left join known_artists
            on
                unmatched_artists.source_id = known_artists.source_id
                and unmatched_artists.artist_key = known_artists.artist_key
        where known_artists.artist_key is null
    ),

    -- A letter or two is wrong in the title, its words are in another order, or it leaves to the album to say that it
    -- is live. Numbers and words of other versions are never taken for an error.
    titles_alike as (
        select
            unmatched_artists.asked_id,
            unmatched_artists.source_id,
            of_asked_artists.named_id,
            case
                when {{ is_version_of_album('unmatched_artists', 'of_asked_artists') }} then 'title_and_album' else 'similar_title'
            end as method,
            case
                when {{ is_version_of_album('unmatched_artists', 'of_asked_artists') }} then 0.70
                when {{ is_in_other_order('unmatched_artists.title_key', 'of_asked_artists.title_key') }} then 0.76
                else {{ likelihood_of_errors('unmatched_artists.title_key', 'of_asked_artists.title_key') }}
            end as likelihood
        from unmatched_artists
        inner join of_asked_artists
            on
                unmatched_artists.source_id = of_asked_artists.source_id
                and unmatched_artists.artist_key = of_asked_artists.artist_key
                and (
                    {{ is_similar('unmatched_artists.title_key', 'of_asked_artists.title_key') }}
                    or {{ is_in_other_order('unmatched_artists.title_key', 'of_asked_artists.title_key') }}
                    or {{ is_version_of_album('unmatched_artists', 'of_asked_artists') }}
                )
    ),

    of_unmatched_titles as (
        select
            source_id,
            named_id,
            title_key,
            album_key,
            {{ each_of('artist_keys') }} as artist_key
        from {{ named }} as named_titles
        where title_key in (select title_key from unmatched)
    ),

    artists_alike as (
        select
            unmatched_artists.asked_id,
            unmatched_artists.source_id,
            of_unmatched_titles.named_id,
            'similar_artist' as method,
            case
                when unknown_artists.artist_key is null then 0.66
                else {{ likelihood_of_errors('unmatched_artists.artist_key', 'of_unmatched_titles.artist_key') }}
            end as likelihood
        from unmatched_artists
        left join unknown_artists
            on
                unmatched_artists.asked_id = unknown_artists.asked_id
                and unmatched_artists.source_id = unknown_artists.source_id
                and unmatched_artists.artist_key = unknown_artists.artist_key
        inner join of_unmatched_titles
            on
                unmatched_artists.source_id = of_unmatched_titles.source_id
                and unmatched_artists.title_key = of_unmatched_titles.title_key
                and length(unmatched_artists.title_key) >= 4
                and (
                    {{ is_longer_name('unmatched_artists.artist_key', 'of_unmatched_titles.artist_key') }}
                    or (
                        unknown_artists.artist_key is not null
                        and {{ is_similar('unmatched_artists.artist_key', 'of_unmatched_titles.artist_key') }}
                    )
                )
    ),

    -- A compilation names no artist: its title and album must say it.
    of_compilations as (
        select
            unmatched.asked_id,
            unmatched.source_id,
            of_unmatched_titles.named_id,
            'title_and_album' as method,
            0.70 as likelihood
        from unmatched
        inner join of_unmatched_titles
            on
                unmatched.source_id = of_unmatched_titles.source_id
                and unmatched.title_key = of_unmatched_titles.title_key
                and unmatched.album_key = of_unmatched_titles.album_key
                and unmatched.album_key <> ''
                and ({{ is_nobody('unmatched.first_artist_key') }} or {{ is_nobody('of_unmatched_titles.artist_key') }})
    ),

    -- A letter or two is wrong in artist and title. That both begin, or end, with the right letters finds them.
    both_alike as (
        {%- for letters in ['left', 'right'] %}
        select
            unmatched.asked_id,
            unmatched.source_id,
            named_{{ letters }}.named_id,
            'similar_names' as method,
            {{ likelihood_of_errors('unmatched.first_artist_key', 'named_' ~ letters ~ '.first_artist_key') }}
            + {{ likelihood_of_errors('unmatched.title_key', 'named_' ~ letters ~ '.title_key') }} - 0.77 as likelihood
        from unmatched
        inner join unknown_artists
            on
                unmatched.asked_id = unknown_artists.asked_id
                and unmatched.source_id = unknown_artists.source_id
                and unmatched.first_artist_key = unknown_artists.artist_key
        inner join {{ named }} as named_{{ letters }}
            on
                unmatched.source_id = named_{{ letters }}.source_id
                and {{ outer_letters(letters, 'unmatched.first_artist_key') }} = {{ outer_letters(letters, 'named_' ~ letters ~ '.first_artist_key') }}
                and {{ outer_letters(letters, 'unmatched.title_key') }} = {{ outer_letters(letters, 'named_' ~ letters ~ '.title_key') }}
                and {{ is_similar('unmatched.first_artist_key', 'named_' ~ letters ~ '.first_artist_key') }}
                and {{ is_similar('unmatched.title_key', 'named_' ~ letters ~ '.title_key') }}
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ),

    found_in_some_way as (
        select * from equal_names
        union all
        select * from titles_alike
        union all
        select * from artists_alike
        union all
        select * from of_compilations
        union all
        select * from both_alike
    ),

    candidates as (
        select
            asked_id,
            source_id,
            named_id,
            method,
            likelihood
        from (
            select
                *,
                row_number() over (
                    partition by asked_id, source_id, named_id order by likelihood desc, method asc
                ) as choice
            from found_in_some_way
        ) as ways
        where choice = 1
    ),

    of_candidates as (
        select
            source_id,
            named_id,
            score,
            artist_keys,
            title_key,
            exact_title_key,
            album_key,
            length_ms
        from {{ named }} as named_candidates
        where named_id in (select named_id from candidates)
    ),

    compared as (
        select
            candidates.asked_id,
            candidates.source_id,
            candidates.named_id,
            candidates.method,
            of_candidates.score,
            candidates.likelihood
            + case when asked_names.exact_title_key = of_candidates.exact_title_key then 0.03 else 0 end
            + case when asked_names.artist_keys = of_candidates.artist_keys then 0.02 else 0 end
            + case
                when asked_names.album_key = '' or of_candidates.album_key = '' then 0
                when asked_names.album_key = of_candidates.album_key
                    then case candidates.method when 'names' then 0.02 else 0.12 end
                when {{ is_of_many_albums('asked_names.title_key') }} then -0.25
                else 0
            end
            + case
                when asked_names.length_ms is null or of_candidates.length_ms is null then 0
                when abs(asked_names.length_ms - of_candidates.length_ms) <= 4000
                    then case candidates.method when 'names' then 0 else 0.08 end
                when abs(asked_names.length_ms - of_candidates.length_ms) > greatest(20000, asked_names.length_ms * 0.1) then -0.15
                else 0
            end as evidence
        from candidates
        inner join asked_names
            on
                candidates.asked_id = asked_names.asked_id
                and candidates.source_id = asked_names.source_id
        inner join of_candidates
            on
                candidates.named_id = of_candidates.named_id
                and candidates.source_id = of_candidates.source_id
    ),

    ranked as (
        select
            *,
            rank() over (partition by asked_id, source_id order by evidence desc) as place,
            row_number() over (partition by asked_id, source_id order by evidence desc, score asc, named_id asc) as choice
        from compared
    ),

    counted as (
        select
            *,
            count(*) filter (where place = 1) over (partition by asked_id, source_id) as equals
        from ranked
    ),

    -- Songs of one title on one compilation: nothing says which is meant.
    chosen as (
        select
            asked_id,
            source_id,
            named_id,
            method,
            cast(
                greatest(least(evidence, 1.0) - case when method = 'title_and_album' and equals > 1 then 0.25 else 0 end, 0)
                as decimal(4, 3)
            ) as confidence,
            cast(equals as integer) as equals
        from counted
        where choice = 1
    )

    select * from chosen
{%- endmacro %}

{# The recordings of MusicBrainz' canonical data as something named. They have no lengths. #}
{% macro recordings_as_named(recordings) -%}
    (
        select
            'musicbrainz_canonical' as source_id,
            recording_mbid as named_id,
            score,
            artist_keys,
            first_artist_key,
            title_key,
            exact_title_key,
            album_key,
            cast(null as bigint) as length_ms
        from {{ recordings }}
    )
{%- endmacro %}

{# The tracks of feature sources that have names, as something named. #}
{% macro source_tracks_as_named(source_tracks) -%}
    (
        select
            source_id,
            track_no as named_id,
            0 as score,
            artist_keys,
            first_artist_key,
            title_key,
            exact_title_key,
            coalesce(album_key, '') as album_key,
            length_ms
        from {{ source_tracks }}
        where title_key is not null
    )
{%- endmacro %}

{# How many letters may be wrong in a key, if nothing else says that it is meant; and if the album or the length does. #}
{% macro errors_allowed(key) -%}
    case when length({{ key }}) >= 12 then 2 when length({{ key }}) >= 7 then 1 else 0 end
{%- endmacro %}

{% macro errors_allowed_with_evidence(key) -%}
    case when length({{ key }}) >= 8 then 2 when length({{ key }}) >= 4 then 1 else 0 end
{%- endmacro %}

{# How likely it is that a similar key is meant. #}
{% macro likelihood_of_errors(key, other) -%}
    case when {{ edit_distance(key, other) }} <= {{ errors_allowed(key) }} then 0.76 else 0.66 end
{%- endmacro %}

{# Whether one key is the other with a letter or two wrong, not at both ends. What costs least is asked first: of 'and'
   engines do not keep the order. #}
{% macro is_similar(key, other) -%}
    case
        when abs(length({{ key }}) - length({{ other }})) > 2 then false
        when
            {{ outer_letters('left', key, 3) }} <> {{ outer_letters('left', other, 3) }}
            and {{ outer_letters('right', key, 3) }} <> {{ outer_letters('right', other, 3) }}
            then false
        when {{ edit_distance(key, other) }} > {{ errors_allowed_with_evidence(key) }} then false
        else {{ what_must_agree(key) }} = {{ what_must_agree(other) }}
    end
{%- endmacro %}

{# Whether two keys are two parts in the other order, as those of 'Song, The' are. The same numbers stay together. #}
{% macro is_in_other_order(key, other) -%}
    case
        when length({{ key }}) <> length({{ other }}) or length({{ key }}) < 8 then false
        when not contains({{ key }} || {{ key }}, {{ other }}) then false
        else {{ distinct_sorted(what_must_agree(key)) }} = {{ distinct_sorted(what_must_agree(other)) }}
    end
{%- endmacro %}

{# Whether one title only adds to the other, at its end, that it is a live take (or so) where the album says so. #}
{% macro is_version_of_album(one, other) -%}
    (
        {{ one }}.album_key = {{ other }}.album_key
        and {{ one }}.title_key <> {{ other }}.title_key
        and {{ found_in(one ~ '.album_key', '(?:^live|live$|liveat|livein|livefrom|unplugged|acoustic|karaoke|instrumental)') }}
        and {{ added_version(one ~ '.title_key', other ~ '.title_key') }}
    )
{%- endmacro %}

{% macro added_version(key, other) -%}
    case
        when {{ begins_with(key, other) }} then {{ found_in('substring(' ~ key ~ ', length(' ~ other ~ ') + 1)', '^(?:live|unplugged|acoustic|karaoke|instrumental)') }}
        when {{ begins_with(other, key) }} then {{ found_in('substring(' ~ other ~ ', length(' ~ key ~ ') + 1)', '^(?:live|unplugged|acoustic|karaoke|instrumental)') }}
        else false
    end
{%- endmacro %}

{# Whether one artist's name is the beginning or the end of the other: 'Ada Lind' and 'Ada Lind Band'. #}
{% macro is_longer_name(key, other) -%}
    (
        least(length({{ key }}), length({{ other }})) >= 6
        and (
            {{ begins_with(key, other) }}
            or {{ begins_with(other, key) }}
            or substring({{ key }}, greatest(length({{ key }}) - length({{ other }}), 0) + 1) = {{ other }}
            or substring({{ other }}, greatest(length({{ other }}) - length({{ key }}), 0) + 1) = {{ key }}
        )
    )
{%- endmacro %}

{# Whether a key of an artist stands for nobody in particular. #}
{% macro is_nobody(key) -%}
    coalesce({{ key }} in (
        'variousartists', 'various', 'variousartist', 'va', 'variosartistas', 'variosinterpretes', 'artistesvaries',
        'verschiedeneinterpreten', 'diverseinterpreten', 'artistivari', 'unknownartist', 'unknown', 'soundtrack',
        'originalsoundtrack', 'originalcast'
    ), false)
{%- endmacro %}

{# Whether an artist has such a title on many albums, each a recording of its own. #}
{% macro is_of_many_albums(key) -%}
    {{ found_in(key, '^(?:intro|outro|interlude|skit|untitled|prelude|hiddentrack|bonustrack|overture|finale|endcredits|maintitle|credits)[0-9]*$') }}
{%- endmacro %}

{# Numbers, and words of versions that sound different, as they follow each other in a key. #}
{% macro what_must_agree(key) -%}
    {{ all_found_in(key, '[0-9]+|live|remix|mix|dub|acoustic|unplugged|instrumental|karaoke|acapella|demo|cover|slowed|spedup|nightcore|extended|reprise|interlude|intro|orchestral|piano|version|rerecorded') }}
{%- endmacro %}

{# What engines spell differently. #}

{% macro each_of(list) -%}
    {{- adapter.dispatch('each_of', 'consonance')(list) -}}
{%- endmacro %}

{% macro duckdb__each_of(list) -%}
    unnest({{ list }})
{%- endmacro %}

{% macro spark__each_of(list) -%}
    explode({{ list }})
{%- endmacro %}

{# How many letters were changed, left out, added or exchanged with their neighbour; it is sure up to 2. #}
{% macro edit_distance(one, other) -%}
    {{- adapter.dispatch('edit_distance', 'consonance')(one, other) -}}
{%- endmacro %}

{% macro duckdb__edit_distance(one, other) -%}
    damerau_levenshtein({{ one }}, {{ other }})
{%- endmacro %}

{# Of the bytes, as DuckDB has it. The rows of the table are made one after the other, of the three before: an exchange of
   neighbours may have one letter between them. Source: Lowrance and Wagner, An Extension of the String-to-String Correction
   Problem (1975). #}
{% macro spark__edit_distance(one, other) -%}
    {%- set letters = "split(decode(encode({}, 'UTF-8'), 'ISO-8859-1'), '')" -%}
    case
        when {{ one }} = '' or {{ other }} = '' then greatest(octet_length({{ one }}), octet_length({{ other }}))
        else transform(array(named_struct('a', {{ letters.format(one) }}, 'b', {{ letters.format(other) }})), texts -> aggregate(
            sequence(1, size(texts.a)),
            named_struct('last', sequence(0, size(texts.b)), 'before', cast(array() as array<int>), 'third', cast(array() as array<int>)),
            (rows, i) -> named_struct(
                'last', aggregate(
                    sequence(1, size(texts.b)),
                    array(i),
                    (made, j) -> concat(made, array(least(
                        get(rows.last, j) + 1,
                        get(made, j - 1) + 1,
                        get(rows.last, j - 1) + case when get(texts.a, i - 1) = get(texts.b, j - 1) then 0 else 1 end,
                        case when get(texts.a, i - 2) = get(texts.b, j - 1) and get(texts.a, i - 1) = get(texts.b, j - 2) then get(rows.before, j - 2) + 1 end,
                        case when get(texts.a, i - 3) = get(texts.b, j - 1) and get(texts.a, i - 1) = get(texts.b, j - 2) then get(rows.third, j - 2) + 2 end,
                        case when get(texts.a, i - 2) = get(texts.b, j - 1) and get(texts.a, i - 1) = get(texts.b, j - 3) then get(rows.before, j - 3) + 2 end
                    )))
                ),
                'before', rows.last,
                'third', rows.before
            ),
            rows -> get(rows.last, size(texts.b))
        ))[0]
    end
{%- endmacro %}

{% macro all_found_in(text, pattern) -%}
    {{- adapter.dispatch('all_found_in', 'consonance')(text, pattern) -}}
{%- endmacro %}

{% macro duckdb__all_found_in(text, pattern) -%}
    regexp_extract_all({{ text }}, '{{ pattern }}')
{%- endmacro %}

{% macro spark__all_found_in(text, pattern) -%}
    regexp_extract_all({{ text }}, '{{ spark_pattern(pattern) }}', 0)
{%- endmacro %}


{# The first or the last few letters. #}
{% macro outer_letters(side, text, letters=4) -%}
    {%- if side == 'left' -%}
        substring({{ text }}, 1, {{ letters }})
    {%- else -%}
        substring({{ text }}, greatest(length({{ text }}) - {{ letters - 1 }}, 1), {{ letters }})
    {%- endif -%}
{%- endmacro %}
