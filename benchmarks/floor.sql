-- The marts of listening from the vault, as somebody would write them who has DuckDB alone, needs no layers, and
-- looks at nothing in between: the floor under `dbt run` (benchmarks/bench.py, which asserts that the rows are the same).
--
-- Makes marts.plays, sessions, daily_listening, tracks and participants, each in the order in which a mart is stored. Reads
-- vault.raw and, in the database `built`, three things that a run has made: the reference data, the functions of
-- functions/, and features.feat_track_features. So matching tracks with sources of features is no part of the floor.
-- It is for extended histories: the benchmark's people have no account histories.

create schema marts;

create temp table listeners as
with consents as (
    select consent_events.*
    from vault.raw.consent_events
    cross join vault.raw.study
    where occurred_at <= as_of or event = 'withdrawn'
    qualify row_number() over (partition by participant_code order by occurred_at desc, ledger_line desc) = 1
)

select
    participant_no,
    pseudonym as participant_id,
    play_secret as secret,
    shift_weeks * 604_800_000::bigint as shift_ms,
    birth_year,
    gender,
    participants.country,
    region,
    coalesce(timezone, time_zone, 'UTC') as time_zone,
    timezone is null as is_time_zone_assumed,
    history_from,
    history_to,
    if(event <> 'withdrawn', purposes, []) as purposes
from vault.raw.participants
join vault.raw.keyring using (participant_code)
left join consents using (participant_code)
left join built.reference.country_time_zones on participants.country = country_time_zones.country;

-- What a row of the history says was played, and when: its time stamp is the end, but for plays that an exit cut off
-- and whose offline stamp is plausible.
create temp view landed as
select
    * replace (epoch_ms(ts) as ts),
    coalesce(track_uri, episode_uri, chapter_uri, audiobook_uri) as uri,
    case
        when coalesce(track_name, artist_name, track_uri) is not null then 'track'
        when coalesce(episode_name, show_name, episode_uri) is not null then 'episode'
        when coalesce(chapter_title, audiobook_title, chapter_uri, audiobook_uri) is not null then 'audiobook'
        else 'unknown'
    end as content_type,
    case content_type when 'track' then track_name when 'episode' then episode_name else chapter_title end as title,
    case content_type when 'track' then artist_name when 'episode' then show_name else audiobook_title end as creator,
    case content_type when 'track' then album_name end as album,
    case
        when not coalesce(offline, false) and offline_timestamp > 1
            then offline_timestamp * if(offline_timestamp >= 100_000_000_000, 1, 1000)
    end as stamp_ms,
    coalesce(reason_end in ('unexpected-exit', 'unexpected-exit-while-paused', 'logout'), false) as is_exit,
    coalesce(stamp_ms between epoch_ms(ts) - 604_800_000 and epoch_ms(ts), false) as is_stamped,
    is_exit and is_stamped and stamp_ms < epoch_ms(ts) - ms_played as is_corrected,
    if(is_corrected, stamp_ms, epoch_ms(ts) - ms_played) as started_ms
from vault.raw.extended_plays;

-- Rows that repeat another one of the same person, end and length. Few share these: of the others no text is read. One
-- after the other, a row is kept unless one kept before it has the same URI, or the same names where these decide.
create temp table repeated as
with donation_places as (
    select donation_id, row_number() over (partition by participant_no order by max(ts) desc, sha256) as donation_place
    from vault.raw.donations
    join vault.raw.donation_members using (donation_id, participant_no)
    join vault.raw.extended_plays using (member_id, participant_no)
    group by donation_id, participant_no, sha256
),

member_places as (
    select member_id, row_number() over (partition by participant_no order by min((donation_place, position)), member_id) as member_place
    from vault.raw.donation_members
    join donation_places using (donation_id)
    group by member_id, participant_no
),

