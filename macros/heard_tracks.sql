{# Which tracks a feature source may be asked about over the network: docs/fetching.md. It stands here alone: the fetch,
   the wall and the erasure use it (consonance/consent/rules.py renders it for SQL that runs beside dbt). #}

{# Whether a play of `int_play_fates` shows that the track may be asked about: it is kept, of music of Spotify's
   catalogue, and was not in a private session. #}
{% macro is_openly_heard(plays) -%}
    (
        {{ plays }}.fate = 'kept'
        and {{ plays }}.content_type = 'track'
        and not coalesce({{ plays }}.is_private_session, false)
        and {{ is_catalogue_uri(plays ~ '.content_uri', 'track') }}
    )
{%- endmacro %}

{# The URI of the track with this Spotify id, and the id in such a URI. #}
{% macro track_uri(spotify_id) -%}
    ('spotify:track:' || {{ spotify_id }})
{%- endmacro %}

{% macro track_id_of(uri) -%}
    substring({{ uri }}, 15)
{%- endmacro %}
