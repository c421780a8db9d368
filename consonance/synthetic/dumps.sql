-- What MusicBrainz and AcousticBrainz have of the music of world.sql, and of other music, up to $recordings recordings
-- and about $submissions submissions. One view is one file, in the true layout.

create or replace macro mbid(stream, a) as cast(md5(concat_ws('|', $seed, stream, a)) as uuid);

-- The songs that MusicBrainz has: of the rare ones it lacks more.
create or replace table known_songs as
with rarities as (
    select
        song_no,
        min(rarity) as rarity,
        min(album_name) as album_name
    from tracks
    group by song_no
)

select
    songs.*,
    rarities.rarity,
    rarities.album_name
from songs
inner join rarities on rarities.song_no = songs.song_no
where draw('in MusicBrainz', songs.song_no, 0) < 0.98 - 0.4 * rarities.rarity
order by songs.song_no;

-- One row is one recording of MusicBrainz by an artist of the study's music: the song as MusicBrainz spells it, the
-- version that the study heard (known for half of them), a concert, and another artist's song of the same name.
create or replace table known_recordings as
with spelled as (
    select
        'song' as kind,
        song_no,
        case
            when spelling = 'guest' then artist_name || ' feat. ' || guest_name
            when spelling = 'and' then artist_name || ' & ' || guest_name
            when spelling = 'the' and script_no = 0 and song_no % 2 = 1 then 'The ' || artist_name
            else artist_name
        end as artist,
        case spelling
            when 'quotes' then title || ', Don’t'
            when 'no-break space' then title || ' II'
            when 'coda' then title || ' / Coda'
            when 'reprise' then title || ' \ Reprise'
            else title
        end as title
    from known_songs
    union all
    select
        'version' as kind,
        song_no,
        artist_name as artist,
        title || case spelling
            when 'acoustic' then ' (acoustic)'
            when 'remix' then ' (' || guest_name || ' remix)'
            when 'sped up' then ' (sped up)'
            else ' (live)'
        end as title
    from known_songs
    where is_version and draw('version in MusicBrainz', song_no, 0) < 0.5
    union all
    select
        'concert' as kind,
        song_no,
        artist_name as artist,
        title || ' (live at ' || guest_name || ')' as title
    from known_songs
    where draw('concert', song_no, 0) < 0.15
    union all
    select
        'namesake' as kind,
        song_no,
        guest_name as artist,
        title
    from known_songs
    where draw('namesake', song_no, 0) < 0.1
)

select
    spelled.kind,
    spelled.song_no,
    mbid(spelled.kind, spelled.song_no) as recording_mbid,
    -- The same recording, before it was merged.
    case when draw('merged ' || spelled.kind, spelled.song_no, 0) < 0.2 then mbid('merged ' || spelled.kind, spelled.song_no) end as merged_mbid,
    spelled.artist,
    spelled.title,
    case
        when spelled.kind = 'song' and draw('release', spelled.song_no, 0) < 0.6 then replace(known_songs.album_name, ' (Deluxe Edition)', '')
        when draw('release', spelled.song_no, 0) < 0.7 then spelled.title
        else 'Best of ' || spelled.artist
    end as release,
    known_songs.rarity
from spelled
inner join known_songs on known_songs.song_no = spelled.song_no
order by spelled.song_no, spelled.kind;

-- One row is one recording of other music. One in five is by an artist whom the study hears; one title in sixteen is
-- short, and many have it.
create or replace table other_numbers as
select range as other_no
from range(greatest(0, $recordings - (select count(*) from known_recordings)));

