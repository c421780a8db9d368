-- The public tier, before anything is suppressed: who is in which cell. "made" is the study that the
-- release is made of. Every cell is a set of persons of one base population: everyone with a counted play.
create temp table base as
select
    participants.participant_id,
    participants.age_band,
    participants.gender,
    participants.country,
    cast(row_number() over (order by participants.participant_id) - 1 as integer) as person_no
from made.marts.participants as participants
where participants.counted_plays > 0;

create temp table population as
select
    cast(count(*) as integer) as persons,
    bitstring(repeat('1', greatest(1, cast(count(*) as integer))), greatest(1, cast(count(*) as integer))) as who
from base;

-- One row is one counted play of the base population. Weekday and hour of the shifted clock are true.
create temp table counted_plays as
select
    plays.participant_id,
    plays.track_id,
    cast(isodow(plays.started_at_local) as integer) as weekday,
    cast(hour(plays.started_at_local) as integer) as hour,
    coalesce(plays.device_family, 'not told') as device_family
from made.marts.plays as plays
inner join base on base.participant_id = plays.participant_id
where plays.is_counted;

-- One row is one person: what is known of everyone, so that a mean over a cell is one over all its persons.
create temp table habits as
select
    days.participant_id,
    avg(days.counted_plays) as counted_plays_per_listening_day,
    avg(days.ms_played) / 60000 as minutes_per_listening_day,
    avg(days.tracks) as tracks_per_listening_day
from made.marts.daily_listening as days
inner join base on base.participant_id = days.participant_id
group by days.participant_id;

-- One row is one person and one quadrant of mood: the music of the hour before their reports in it.
create temp table moods as
select
    windows.participant_id,
    case
        when windows.reported_valence >= 0 and windows.reported_arousal >= 0 then 'pleasant, aroused'
        when windows.reported_valence >= 0 then 'pleasant, calm'
        when windows.reported_arousal >= 0 then 'unpleasant, aroused'
        else 'unpleasant, calm'
    end as mood_quadrant,
    avg(windows.mean_valence) as music_valence,
    avg(windows.mean_energy) as music_energy,
    avg(windows.mean_danceability) as music_danceability,
    avg(windows.mean_tempo) as music_tempo
from made.marts.emotion_windows as windows
inner join base on base.participant_id = windows.participant_id
where
    windows.emotion_window = 'before_60m'
    and windows.reported_valence is not null
    and windows.reported_arousal is not null
    and windows.mean_valence is not null
    and windows.mean_energy is not null
    and windows.mean_danceability is not null
    and windows.mean_tempo is not null
group by windows.participant_id, mood_quadrant;

-- One row is one track that can be named: of Spotify's catalogue, nobody's own.
create temp table nameable_tracks as
select
    tracks.track_id,
    tracks.spotify_uri,
    tracks.title,
    tracks.creator
from made.marts.tracks as tracks
where
    tracks.content_type = 'track'
    and not tracks.is_private
    and tracks.spotify_uri is not null
    and tracks.title is not null;

-- One row is one person in one possible cell of a series. Of two cells that cannot both be published the
-- one of the series with the larger rank is suppressed. Where the cells of a series add up to everything,
-- what is suppressed is known as a whole.
create temp table members as
select 'gender' as series, 1 as rank, true as adds_up, coalesce(gender, 'not told') as cell, person_no
from base
union all
select 'age band', 2, true, coalesce(age_band, 'not told'), person_no
from base
union all
select 'country', 3, true, coalesce(country, 'not told'), person_no
from base
union all
select distinct 'mood quadrant', 4, false, moods.mood_quadrant, base.person_no
from moods
inner join base on base.participant_id = moods.participant_id
union all
select distinct 'device family', 5, true, counted_plays.device_family, base.person_no
from counted_plays
inner join base on base.participant_id = counted_plays.participant_id
union all
select distinct 'weekday and hour', 6, true, counted_plays.weekday || ' ' || counted_plays.hour, base.person_no
from counted_plays
inner join base on base.participant_id = counted_plays.participant_id
union all
select distinct 'track', 7, false, nameable_tracks.spotify_uri, base.person_no
from counted_plays
inner join base on base.participant_id = counted_plays.participant_id
inner join nameable_tracks on nameable_tracks.track_id = counted_plays.track_id;

-- One row is one cell with the set of its persons, and whether it may still be published.
create temp table cells as
select
    members.series,
    members.rank,
    members.adds_up,
    members.cell,
    cast(count(*) as integer) as persons,
    bit_or(set_bit(bitstring('0', population.persons), members.person_no, 1)) as who,
    true as is_published
from members
cross join population
group by members.series, members.rank, members.adds_up, members.cell, population.persons
-- Of the tracks the hundred that most people heard.
qualify
    members.series <> 'track'
    or row_number() over (partition by members.series order by count(*) desc, members.cell asc) <= 100;
