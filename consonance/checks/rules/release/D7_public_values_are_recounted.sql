-- relation: public_values
-- tier: public
-- what: Every value of every public table is counted again from the plays and reports: the persons of each cell, and means in which each person counts once, rounded to four digits. A table, column or row that this rule does not count is refused.
-- example: Cells of age band by gender; the longest day of a group; a mean with all its digits; a mean over days, in which who listens on more days counts more; audit.row_accounting.
-- why: A number that nobody counted again may be of one person (D7). Suppression protects cells of the published series, and nothing else.
-- remedy: Look at consonance/release/public.py, public_cells.sql and public_tables.yml. What is to be published needs its own count in this rule and in consonance/checks/rules/shared/persons_of_public_cells.sql.
with possible as materialized {persons_of_public_cells},
everyone as (
    select count(*) as persons from possible where series = 'everyone'
),
sizes as (
    select relation, cell, count(*) as persons from possible group by relation, cell
),
days as (
    select
        participant_id,
        sum(ms_played) / 60000 as minutes,
        count(*) filter (where ms_played >= 30000) as counted_plays,
        count(distinct track_id) as tracks
    from made.marts.plays
    group by participant_id, cast(started_at_local as date)
),
habits as (
    select participant_id, avg(minutes) as minutes, avg(counted_plays) as counted_plays, avg(tracks) as tracks
    from days
    group by participant_id
),
counted_plays as (
    select plays.participant_id, plays.started_at_local, coalesce(plays.device_family, 'not told') as device_family
    from made.marts.plays as plays
    semi join possible on possible.participant_id = plays.participant_id and possible.series = 'everyone'
    where plays.ms_played >= 30000
),
totals as (
    select participant_id, count(*) as plays from counted_plays group by participant_id
),
heard as (
    select
        participant_id,
        case when reported_valence >= 0 then 'pleasant, ' else 'unpleasant, ' end
        || case when reported_arousal >= 0 then 'aroused' else 'calm' end as cell,
        avg(mean_valence) as valence,
        avg(mean_energy) as energy,
        avg(mean_danceability) as danceability,
        avg(mean_tempo) as tempo
    from made.marts.emotion_windows
    where
        emotion_window = 'before_60m'
        and reported_valence + reported_arousal + mean_valence + mean_energy + mean_danceability + mean_tempo is not null
    group by all
),
-- One row is one person's own number in one cell.
personal as (
    select possible.relation, possible.cell, 'cell' as means_over, unnest([
        {'measure': 'minutes_per_listening_day', 'number': habits.minutes},
        {'measure': 'counted_plays_per_listening_day', 'number': habits.counted_plays},
        {'measure': 'tracks_per_listening_day', 'number': habits.tracks}
    ], recursive := true)
    from possible
    inner join habits on habits.participant_id = possible.participant_id
    where possible.relation = 'marts.listening_by_group'
    union all
    select possible.relation, possible.cell, 'cell', unnest([
        {'measure': 'music_valence', 'number': heard.valence},
        {'measure': 'music_energy', 'number': heard.energy},
        {'measure': 'music_danceability', 'number': heard.danceability},
        {'measure': 'music_tempo', 'number': heard.tempo}
    ], recursive := true)
    from possible
    inner join heard on heard.participant_id = possible.participant_id and heard.cell = possible.cell
    where possible.relation = 'marts.features_by_mood_quadrant'
    union all
    select 'marts.listening_by_device_family', counted_plays.device_family, 'everyone', 'mean_share_of_plays', count(*) / any_value(totals.plays)
    from counted_plays
    inner join totals on totals.participant_id = counted_plays.participant_id
    group by counted_plays.participant_id, counted_plays.device_family
    union all
    select 'marts.listening_by_weekday_and_hour', strftime(counted_plays.started_at_local, '%u|%-H') as cell, 'everyone', 'mean_share_of_plays', count(*) / any_value(totals.plays)
    from counted_plays
    inner join totals on totals.participant_id = counted_plays.participant_id
    group by counted_plays.participant_id, cell
),
expected as (
    select relation, cell, 'persons' as measure, persons as value from sizes
    union all
    select
        personal.relation,
        personal.cell,
        personal.measure,
        sum(personal.number) / any_value(case when personal.means_over = 'cell' then sizes.persons else everyone.persons end)
    from personal
    inner join sizes on sizes.relation = personal.relation and sizes.cell = personal.cell
    cross join everyone
    group by personal.relation, personal.cell, personal.measure
)
select published.relation || '.' || published.measure as place
from {public_values} as published
left join expected
    on
        expected.relation = published.relation
        and expected.cell = published.cell
        and expected.measure = published.measure
-- Means have four digits and no more: further ones tell what one person adds. Where the fifth is a 5, the order of adding
-- decides how it is rounded.
where
    not coalesce(
        round(published.value, 4) = published.value and abs(published.value - expected.value) <= 0.00005 + 1e-9, false
    )
