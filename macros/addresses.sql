{# What looks like an address. It is said here alone for every check: rules of consonance/checks, the leak scan (both
   through consonance/consent/rules.py), data tests. The functions that withhold addresses keep their own patterns,
   which may be wider: a function is plain SQL, and a check does not trust what it checks. #}

{% macro email_pattern() -%} [^\s@]+@[^\s@]+\.[A-Za-z]{2,} {%- endmacro %}

{% macro ipv4_pattern() -%} \b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b {%- endmacro %}

{% macro ipv6_pattern() -%} \b[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]*[0-9] {%- endmacro %}

{% macro telephone_pattern() -%} \+(\d[ ()/.-]{0,2}){8,}|(\d[ ()/.-]{0,2}){10,} {%- endmacro %}

{# Whether a text looks like an e-mail or IP address. #}
{% macro looks_like_an_address(text) -%}
    (
        regexp_matches({{ text }}, '{{ email_pattern() }}')
        or regexp_matches({{ text }}, '{{ ipv4_pattern() }}')
        or regexp_matches({{ text }}, '{{ ipv6_pattern() }}')
    )
{%- endmacro %}

{# Whether a text looks like a telephone number. Ids of Spotify and MusicBrainz, ISRCs, digests and pseudonyms may hold
   many digits in a row. #}
{% macro looks_like_a_telephone_number(text) -%}
    (
        regexp_matches({{ text }}, '{{ telephone_pattern() }}')
        and not regexp_full_match({{ text }}, '(spotify:[a-z]+:)?[0-9A-Za-z]{22}|[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}|[A-Z]{2}[A-Z0-9]{3}[0-9]{7}|p[a-z2-9]{11}')
    )
{%- endmacro %}
