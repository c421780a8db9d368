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
    base.person_no,
    plays.track_id,
    cast(isodow(plays.started_at_local) as integer) as weekday,
    cast(hour(plays.started_at_local) as integer) as hour,
    coalesce(plays.device_family, 'not told') as device_family
from made.marts.plays as plays
inner join base on base.participant_id = plays.participant_id
where plays.is_counted;

-- One row is one track that can be named: of Spotify's catalogue, nobody's own.
create temp table nameable_tracks as
select
    tracks.track_id,
    concat_ws(chr(31), tracks.title, coalesce(tracks.creator, ''), tracks.spotify_uri) as cell
from made.marts.tracks as tracks
where
    tracks.content_type = 'track'
    and not tracks.is_private
    and tracks.spotify_uri is not null
    and tracks.title is not null;

-- One row is one person and one quadrant of mood: the music of the hour before their reports in it.
create temp table moods as
select
    base.person_no,
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
group by base.person_no, mood_quadrant;

-- One row is one person in one possible cell of a series. The name of a cell is the columns that it has in its table,
-- with chr(31) between them. Of two cells that cannot both be published the one of the series with the larger rank is
-- suppressed. Where the cells of a series add up to everything, what is suppressed is known as a whole.
create temp table members as
select 'gender' as series, 1 as rank, true as adds_up, concat_ws(chr(31), 'gender', coalesce(gender, 'not told')) as cell, person_no
from base
union all
select 'age band', 2, true, concat_ws(chr(31), 'age band', coalesce(age_band, 'not told')), person_no
from base
union all
select 'country', 3, true, concat_ws(chr(31), 'country', coalesce(country, 'not told')), person_no
from base
union all
select 'mood quadrant', 4, false, mood_quadrant, person_no
from moods
union all
select distinct 'device family', 5, true, device_family, person_no
from counted_plays
union all
select distinct 'weekday and hour', 6, true, concat_ws(chr(31), weekday, hour), person_no
from counted_plays
union all
select distinct 'track', 7, false, nameable_tracks.cell, counted_plays.person_no
from counted_plays
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

-- One row is one number of one person in one cell: the key sees to it that there is no second one, so that everyone
-- counts once in a mean.
create temp table personal (
    series varchar,
    cell varchar,
    person_no integer,
    measure varchar,
    value double not null,
    primary key (series, cell, person_no, measure)
);

insert into personal
unpivot (
    with days as (
        select
            base.person_no,
            avg(daily_listening.ms_played) / 60000 as minutes_per_listening_day,
            avg(daily_listening.counted_plays) as counted_plays_per_listening_day,
            avg(daily_listening.tracks) as tracks_per_listening_day
        from made.marts.daily_listening as daily_listening
        inner join base on base.participant_id = daily_listening.participant_id
        group by base.person_no
    )

    select members.series, members.cell, days.*
    from members
    inner join days on days.person_no = members.person_no
    where members.series in ('gender', 'age band', 'country')
) on minutes_per_listening_day, counted_plays_per_listening_day, tracks_per_listening_day
into name measure value value;

insert into personal
with shares as (
    select 'device family' as series, device_family as cell, person_no, count(*) as plays
    from counted_plays
    group by device_family, person_no
    union all
    select 'weekday and hour', concat_ws(chr(31), weekday, hour), person_no, count(*)
    from counted_plays
    group by weekday, hour, person_no
)

select series, cell, person_no, 'mean_share_of_plays', plays / sum(plays) over (partition by series, person_no)
from shares;

insert into personal
unpivot (
    select 'mood quadrant' as series, mood_quadrant as cell, * exclude (mood_quadrant)
    from moods
) on music_valence, music_energy, music_danceability, music_tempo
into name measure value value;
