{# The purposes a participant can grant, as in consonance/consent/state.py. #}
{% macro consent_purposes() %}
    {{ return([
        'listening_history',
        'podcasts_audiobooks',
        'private_sessions',
        'demographics',
        'emotion_reports',
        'library',
        'ml_training',
        'sharing_controlled',
        'sharing_public',
    ]) }}
{% endmacro %}
