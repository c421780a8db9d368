-- What the people of the table "people" listened to: first as it truly happened ("true_plays"), then
-- as their exports have it ("exported_plays").

create or replace table sessions as
with numbered as (
    select people.*, session_no
    from people, range(people.sessions) as numbers (session_no)
),

drawn as (
    select
        *,
        cast(floor(draw('day', person_no, session_no) * date_diff('day', first_day, last_day)) as integer) as day_no,
        case
            when draw('part of day', person_no, session_no) < 0.6 then 19 + 2.5 * draw_normal('evening', person_no, session_no)
            else 11 + 3 * draw_normal('morning', person_no, session_no)
        end as hour_of_day
    from numbered
)

select
    person_no,
    session_no,
    epoch_ms(timezone('UTC', timezone(zone, (first_day + day_no)::timestamp + to_milliseconds(cast(floor(greatest(0.0, least(23.9, hour_of_day)) * 3600000) as bigint))))) as started_ms,
    least(0.97, greatest(0.03, mood + 0.22 * draw_normal('mood', person_no, session_no))) as mood,
    greatest(0.0, least(23.9, hour_of_day)) as hour_of_day,
    1 + cast(floor(-ln(1 - draw('session length', person_no, session_no)) * 8) as integer) as plays
from drawn;

create or replace table true_plays as
with numbered as (
    select
        sessions.person_no,
        sessions.session_no,
        sessions.started_ms as session_started_ms,
        sessions.mood,
        sessions.hour_of_day,
        sessions.plays as session_plays,
        place,
        sessions.session_no * 1000 + place as draw_no
    from sessions, range(sessions.plays) as numbers (place)
),

