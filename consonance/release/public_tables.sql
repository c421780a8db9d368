-- The tables of the public tier: of the cells that are left, their persons, and means in which everyone
-- counts once. Means are rounded to four digits.
create table research.marts.population as
select persons
from population;

create table research.marts.listening_by_group as
with personal as (
    select
        members.series,
        members.cell,
        habits.*
    from members
    inner join base on base.person_no = members.person_no
    inner join habits on habits.participant_id = base.participant_id
)

select
    cells.series as grouping,
    cells.cell as group_name,
    cells.persons,
    round(avg(personal.minutes_per_listening_day), 4) as minutes_per_listening_day,
    round(avg(personal.counted_plays_per_listening_day), 4) as counted_plays_per_listening_day,
    round(avg(personal.tracks_per_listening_day), 4) as tracks_per_listening_day
from cells
inner join personal on personal.series = cells.series and personal.cell = cells.cell
where cells.is_published and cells.series in ('gender', 'age band', 'country')
group by cells.series, cells.cell, cells.persons
order by cells.series, cells.cell;

create table research.marts.listening_by_device_family as
with personal as (
    select
        participant_id,
        device_family,
        count(*) / sum(count(*)) over (partition by participant_id) as share
    from counted_plays
    group by participant_id, device_family
)

select
    personal.device_family,
    cells.persons,
    round(sum(personal.share) / population.persons, 4) as mean_share_of_plays
from cells
cross join population
inner join personal on personal.device_family = cells.cell
where cells.is_published and cells.series = 'device family'
group by personal.device_family, cells.persons, population.persons
order by personal.device_family;

create table research.marts.listening_by_weekday_and_hour as
with personal as (
    select
        participant_id,
        weekday,
        hour,
        count(*) / sum(count(*)) over (partition by participant_id) as share
    from counted_plays
    group by participant_id, weekday, hour
)

select
    personal.weekday,
    personal.hour,
    cells.persons,
    round(sum(personal.share) / population.persons, 4) as mean_share_of_plays
from cells
cross join population
inner join personal on personal.weekday || ' ' || personal.hour = cells.cell
where cells.is_published and cells.series = 'weekday and hour'
group by personal.weekday, personal.hour, cells.persons, population.persons
order by personal.weekday, personal.hour;

create table research.marts.features_by_mood_quadrant as
select
    moods.mood_quadrant,
    cells.persons,
    round(avg(moods.music_valence), 4) as music_valence,
    round(avg(moods.music_energy), 4) as music_energy,
    round(avg(moods.music_danceability), 4) as music_danceability,
    round(avg(moods.music_tempo), 4) as music_tempo
from cells
inner join moods on moods.mood_quadrant = cells.cell
where cells.is_published and cells.series = 'mood quadrant'
group by moods.mood_quadrant, cells.persons
order by moods.mood_quadrant;

create table research.marts.most_heard_tracks as
select
    nameable_tracks.title,
    nameable_tracks.creator,
    nameable_tracks.spotify_uri,
    cells.persons
from cells
inner join nameable_tracks on nameable_tracks.spotify_uri = cells.cell
where cells.is_published and cells.series = 'track'
order by nameable_tracks.title, nameable_tracks.creator, nameable_tracks.spotify_uri;
