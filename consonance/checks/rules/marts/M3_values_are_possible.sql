-- relation: warehouse.marts.plays
-- what: Lengths are not negative. A play is as long as the time from its start to its end. Features are within their ranges, and columns with a list of values have no other value.
-- example: A valence of 73, from a table in percent.
-- why: Impossible values make every mean wrong.
-- remedy: Look at the loader of the source of the column, in loaders/.
select play_id
from warehouse.marts.plays as plays
where
    ms_played < 0
    or epoch_ms(ended_at_local) - epoch_ms(started_at_local) <> ms_played
    or is_counted <> (ms_played >= 30000)
    or content_type not in ('track', 'episode', 'audiobook', 'unknown')
    or history_source not in ('extended', 'account')
    or start_quality not in ('exact', 'offline_corrected', 'unreliable_exit', 'minute_resolution')
    or valence not between 0 and 1
    or energy not between 0 and 1
    or danceability not between 0 and 1