candidates as (
    select
        participant_no,
        ts,
        ms_played,
        {
            member_id: member_id,
            row_no: row_no,
            uri: uri,
            names: case when uri is null or coalesce(title, creator) is not null then [title, creator] end,
            has_all_names: title is not null and creator is not null
        } as play,
        (-key_count, member_place, row_no) as place
    from landed
    join member_places using (member_id)
    semi join (
        select participant_no, epoch_ms(ts) as ts, ms_played from vault.raw.extended_plays group by all having count(*) > 1
    ) using (participant_no, ts, ms_played)
),

kept as (
    select unnest(list_reduce(
        list([play] order by place),
        lambda kept, new: if(
            list_bool_or(list_transform(kept, lambda old: coalesce(old.uri = new[1].uri, false) or coalesce(
                old.names = new[1].names and (old.uri is null or new[1].uri is null or old.has_all_names), false
            ))),
            kept,
            kept || new
        )
    )) as play
    from candidates
    group by participant_no, ts, ms_played
)

select play.member_id, play.row_no
from candidates
anti join kept on candidates.play.member_id = kept.play.member_id and candidates.play.row_no = kept.play.row_no;

-- The plays that were consented to, with all that their marts need. Texts are kept for the marts of tracks.
create temp table kept as
with consented as (
    select landed.*, listeners.* exclude (participant_no, country), listeners.country as home_country
    from landed
    anti join repeated using (member_id, row_no)
    join listeners using (participant_no)
    where
        'listening_history' in purposes
        and (content_type in ('track', 'unknown') or 'podcasts_audiobooks' in purposes)
        and (not coalesce(incognito_mode, false) or 'private_sessions' in purposes)
        -- Only where a consent has days does it matter on which local day a play ended.
        and case
            when coalesce(history_from, history_to) is null then true
            else timezone(time_zone, timezone('UTC', make_timestamp_ms(started_ms + ms_played)))::date
                between coalesce(history_from, '-infinity') and coalesce(history_to, 'infinity')
        end
),

-- Texts without a URI of the catalogue that name somebody are private.
known_names as (
    select unnest(list_transform(usernames, lambda name: lower(name))) as name from vault.raw.members
    union
    select lower(participant_code) from vault.raw.participants
    union
    select participant_code from vault.raw.consent_events where participant_code like 'erased-%'
),

uncatalogued as (
    select distinct participant_no, uri, title, creator, album
    from consented
    where
        not coalesce(case content_type
            when 'track' then regexp_full_match(uri, 'spotify:track:[0-9A-Za-z]{22}')
            when 'episode' then regexp_full_match(uri, 'spotify:episode:[0-9A-Za-z]{22}')
            else regexp_full_match(uri, 'spotify:(chapter|audiobook):[0-9A-Za-z]{22}')
        end, false)
),

names_within as (
    select distinct held
    from (select distinct unnest([title, creator, album]) as held from uncatalogued)
    join (from known_names where length(name) >= 5 and translate(name, '0123456789', '') <> '')
        on lower(held) = name or (length(name) >= 8 and contains(lower(held), name))
),

naming as (
    select distinct participant_no, uri, title, creator
    from uncatalogued
    where title in (from names_within) or creator in (from names_within) or album in (from names_within)
)

select
    built.declassify.record_pseudonym(secret, concat_ws(
        '|', 'extended', content_type, ts, ms_played, coalesce(length(consented.uri), 0), coalesce(length(consented.title), 0),
        coalesce(consented.uri, ''), coalesce(consented.title, ''), coalesce(consented.creator, ''), '1'
    )) as play_id,
    consented.participant_no,
    participant_id,
    built.declassify.track_identity(consented.uri, consented.title, consented.creator, naming.participant_no is not null, secret) as track_id,
    started_ms,
    ms_played,
    if(not is_exit or (is_stamped and not is_corrected), 'exact', if(is_stamped, 'offline_corrected', 'unreliable_exit')) as start_quality,
    content_type,
    built.declassify.reason_token(reason_start) as reason_start,
    built.declassify.reason_token(reason_end) as reason_end,
    shuffle,
    offline,
    coalesce(incognito_mode, false) as is_private_session,
    built.declassify.device_family(platform) as device_family,
    built.declassify.consented_country(country, 'demographics' in purposes) as country,
    built.declassify.is_abroad(country, home_country, 'demographics' in purposes) as is_abroad,
    consented.uri,
    consented.title,
    consented.creator,
    album,
    coalesce(starts_with(consented.uri, 'spotify:local:'), false) or naming.participant_no is not null as is_private
