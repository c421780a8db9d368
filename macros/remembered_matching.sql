{# The matches of the tracks in `feat_track_names` with what `named` names, in every source of `asked_sources`: CTEs of
   which `all_matches` is the last, for a model whose own rows of the run before are `earlier_matches`. A row of these
   stays if nothing has changed on which it depends: the track's names and length (`names_digest`), what the source
   has (`source_digest`), and the SQL that matches (`matching_digest`). So nothing is sought twice, and every row is
   the one that a run without memory would make. `named` may be the last of the CTEs `before`, which may read `keyed`:
   what is sought, with the keys of its names. #}
{% macro remembered_matching(named, id, before='') -%}
{%- set keys = with_name_keys('sought as tracks', 'asked_id, source_id, length_ms', 'creator', 'title', 'album') -%}
{%- set matches = matched_by_names('keyed', named) -%}
{%- set matching_digest = text_digest("'" ~ local_md5(keys ~ before ~ matches) ~ "'") -%}
kept as (
    select
        earlier_matches.track_id,
        earlier_matches.source_id,
        earlier_matches.{{ id }} as named_id,
        earlier_matches.match_method,
        earlier_matches.match_confidence,
        earlier_matches.equals,
        earlier_matches.names_digest,
        earlier_matches.source_digest,
        earlier_matches.matching_digest
    from earlier_matches
    inner join feat_track_names
        on
            earlier_matches.track_id = feat_track_names.track_id
            and earlier_matches.names_digest = feat_track_names.names_digest
    inner join asked_sources
        on
            earlier_matches.source_id = asked_sources.source_id
            and earlier_matches.source_digest = asked_sources.source_digest
    where earlier_matches.matching_digest = {{ matching_digest }}
),

asked as (
    select
        feat_track_names.track_id as asked_id,
        feat_track_names.creator,
        feat_track_names.title,
        feat_track_names.album,
        feat_track_names.usual_ms as length_ms,
        feat_track_names.names_digest,
        asked_sources.source_id,
        asked_sources.source_digest
    from feat_track_names
    cross join asked_sources
),

sought as (
    select asked.*
    from asked
    left join kept
        on
            asked.asked_id = kept.track_id
            and asked.source_id = kept.source_id
    where kept.track_id is null
),

keyed as (
    {{ keys }}
),

{%- if before %}

{{ before }},
{%- endif %}

new_matches as (
    {{ matches }}
),

all_matches as (
    select * from kept
    union all
    select
        sought.asked_id as track_id,
        sought.source_id,
        new_matches.named_id,
        new_matches.method as match_method,
        new_matches.confidence as match_confidence,
        new_matches.equals,
        sought.names_digest,
        sought.source_digest,
        {{ matching_digest }} as matching_digest
    from sought
    left join new_matches
        on
            sought.asked_id = new_matches.asked_id
            and sought.source_id = new_matches.source_id
)
{%- endmacro %}

{# A whole number that stands for a set of texts: in whatever order their digests come, it is the same. #}
{% macro sum_of_digests(digest) -%}
    cast(coalesce({{ whole_sum(digest) }}, 0) % 4611686018427387904 as bigint)
{%- endmacro %}

{# The sum of whole numbers, however large. #}
{% macro whole_sum(number) -%}
    {{- adapter.dispatch('whole_sum', 'consonance')(number) -}}
{%- endmacro %}

{% macro duckdb__whole_sum(number) -%}
    sum({{ number }})
{%- endmacro %}

{% macro spark__whole_sum(number) -%}
    sum(cast({{ number }} as decimal(28, 0)))
{%- endmacro %}

{# A whole number that stands for a text. #}
{% macro text_digest(text) -%}
    {{- adapter.dispatch('text_digest', 'consonance')(text) -}}
{%- endmacro %}

{% macro duckdb__text_digest(text) -%}
    cast(md5_number_lower({{ text }}) >> 1 as bigint)
{%- endmacro %}

{# The last eight bytes of the MD5, the last one first, without the lowest bit. #}
{% macro spark__text_digest(text) -%}
    cast(cast(conv(regexp_replace(reverse(substr(md5({{ text }}), 17)), '(.)(.)', '$2$1'), 16, 10) as decimal(20, 0)) div 2 as bigint)
{%- endmacro %}
