{# The measures of listening that everybody asks for, each defined once: an aggregate over rows of marts.plays or, the last two,
   of marts.sessions, for whatever a query groups by. docs/desk.md lists them; analyses/listening_measures.sql shows each. #}

{# Hours and minutes are of what was played, not of how long a session was open. #}
{% macro listening_minutes() %}sum(ms_played) / 60000.0{% endmacro %}

{% macro counted_plays() %}count(*) filter (where is_counted){% endmacro %}

{# Of plays whose end is known: those that the listener ended with a button. #}
{% macro skip_rate() %}avg(case when is_skip then 1.0 when not is_skip then 0.0 end){% endmacro %}

{% macro shuffle_rate() %}avg(case when is_shuffle then 1.0 when not is_shuffle then 0.0 end){% endmacro %}

{% macro tracks_heard() %}count(distinct case when content_type = 'track' then track_id end){% endmacro %}

{# How often a track comes back: 1 if every track was played once. #}
{% macro plays_per_track() %}count(case when content_type = 'track' then track_id end) * 1.0 / nullif({{ tracks_heard() }}, 0){% endmacro %}

{# The mean of a feature over the time listened to music of which it is known. #}
{% macro exposure_to(feature) %}sum({{ feature }} * ms_played) / nullif(sum(case when {{ feature }} is not null then ms_played end), 0){% endmacro %}

{# The share of the time listened to tracks of which the feature is known: without it an exposure says little. #}
{% macro known_share_of(feature) %}sum(case when content_type = 'track' and {{ feature }} is not null then ms_played else 0 end) * 1.0 / nullif(sum(case when content_type = 'track' then ms_played end), 0){% endmacro %}

{% macro session_minutes() %}avg(duration_ms) / 60000.0{% endmacro %}

{% macro plays_per_session() %}avg(plays){% endmacro %}

{# Of how many participants a row is at least: of those who have any of its values, the fewest that have the same one. A mean of
   few persons is a mean of few, however many have rows. A value that nobody has is null and gives nobody away. #}
{% macro fewest_participants(columns) %}least(
            count(distinct participant_id)
            {%- for column in columns %},
            nullif(count(distinct case when {{ column }} is not null then participant_id end), 0)
            {%- endfor %}
        ){% endmacro %}