create or replace view other_recordings as
with numbered as (
    select
        other_no,
        digest('other', other_no) as names,
        cast(pow((digest('other artist', other_no) & 1048575) / 1048576.0, 2) * ($recordings // 10 + $artists) as bigint) as artist_no
    from other_numbers
),

credited as (
    select
        *,
        case when digest('other artist', other_no) >> 20 & 127 < 12 then artist_no % $artists else artist_no end as credited_no
    from numbered
),

named as (
    select
        credited.*,
        digest('artist', credited.credited_no) as artist_names,
        script_of(digest('artist', credited.credited_no)) as script_no
    from credited
)

select
    named.other_no,
    named.credited_no as artist_no,
    mbid('other', named.other_no) as recording_mbid,
    artist_text(named.script_no, artist_words.gap, named.artist_names, artist_words.word, last_words.word)
    || case when named.names >> 45 & 31 = 0 then ' feat. ' || title_words.word else '' end as artist,
    case
        when named.names >> 50 & 15 = 0 then left(title_words.word, 4)
        else title_text(named.script_no, title_words.gap, named.names, title_words.word, more_words.word)
    end
    || case named.names >> 54 & 31 when 0 then ' (live)' when 1 then ' (' || more_words.word || ' remix)' when 2 then ' (acoustic)' else '' end as title,
    release_words.word || ' ' || right(cast(named.other_no // 10 as varchar), 3) as release
from named
inner join script_words as artist_words on artist_words.word_no = named.script_no * 4096 + (named.artist_names >> 16 & 4095)
inner join script_words as last_words on last_words.word_no = named.script_no * 4096 + (named.artist_names >> 28 & 4095)
inner join script_words as release_words on release_words.word_no = digest('release', named.other_no // 10) & 4095
inner join script_words as title_words on title_words.word_no = named.script_no * 4096 + (named.names >> 16 & 4095)
inner join script_words as more_words on more_words.word_no = named.script_no * 4096 + (named.names >> 28 & 4095);

create or replace view canonical_musicbrainz_data as
with recordings as (
    select song_no as number, artist, title, release, recording_mbid, cast(hash(artist) % 1000000 as bigint) as artist_no from known_recordings
    union all
    select other_no + $tracks, artist, title, release, recording_mbid, artist_no from other_recordings
)

select
    number as id,
    artist_no as artist_credit_id,
    '{' || mbid('artist', artist_no) || case when contains(artist, ' feat. ') then ',' || mbid('guest', artist_no) else '' end || '}' as artist_mbids,
    artist as artist_credit_name,
    mbid('release', number // 4) as release_mbid,
    release as release_name,
    recording_mbid,
    title as recording_name,
    replace(replace(lower(artist || title), ' ', ''), '''', '') as combined_lookup,
    number * 7 % 1000003 as score
from recordings;

create or replace view canonical_recording_redirect as
with merged as (
    select merged_mbid as recording_mbid, recording_mbid as canonical_recording_mbid, song_no as number
    from known_recordings
    where merged_mbid is not null
    union all
    select mbid('merged other', other_no), mbid('other', other_no), other_no + $tracks
    from other_numbers
    where other_no % 5 = 0
)

select recording_mbid, canonical_recording_mbid, mbid('release', number // 4) as canonical_release_mbid from merged;

-- One row is one submission to AcousticBrainz of a song or a version, by whoever had the file: several of a recording,
-- some under the identifier it had before it was merged, a few of them another recording in truth.
create or replace table known_submissions as
with analysed as (
    select
        *,
        1 + least(39, cast(floor(-ln(1 - draw('submissions ' || kind, song_no, 0)) * 3) as integer)) as submissions
    from known_recordings
    where kind in ('song', 'version') and draw('analysed ' || kind, song_no, 0) < 0.95 - 0.5 * rarity
),

numbered as (
    select
        analysed.*,
        submission_no,
        song_no * 1000 + case kind when 'song' then 0 else 500 end + submission_no as draw_no,
        case when draw('before merging', song_no, submission_no) < 0.6 then coalesce(merged_mbid, recording_mbid) else recording_mbid end as mbid
    from analysed, range(analysed.submissions) as numbers (submission_no)
),

mixed as (
    select
        *,
        case
            when kind = 'song' and submission_no % 2 = 1 and draw('mixed', song_no, 0) < 0.03 then song_no - song_no % 12
            else song_no
        end as heard_no
    from numbered
)

select
    mixed.mbid,
    row_number() over (partition by mixed.mbid order by mixed.submission_no) - 1 as submission_offset,
    mixed.kind,
    mixed.song_no,
    mixed.draw_no,
    songs.valence,
    songs.energy,
    songs.danceability,
    songs.duration_ms,
    songs.artist_name,
    songs.title,
    songs.tempo
    * case when mixed.kind = 'version' and songs.spelling = 'sped up' then 1.25 else 1 end
    * case when draw('octave', mixed.draw_no, 0) < 0.05 then 0.5 when draw('octave', mixed.draw_no, 0) < 0.08 then 2 else 1 end
    + 0.4 * draw_normal('beat', mixed.draw_no, 0) as bpm,
    case when draw('key', mixed.draw_no, 0) < 0.8 then mixed.heard_no % 12 else (mixed.heard_no + 7) % 12 end as key_no,
    mixed.heard_no % 2 = 1 as is_major
from mixed
inner join songs on songs.song_no = mixed.heard_no
order by mixed.song_no, mixed.kind, mixed.submission_no;

-- Of other music: four recordings have 1, 2, 4 and 9 submissions. One in ten was merged since.
create or replace table other_submission_numbers as
select range as submission_no
from range(greatest(0, $submissions - (select count(*) from known_submissions)));

create or replace view other_submissions as
with numbered as (
    select
        submission_no // 16 * 4 + case when submission_no % 16 = 0 then 0 when submission_no % 16 < 3 then 1 when submission_no % 16 < 7 then 2 else 3 end as recording_no,
        submission_no % 16 - case when submission_no % 16 = 0 then 0 when submission_no % 16 < 3 then 1 when submission_no % 16 < 7 then 3 else 7 end as submission_offset,
        submission_no
    from other_submission_numbers
)

select
    mbid(case when recording_no % 10 = 0 then 'merged other' else 'other' end, recording_no) as mbid,
    submission_offset,
    digest('other sound', recording_no) as sound,
    digest('other submission', submission_no) as noise
from numbered;

create or replace view rhythm as
with measured as (
    select mbid, submission_offset, bpm, 0.6 + 1.1 * danceability + 0.05 * draw_normal('dance', draw_no, 0) as danceability, 1.5 + 4 * energy as onset_rate
    from known_submissions
    union all
    select mbid, submission_offset, 60 + (sound & 1048575) / 10000.0 + (noise & 255) / 500.0, (sound >> 20 & 1048575) / 500000.0, 1 + (sound >> 40 & 1048575) / 200000.0
    from other_submissions
)

select
    mbid,
    submission_offset,
    cast(bpm as float) as bpm,
    cast(round(bpm) as float) as bpm_histogram_first_peak_bpm_mean,
    cast(round(bpm) as float) as bpm_histogram_first_peak_bpm_median,
    cast(round(bpm / 2) as float) as bpm_histogram_second_peak_bpm_mean,
    cast(round(bpm / 2) as float) as bpm_histogram_second_peak_bpm_median,
    cast(danceability as float) as danceability,
    cast(onset_rate as float) as onset_rate
from measured;

create or replace view tonal as
with measured as (
    select mbid, submission_offset, key_no, is_major, 440 + draw_normal('tuning', draw_no, 0) as tuning_frequency
    from known_submissions
    union all
    select mbid, submission_offset, sound % 12, sound >> 8 & 1 = 1, 435 + (sound >> 16 & 1048575) / 100000.0
    from other_submissions
)

select
    mbid,
    submission_offset,
    ['C', 'C#', 'D', 'Eb', 'E', 'F', 'F#', 'G', 'Ab', 'A', 'Bb', 'B'][1 + key_no] as key_key,
    case when is_major then 'major' else 'minor' end as key_scale,
    cast(tuning_frequency as float) as tuning_frequency,
    cast(tuning_frequency / 3000 as float) as tuning_equal_tempered_deviation
from measured;

create or replace view lowlevel as
with measured as (
    select mbid, submission_offset, least(1.0, 0.25 + 0.7 * energy) as average_loudness, 8 - 5 * energy + 0.1 * draw_normal('dynamics', draw_no, 0) as dynamic_complexity
    from known_submissions
    union all
    select mbid, submission_offset, (sound & 1048575) / 1048576.0, 2 + (sound >> 20 & 1048575) / 150000.0 + (noise & 255) / 5000.0
    from other_submissions
)

select
    mbid,
    submission_offset,
    cast(average_loudness as float) as average_loudness,
    cast(dynamic_complexity as float) as dynamic_complexity,
    cast(-600 - 20 * dynamic_complexity as float) as mfcc_zero_mean
from measured;

create or replace macro two_classes(one, other, probability) as {
    'all': map {one: round(probability, 12), other: round(1 - probability, 12)},
    'value': case when probability >= 0.5 then one else other end,
    'probability': round(greatest(probability, 1 - probability), 12)
};

-- What a classifier says that gives each of its classes a probability, the same for every submission of a song.
create or replace macro many_classes(classes, weights) as {
    'all': map(classes, list_transform(weights, lambda weight: weight / list_sum(weights))),
    'value': classes[list_position(weights, list_max(weights))],
    'probability': list_max(weights) / list_sum(weights)
};

create or replace macro genres(classes, song_no) as
    many_classes(classes, list_transform(classes, lambda class: 0.02 + pow(draw(class, song_no, 0), 4)));

-- One row is one document of a high-level shard: of two recordings in three, as 30 shards are many gigabytes.
create or replace view highlevel as
with guessed as (
    select
        *,
        1 / (1 + exp(-8 * (valence - 0.5) - 0.6 * draw_normal('guess', draw_no, 0))) as happy,
        1 / (1 + exp(-8 * (energy - 0.5) - 0.6 * draw_normal('guess', draw_no, 1))) as aggressive,
        1 / (1 + exp(-8 * (danceability - 0.5) - 0.6 * draw_normal('guess', draw_no, 2))) as danceable
    from known_submissions
    where song_no % 3 < 2 and submission_offset < 2
)

select
    'highlevel/' || left(cast(mbid as varchar), 2) || '/' || substring(cast(mbid as varchar), 3, 1) || '/' || mbid || '-' || submission_offset || '.json' as name,
    cast(to_json({
        'highlevel': {
            'danceability': two_classes('danceable', 'not_danceable', danceable),
            'gender': two_classes('male', 'female', 0.5 + 0.3 * (draw('voice', song_no, 0) - 0.5)),
            'genre_dortmund': genres(['alternative', 'blues', 'electronic', 'folkcountry', 'funksoulrnb', 'jazz', 'pop', 'raphiphop', 'rock'], song_no),
            'genre_electronic': genres(['ambient', 'dnb', 'house', 'techno', 'trance'], song_no),
            'genre_rosamerica': genres(['cla', 'dan', 'hip', 'jaz', 'pop', 'rhy', 'roc', 'spe'], song_no),
            'genre_tzanetakis': genres(['blu', 'cla', 'cou', 'dis', 'hip', 'jaz', 'met', 'pop', 'reg', 'roc'], song_no),
            'mood_acoustic': two_classes('acoustic', 'not_acoustic', 1 - aggressive),
            'mood_aggressive': two_classes('aggressive', 'not_aggressive', 0.8 * aggressive),
            'mood_electronic': two_classes('electronic', 'not_electronic', 0.2 + 0.6 * danceable),
            'mood_happy': two_classes('happy', 'not_happy', happy),
            'mood_party': two_classes('party', 'not_party', (danceable + aggressive) / 2),
            'mood_relaxed': two_classes('relaxed', 'not_relaxed', 1 - 0.9 * aggressive),
            'mood_sad': two_classes('sad', 'not_sad', 1 - happy),
            'moods_mirex': {'all': map {'Cluster1': 0.7, 'Cluster2': 0.3}, 'value': 'Cluster1', 'probability': 0.7},
            'timbre': two_classes('dark', 'bright', 1 - 0.7 * happy),
            'tonal_atonal': two_classes('tonal', 'atonal', 0.9),
            'voice_instrumental': two_classes('voice', 'instrumental', 0.8)
        },
        'metadata': {
            'audio_properties': {'analysis_sample_rate': 44100, 'codec': 'mp3', 'length': duration_ms / 1000.0, 'replay_gain': -9.4},
            'tags': {'artist': [artist_name], 'title': [title], 'musicbrainz_recordingid': [mbid]},
            'version': {
                'highlevel': {'essentia': '2.1-beta1', 'extractor': 'music 1.0', 'gaia': '2.4-dev', 'models_essentia_git_sha': 'v2.1_beta1'},
                'lowlevel': {'essentia': '2.1-beta1', 'extractor': 'music 1.0'}
            }
        }
    }) as varchar) as document
from guessed
order by name;