from consented
left join naming
    on
        consented.participant_no = naming.participant_no
        and consented.uri is not distinct from naming.uri
        and consented.title is not distinct from naming.title
        and consented.creator is not distinct from naming.creator;

-- Only the first plays of sessions need to know a zone: the local clock of the others goes on from there.
create temp table session_starts as
select
    participant_no,
    started_ms,
    play_id as session_id,
    row_number() over (partition by participant_no order by started_ms, ended_ms, play_id)::integer as session_no,
    make_timestamp_ms(
        epoch_ms(timezone(time_zone, timezone('UTC', make_timestamp_ms(started_ms)))) + shift_ms
    ) as started_at_local
from (
    select
        participant_no,
        play_id,
        started_ms,
        started_ms + ms_played as ended_ms,
        max(started_ms + ms_played) over (
            partition by participant_no
            order by started_ms, started_ms + ms_played, play_id
            rows between unbounded preceding and 1 preceding
        ) as latest_end_ms
    from kept
)
join listeners using (participant_no)
where coalesce(started_ms - latest_end_ms > 30 * 60_000, true);

create table marts.plays as
select
    play_id,
    participant_id,
    session_id,
    track_id,
    make_timestamp_ms(epoch_ms(started_at_local) + kept.started_ms - session_starts.started_ms) as started_at_local,
    make_timestamp_ms(epoch_ms(started_at_local) + kept.started_ms - session_starts.started_ms + ms_played) as ended_at_local,
    ms_played,
    start_quality,
    content_type,
    reason_start,
    reason_end,
    if(reason_end <> 'unknown', reason_end in ('fwdbtn', 'backbtn', 'endplay'), null) as is_skip,
    shuffle as is_shuffle,
    offline as is_offline,
    is_private_session,
    device_family,
    country,
    is_abroad,
    ms_played >= 30_000 as is_counted,
    'extended' as history_source,
    duration_ms,
    if(ms_played >= duration_ms, 1, ms_played::double / duration_ms) as share_heard,
    feature_source,
    match_method as feature_match_method,
    match_confidence as feature_match_confidence,
    danceability,
    energy,
    valence,
    speechiness,
    acousticness,
    instrumentalness,
    liveness,
    loudness,
    tempo,
    musical_key,
    mode,
    time_signature
from kept
asof join session_starts on kept.participant_no = session_starts.participant_no and kept.started_ms >= session_starts.started_ms
left join built.features.feat_track_features using (track_id)
order by participant_id, started_at_local, ended_at_local, play_id;

create table marts.sessions as
select
    session_id,
    participant_id,
    session_no,
    min(plays.started_at_local) as started_at_local,
    max(ended_at_local) as ended_at_local,
    epoch_ms(max(ended_at_local)) - epoch_ms(min(plays.started_at_local)) as duration_ms,
    sum(ms_played)::bigint as ms_played,
    count(*) as plays,
    count(*) filter (is_counted) as counted_plays,
    count(distinct track_id) as tracks,
    count(*) filter (is_skip) as skips,
    count(is_skip) as plays_with_known_skip,
    count(valence) filter (is_counted) as plays_with_features,
    avg(valence) filter (is_counted) as mean_valence,
    avg(energy) filter (is_counted) as mean_energy,
    avg(danceability) filter (is_counted) as mean_danceability,
    30 as session_gap_minutes
from marts.plays
join session_starts using (session_id)
group by session_id, participant_id, session_no
order by participant_id, started_at_local, ended_at_local, session_id;

