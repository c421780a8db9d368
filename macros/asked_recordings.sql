{#- The submissions to AcousticBrainz that count for a recording, as two steps of a statement: wanted, and asked_recordings with
    one row for each recording and each id under which it was submitted. It reads recording_redirects.

    keyed_recordings: a step with the column recording_mbid, the recordings to ask for. -#}
{% macro asked_recordings(keyed_recordings) -%}
wanted as (
    select distinct recording_mbid
    from {{ keyed_recordings }}
),

-- Submissions to AcousticBrainz bear the ids of their time: those that were merged into a wanted one count for it.
asked_recordings as (
    select
        recording_mbid as submitted_mbid,
        recording_mbid
    from wanted
    union
    select
        recording_redirects.recording_mbid as submitted_mbid,
        wanted.recording_mbid
    from recording_redirects
    inner join wanted on recording_redirects.canonical_recording_mbid = wanted.recording_mbid
)
{%- endmacro %}
