-- relation: warehouse.marts.plays
-- what: Lengths are not negative. A play is as long as the time from its start to its end. Features are within their ranges, and columns with a list of values have no other value.
-- example: A valence of 73, from a table in percent.
-- why: Impossible values make every mean wrong.
-- remedy: Look at the file named first. A feature out of its range comes from the loader of its source: loaders/feature_numbers.py.
{%- for column, is_wrong in {
    'ms_played': 'ms_played < 0',
    'ended_at_local': 'epoch_ms(ended_at_local) - epoch_ms(started_at_local) <> ms_played',
    'is_counted': 'is_counted <> (ms_played >= 30000)',
    'content_type': "content_type not in ('track', 'episode', 'audiobook', 'unknown')",
    'history_source': "history_source not in ('extended', 'account')",
    'start_quality': "start_quality not in ('exact', 'offline_corrected', 'unreliable_exit', 'minute_resolution')",
    'valence': 'valence not between 0 and 1',
    'energy': 'energy not between 0 and 1',
    'danceability': 'danceability not between 0 and 1',
}.items() %}
select 'marts.plays.{{ column }}' as place, 'has an impossible value' as detail
from warehouse.marts.plays as plays
where {{ is_wrong }}
{{- '' if loop.last else '\nunion all' }}
{%- endfor %}