create table marts.daily_listening as
select
    participant_id,
    started_at_local::date as local_date,
    count(*) as plays,
    count(*) filter (is_counted) as counted_plays,
    count(*) filter (is_skip) as skips,
    count(is_skip) as plays_with_known_skip,
    count(distinct session_id) as sessions,
    count(distinct track_id) as tracks,
    sum(ms_played)::bigint as ms_played,
    count(valence) filter (is_counted) as plays_with_features,
    avg(valence) filter (is_counted) as mean_valence,
    avg(energy) filter (is_counted) as mean_energy
from marts.plays
group by participant_id, local_date
order by participant_id, local_date;

create temp table listened as
select
    participant_id,
    track_id,
    count(*) as plays,
    count(*) filter (is_counted) as counted_plays,
    sum(ms_played) as ms_played
from marts.plays
group by participant_id, track_id;

create table marts.participants as
with listening as (
    select
        participant_id,
        sum(plays) as plays,
        sum(counted_plays) as counted_plays,
        count(track_id) as tracks,
        sum(ms_played) as ms_played
    from listened
    group by participant_id
),

lasting as (
    select
        participant_id,
        count(*) as sessions,
        min(started_at_local) as first_play_at_local,
        max(ended_at_local) as last_play_at_local
    from marts.sessions
    group by participant_id
),

coarseness as (
    select
        coalesce(max(age_level), 0) as age_level,
        coalesce(max(country_level), 0) as country_level,
        coalesce(max(gender_level), 0) as gender_level
    from vault.raw.generalisation
)

select
    participant_id,
    built.declassify.wider_age_band(
        built.declassify.age_band(birth_year, epoch_ms(as_of), 'demographics' in purposes), age_level
    ) as age_band,
    case when gender_level = 0 then built.declassify.gender_group(gender, 'demographics' in purposes) end as gender,
    built.declassify.wider_country(
        built.declassify.consented_country(country, 'demographics' in purposes), region, country_level
    ) as country,
    is_time_zone_assumed,
    'emotion_reports' in purposes as grants_emotion_reports,
    'ml_training' in purposes as grants_ml_training,
    'sharing_controlled' in purposes as grants_sharing_controlled,
    'sharing_public' in purposes as grants_sharing_public,
    coalesce(plays, 0)::bigint as plays,
    coalesce(counted_plays, 0)::bigint as counted_plays,
    coalesce(sessions, 0) as sessions,
    coalesce(tracks, 0) as tracks,
    coalesce(ms_played, 0)::bigint as ms_played,
    first_play_at_local,
    last_play_at_local
from listeners
cross join vault.raw.study
cross join coarseness
left join listening using (participant_id)
left join lasting using (participant_id)
where 'listening_history' in purposes or 'emotion_reports' in purposes
order by participant_id;

-- Of several spellings of a track the most frequent one counts.
create table marts.tracks as
with spellings as (
    select track_id, content_type, uri, title, creator, album, is_private, count(*) as plays
    from kept
    where track_id is not null
    group by all
),

named as (
    select
        track_id,
        content_type,
        built.declassify.public_uri(uri) as spotify_uri,
        built.declassify.public_text(title, is_private) as public_title,
        built.declassify.public_text(creator, is_private) as public_creator,
        built.declassify.public_text(album, is_private) as public_album,
        is_private,
        sum(plays) as plays
    from spellings
    group by track_id, content_type, spotify_uri, public_title, public_creator, public_album, is_private
    qualify row_number() over (
        partition by track_id
        order by
            is_private, sum(plays) desc, content_type,
            public_title nulls last, public_creator nulls last, public_album nulls last
    ) = 1
),

listening as (
    select
        track_id,
        count(*) as participants,
        sum(plays)::bigint as plays,
        sum(counted_plays)::bigint as counted_plays,
        sum(ms_played)::bigint as ms_played
    from listened
    group by track_id
)

select
    track_id,
    content_type,
    spotify_uri,
    public_title as title,
    public_creator as creator,
    public_album as album,
    is_private,
    listening.* exclude (track_id),
    features.* exclude (track_id) rename (match_method as feature_match_method, match_confidence as feature_match_confidence)
from named
join listening using (track_id)
left join built.features.feat_track_features as features using (track_id)
order by track_id;
