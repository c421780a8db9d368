-- relation: warehouse.marts.population
-- tier: public
-- what: Every cell of a public table counts the persons in it. Neither a cell nor the difference of published cells has 1 to 20 persons.
-- example: 64 persons listened and 60 of them on a phone, so four did not. 31 women and 30 men of 63 persons.
-- why: All of Us publishes no cell of 1 to 20 participants. If one cell contains another cell, their difference is a third cell (D7). This rule counts the persons again with joins instead of sets of bits, and requires 20 whatever the study sets.
-- remedy: Look at consonance/release/public_suppression.sql.
with base as (
    select participant_id, age_band, gender, country from made.marts.participants where counted_plays > 0
),
counted_plays as (
    select plays.participant_id, plays.track_id, plays.started_at_local, plays.device_family
    from made.marts.plays
    semi join base on base.participant_id = plays.participant_id
    where plays.ms_played >= 30000
),
quadrants as (
    select participant_id, reported_valence >= 0 as is_pleasant, reported_arousal >= 0 as is_aroused
    from made.marts.emotion_windows
    where
        emotion_window = 'before_60m'
        and reported_valence + reported_arousal + mean_valence + mean_energy + mean_danceability + mean_tempo is not null
        and participant_id in (select participant_id from base)
),
possible as (
    select 'gender' as series, true as adds_up, coalesce(gender, 'not told') as cell, participant_id from base
    union
    select 'age band', true, coalesce(age_band, 'not told'), participant_id from base
    union
    select 'country', true, coalesce(country, 'not told'), participant_id from base
    union
    select 'device', true, coalesce(device_family, 'not told'), participant_id from counted_plays
    union
    select 'hour', true, strftime(started_at_local, '%u-%-H'), participant_id from counted_plays
    union
    select
        'mood',
        false,
        case when is_pleasant then 'pleasant, ' else 'unpleasant, ' end || case when is_aroused then 'aroused' else 'calm' end,
        participant_id
    from quadrants
    union
    select 'track', false, tracks.spotify_uri, counted_plays.participant_id
    from counted_plays
    inner join made.marts.tracks on tracks.track_id = counted_plays.track_id
    where tracks.spotify_uri is not null
),
published as (
    select grouping as series, group_name as cell, persons from warehouse.marts.listening_by_group
    union all
    select 'device', device_family, persons from warehouse.marts.listening_by_device_family
    union all
    select 'hour', weekday || '-' || hour, persons from warehouse.marts.listening_by_weekday_and_hour
    union all
    select 'mood', mood_quadrant, persons from warehouse.marts.features_by_mood_quadrant
    union all
    select 'track', spotify_uri, persons from warehouse.marts.most_heard_tracks
),
-- What can be known of: each published cell, what the unpublished cells of a series hold together, everyone.
known as (
    select series || ': ' || cell as name, participant_id from possible semi join published using (series, cell)
    union
    select series || ', the rest', participant_id
    from possible
    where
        adds_up
        and (series, cell) not in (select series, cell from published)
        and series in (select series from published)
    union
    select 'everyone', participant_id from base
),
sizes as (
    select name, count(*) as persons from known group by name
),
everyone as (
    select count(*) as persons from base
),
shared as (
    select one.name as one, two.name as two, count(*) as persons
    from known as one
    inner join known as two on two.participant_id = one.participant_id and two.name > one.name
    group by one.name, two.name
),
pairs as (
    select
        one.name || ' / ' || two.name as place,
        unnest([
            coalesce(shared.persons, 0),
            one.persons - coalesce(shared.persons, 0),
            two.persons - coalesce(shared.persons, 0),
            everyone.persons - one.persons - two.persons + coalesce(shared.persons, 0)
        ]) as region,
        -- Nothing can be subtracted if none of the four parts is empty by itself.
        coalesce(shared.persons, 0) in (0, one.persons, two.persons, one.persons + two.persons - everyone.persons) as is_nested
    from sizes as one
    inner join sizes as two on two.name > one.name
    left join shared on shared.one = one.name and shared.two = two.name
    cross join everyone
),
counted as (
    select series, cell, count(*) as persons from possible group by series, cell
)
select place
from pairs
where is_nested and region between 1 and 20
union all
select published.series || ': ' || published.cell
from published
left join counted on counted.series = published.series and counted.cell = published.cell
where counted.persons is distinct from published.persons
union all
select 'population'
from warehouse.marts.population, everyone
where population.persons <> everyone.persons or everyone.persons <= 20
union all
-- The certificate says how many are in the release.
select 'members'
from everyone
where
    everyone.persons <> (
        select count(*)
        from vault.raw.release_keyring
        inner join vault.raw.releases on releases.release_no = release_keyring.release_no
        where releases.published_at is null
    )