chosen as (
    select
        *,
        case
            when draw('kind', person_no, draw_no) < 0.003 then 'unknown'
            when draw('kind', person_no, draw_no) < 0.006 then 'local'
            when draw('kind', person_no, draw_no) < 0.010 then 'audiobook'
            when draw('kind', person_no, draw_no) < 0.040 then 'episode'
            else 'track'
        end as kind,
        -- The track has the valence of the mood. Of eight that have nearly the same, one is heard half the time. Two of
        -- them come to mind, and the hour says which: the more energetic one by day, the calmer one by night.
        cast(floor(least(0.9999, greatest(0.0, mood + 0.12 * draw_normal('taste', person_no, draw_no))) * ($tracks // 8)) as bigint) * 8 as first_rank,
        cast(floor(pow(draw('popularity', person_no, draw_no), 3) * 8) as bigint) as one,
        cast(floor(pow(draw('another', person_no, draw_no), 3) * 8) as bigint) as other,
        draw('wish', person_no, draw_no) < 0.5 + $energy_by_hour * cos(2 * pi() * (hour_of_day - $peak_hour) / 24) as wants_energy,
        cast(floor(draw('episode choice', person_no, draw_no) * 1200) as bigint) as episode_no,
        cast(floor(draw('chapter choice', person_no, draw_no) * 300) as bigint) as chapter_no,
        draw('skip', person_no, draw_no) as skip_draw,
        draw('gap', person_no, draw_no) as gap_draw
    from numbered
),

decided as (
    select
        chosen.*,
        chosen.first_rank + case when (ones.energy >= others.energy) = chosen.wants_energy then chosen.one else chosen.other end as valence_rank
    from chosen
    inner join tracks as ones on ones.valence_rank = chosen.first_rank + chosen.one
    inner join tracks as others on others.valence_rank = chosen.first_rank + chosen.other
),

measured as (
    select
        decided.*,
        people.skip_rate,
        tracks.track_no,
        tracks.valence,
        case kind
            when 'track' then tracks.duration_ms
            when 'unknown' then cast(floor(draw('unknown length', decided.person_no, draw_no) * 60000) as bigint)
            else 240000 + cast(floor(draw('spoken length', decided.person_no, draw_no) * 1200000) as bigint)
        end as full_ms
    from decided
    inner join people on people.person_no = decided.person_no
    inner join tracks on tracks.valence_rank = decided.valence_rank
),

played as (
    select
        *,
        skip_draw < skip_rate as is_skip,
        case
            when skip_draw < skip_rate * 0.1 then 0
            when skip_draw < skip_rate then cast(floor(full_ms * pow(draw('skip point', person_no, draw_no), 2) * 0.6) as bigint)
            else full_ms
        end as ms_played,
        case
            when place = 0 then 0
            when gap_draw < 0.9 then cast(floor(gap_draw * 3000) as bigint)
            when gap_draw < 0.92 then -cast(floor(draw('overlap', person_no, draw_no) * 9000) as bigint)
            else cast(floor((gap_draw - 0.9) * 9000000) as bigint)
        end as gap_ms
    from measured
),

timed as (
    select
        *,
        cast(session_started_ms + sum(gap_ms + ms_played) over (
            partition by person_no, session_no order by place rows unbounded preceding
        ) as bigint) as ended_ms
    from played
)

select
    row_number() over (order by person_no, session_no, place) as play_no,
    * exclude (gap_draw, skip_draw, gap_ms),
    ended_ms - ms_played as started_ms
from timed;

create or replace table exported_plays as
with drawn as (
    select
        true_plays.*,
        people.code,
        people.username,
        people.country as home_country,
        people.private_share,
        draw('reason', true_plays.person_no, draw_no) as reason_draw,
        draw('quirk', true_plays.person_no, draw_no) as quirk_draw,
        -- One play in three hundred is in the export twice, value by value.
        case when draw('double', true_plays.person_no, draw_no) < 0.003 then 2 else 1 end as copies,
        make_timestamp_ms(ended_ms) >= timestamp '2022-10-13' as is_recent
    from true_plays
    inner join people on people.person_no = true_plays.person_no
),

reasoned as (
    select
        *,
        case
            when place = session_plays - 1 and reason_draw < 0.08 then 'unexpected-exit'
            when place = session_plays - 1 and reason_draw < 0.12 then 'unexpected-exit-while-paused'
            when place = session_plays - 1 and reason_draw < 0.25 then 'logout'
            when is_skip then pick(['fwdbtn', 'fwdbtn', 'fwdbtn', 'fwdbtn', 'backbtn', 'endplay'], reason_draw)
            when kind = 'unknown' then pick(['unknown', '', 'trackerror'], reason_draw)
            else pick(['trackdone', 'trackdone', 'trackdone', 'trackdone', 'trackdone', 'trackdone', 'remote', 'clickrow'], reason_draw)
        end as reason_end,
        place > 0 and quirk_draw between 0.30 and 0.32 as is_offline
    from drawn
)

select
    play_no,
    person_no,
    code,
    draw_no,
    kind,
    username,
    -- After an exit `ts` is when the app was seen again; else it is the end in whole seconds.
    make_timestamp_ms(
        cast(floor(
            case
                when starts_with(reason_end, 'unexpected-exit') or reason_end = 'logout'
                    then ended_ms + floor(draw('late', person_no, draw_no) * 36000000)
                else ended_ms
            end / 1000) as bigint) * 1000
    ) as ts,
    ms_played,
    case
        when is_recent then pick(['android', 'ios', 'osx', 'windows', 'cast', 'not_applicable'], draw('device', person_no, session_no))
        else pick(
            ['Android OS 9 API 28 (samsung, SM-G950F)', 'iOS 13.4 (iPhone11,8)', 'Windows 10 (10.0.19042; x64)', 'OS X 10.15.1 [x86 8]',
             'web_player windows 10;chrome 80.0.3987.132;desktop', 'Partner google cast_tv;Chromecast;;'],
            draw('device', person_no, session_no))
    end as platform,
    case
        when quirk_draw < 0.01 then 'ZZ'
        when quirk_draw < 0.03 then 'IS'
        else home_country
    end as country,
    '198.51.100.' || cast(floor(draw('address', person_no, session_no) * 254) as integer) as ip_addr,
    case kind when 'track' then 'spotify:track:' || tracks.spotify_id when 'local' then 'spotify:local:' || username || ':Demos:Take+' || draw_no || ':180' end as track_uri,
    case kind
        when 'track' then case when quirk_draw > 0.995 then upper(tracks.track_name) else tracks.track_name end
        when 'local' then 'Voice memo for ' || username
    end as track_name,
    case kind when 'track' then tracks.artist_name when 'local' then username end as artist_name,
    case kind when 'track' then tracks.album_name end as album_name,
    case kind when 'episode' then episodes.episode_uri end as episode_uri,
    case kind when 'episode' then episodes.episode_name end as episode_name,
    case kind when 'episode' then episodes.show_name end as show_name,
    case kind when 'audiobook' then chapters.chapter_uri end as chapter_uri,
    case kind when 'audiobook' then chapters.chapter_title end as chapter_title,
    case kind when 'audiobook' then chapters.audiobook_uri end as audiobook_uri,
    case kind when 'audiobook' then chapters.audiobook_title end as audiobook_title,
    case when place = 0 then pick(['clickrow', 'playbtn', 'appload', 'remote'], reason_draw) else pick(['trackdone', 'fwdbtn', 'clickrow', 'backbtn'], quirk_draw) end as reason_start,
    reason_end,
    draw('shuffle', person_no, session_no) < 0.5 as shuffle,
    case when is_recent then reason_end in ('fwdbtn', 'backbtn', 'endplay') when year(make_timestamp_ms(ended_ms)) < 2017 then is_skip end as skipped,
    is_offline as offline,
    -- Milliseconds until 2022-10-13, seconds since; sometimes missing.
    case
        when quirk_draw between 0.10 and 0.13 then 0
        when quirk_draw between 0.13 and 0.14 then 1
        when is_recent then started_ms // 1000
        else started_ms
    end as offline_timestamp,
    draw('private', person_no, session_no) < private_share as incognito_mode,
    kind = 'episode' and quirk_draw < 0.2 as is_video,
    is_recent
from reasoned
inner join tracks on tracks.track_no = reasoned.track_no
inner join episodes on episodes.episode_no = reasoned.episode_no
inner join chapters on chapters.chapter_no = reasoned.chapter_no
cross join lateral (select unnest(range(copies))) as copies;
