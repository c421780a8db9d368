-- The music there is. $seed makes it another world; every draw has a stream of its own.

-- One text is hashed: DuckDB's hash of several values mixes them too little.
create or replace macro draw(stream, a, b) as
    cast(hash(concat_ws('|', $seed, stream, a, b)) >> 11 as double) / 9007199254740992.0;

create or replace macro draw_normal(stream, a, b) as
    sqrt(-2 * ln(greatest(draw(stream || '/1', a, b), 1e-12))) * cos(2 * pi() * draw(stream || '/2', a, b));

create or replace macro pick(list, u) as list[1 + cast(floor(u * len(list)) as integer)];

-- 22 symbols of Spotify's base-62 alphabet.
create or replace macro spotify_id(stream, a) as
    array_to_string(
        list_transform(
            range(22),
            lambda i : substring('0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ', 1 + cast(floor(draw(stream, a, i) * 62) as integer), 1)
        ),
        ''
    );

-- 63 bits, of which several choices can be made.
create or replace macro digest(stream, a) as cast(hash(concat_ws('|', $seed, stream, a)) >> 1 as bigint);

create or replace table words as
select
    ['Amber', 'Blue', 'Cold', 'Distant', 'Electric', 'Fading', 'Golden', 'Hollow', 'Idle', 'Jade', 'Little', 'Midnight', 'Northern', 'Open',
     'Paper', 'Quiet', 'Restless', 'Silver', 'Tender', 'Velvet', 'Wild', 'Yellow'] as adjectives,
    ['Avenue', 'Birds', 'City', 'Dream', 'Echo', 'Fire', 'Garden', 'Harbour', 'Island', 'Journey', 'Kites', 'Light', 'Mirror', 'Night', 'Ocean',
     'Piano', 'River', 'Summer', 'Train', 'Window', 'Winter', 'Year'] as nouns,
    ['Atlas', 'Borealis', 'Cassiopeia', 'Delta', 'Ensemble', 'Foxes', 'Gravity', 'Hotel', 'Orchestra', 'Parade', 'Quartet', 'Radio', 'Signals',
     'Tides', 'Union', 'Weather'] as bands;

-- 4,096 words in each script, of three syllables, numbered through. Script 0 is Latin.
create or replace table script_words as
with scripts as (
    select *
    from (values
        (0, ' ', 'ba lo mi re su ta ve na ko di ha fé pu gi zo lu'),
        (1, ' ', 'ба ло ми ре су та ве на ко ди хо фе лё ги зо ня'),
        (2, ' ', 'βα λο μι ρε σου τα βε να κο δι χα φέ πυ γι ζώ λη'),
        (3, '', '夜 雨 光 風 空 海 花 夢 は る か な の き み す'),
        (4, ' ', '가 나 다 라 마 바 사 아 자 하 고 노 도 로 밤 별'),
        (5, '', '青 花 月 山 水 心 愛 飛 夢 秋 歌 城 海 雪 星 路'),
        (6, ' ', 'אב לו מי רש סו תל שי נר קו דן הר פא גל זמ טו חן'),
        (7, ' ', 'با لو مي رس سو تل ني نر كو دن هر فا جل زم طو حن'),
        (8, ' ', 'मा रे गी सा नी दि पा को ला जा ता सु बी हा ने रा')
    ) as scripts (script_no, gap, syllables)
),

split as (
    select
        script_no,
        gap,
        string_split(syllables, ' ') as syllables
    from scripts
),

spelled as (
    select
        script_no,
        gap,
        word_no,
        syllables[1 + word_no // 256] || syllables[1 + word_no // 16 % 16] || syllables[1 + word_no % 16] as word
    from split, range(4096) as numbers (word_no)
)

select
    script_no * 4096 + word_no as word_no,
    gap,
    upper(left(word, 1)) || substring(word, 2) as word
from spelled;

-- Four names in five are in Latin script.
create or replace macro script_of(names) as case when names >> 40 & 31 < 26 then 0 else cast((names >> 40 & 31) % 8 + 1 as integer) end;

-- Of two words, as the bits of `names` say.
create or replace macro artist_text(script_no, gap, names, first_word, second_word) as
    case
        when script_no > 0 then first_word || gap || second_word
        when names >> 60 & 7 < 2 then (select adjectives from words)[1 + names % 22] || ' ' || (select bands from words)[1 + (names >> 8) % 16] || ' ' || first_word
        when names >> 60 & 7 < 5 then first_word || ' ' || second_word
        else first_word || ' ' || (select bands from words)[1 + (names >> 8) % 16] || ' ' || second_word
    end;

create or replace macro title_text(script_no, gap, names, first_word, second_word) as
    case
        when script_no > 0 then first_word || gap || second_word
        when names >> 60 & 7 < 2 then (select adjectives from words)[1 + names % 22] || ' ' || (select nouns from words)[1 + (names >> 8) % 22] || ' ' || first_word
        when names >> 60 & 7 < 5 then first_word || ' ' || (select nouns from words)[1 + (names >> 8) % 22] || ' ' || second_word
        else first_word || ' ' || second_word
    end;

create or replace table artists as
with named as (
    select
        artist_no,
        digest('artist', artist_no) as names
    from range($artists) as numbers (artist_no)
)

select
    named.artist_no,
    script_of(named.names) as script_no,
    first_words.gap,
    artist_text(script_of(named.names), first_words.gap, named.names, first_words.word, second_words.word) as artist_name
from named
inner join script_words as first_words on first_words.word_no = script_of(named.names) * 4096 + (named.names >> 16 & 4095)
inner join script_words as second_words on second_words.word_no = script_of(named.names) * 4096 + (named.names >> 28 & 4095);

-- One row is one song: how it is called, and how the export spells it ("spelling"; "version" if it sounds different from
-- the song of that name). One song in twelve has two tracks, under two URIs, as re-releases have.
create or replace table songs as
with numbered as (
    select
        song_no,
        digest('song', song_no) as names,
        cast(floor(pow(draw('track artist', song_no, 0), 2) * $artists) as bigint) as artist_no,
        draw('track prefix', song_no, 0) as prefix_draw,
        pick(['plain', 'plain', 'plain', 'plain', 'plain', 'plain', 'plain', 'plain', 'plain', 'plain', 'plain', 'plain',
              'remaster', 'remaster', 'remaster', 'guest', 'guest', 'radio edit', 'single version', 'no accents', 'no accents', 'the', 'the',
              'quotes', 'and', 'typing error', 'capitals', 'invisible', 'no-break space', 'emoji', 'coda', 'reprise',
              'live', 'quoted live', 'acoustic', 'remix', 'sped up'], draw('track spelling', song_no, 0)) as spelling
    from range($tracks) as numbers (song_no)
    where song_no % 12 < 11
),

-- Kept apart: else the words are joined with every artist of their script.
credited as materialized (
    select
        numbered.*,
        artists.script_no,
        artists.gap,
        artists.artist_name,
        guests.artist_name as guest_name
    from numbered
    inner join artists on artists.artist_no = numbered.artist_no
    inner join artists as guests on guests.artist_no = (numbered.artist_no * 7 + 3) % $artists
)

select
    credited.song_no,
    credited.artist_no,
    credited.script_no,
    credited.spelling,
    credited.spelling in ('live', 'quoted live', 'acoustic', 'remix', 'sped up') as is_version,
    credited.artist_name,
    credited.guest_name,
    case
        when credited.prefix_draw < 0.03 then credited.song_no || ' '
        when credited.prefix_draw < 0.05 then '[' || credited.song_no || '] '
        else ''
    end
    || title_text(credited.script_no, credited.gap, credited.names, first_words.word, second_words.word) as title,
    draw('valence', credited.song_no, 0) as valence,
    least(1.0, greatest(0.0, 0.5 + 0.25 * draw_normal('energy', credited.song_no, 0))) as energy,
    least(1.0, greatest(0.0, 0.55 + 0.18 * draw_normal('danceability', credited.song_no, 0))) as danceability,
    cast(90000 + floor(draw('duration', credited.song_no, 0) * 240000) as bigint) as duration_ms,
    60 + 120 * draw('tempo', credited.song_no, 0) as tempo
from credited
inner join script_words as first_words on first_words.word_no = credited.script_no * 4096 + (credited.names >> 16 & 4095)
inner join script_words as second_words on second_words.word_no = credited.script_no * 4096 + (credited.names >> 28 & 4095)
order by credited.song_no;

-- One row is one track as the export names it. The export names the artist of the album: now and then several.
create or replace table tracks as
with numbered as (
    select
        track_no,
        case when track_no % 12 = 11 then track_no - 1 else track_no end as song_no,
        track_no // 9 as album_no
    from range($tracks) as numbers (track_no)
)

select
    numbered.track_no,
    numbered.song_no,
    spotify_id('track', numbered.track_no) as spotify_id,
    songs.artist_no,
    songs.valence,
    songs.energy,
    songs.danceability,
    songs.duration_ms,
    songs.tempo,
    case
        when numbered.album_no % 40 = 0 then 'Various Artists'
        when songs.spelling = 'the' and songs.script_no = 0 and songs.song_no % 2 = 0 then 'The ' || songs.artist_name
        when songs.spelling = 'and' then songs.artist_name || ' and ' || songs.guest_name
        when songs.spelling = 'no accents' and songs.script_no = 0 then strip_accents(songs.artist_name)
        else songs.artist_name
    end as artist_name,
    case songs.spelling
        when 'remaster' then songs.title || ' - Remastered 2011'
        when 'guest' then songs.title || ' (feat. ' || songs.guest_name || ')'
        when 'radio edit' then songs.title || ' - Radio Edit'
        when 'single version' then songs.title || ' - Single Version'
        when 'no accents' then case when songs.script_no = 0 then strip_accents(songs.title) else songs.title end
        when 'quotes' then songs.title || ', Don''t'
        when 'typing error' then left(songs.title, length(songs.title) // 2) || substring(songs.title, length(songs.title) // 2 + 2)
        when 'capitals' then upper(songs.title)
        when 'invisible' then songs.title || chr(8203)
        when 'no-break space' then songs.title || chr(160) || 'II'
        when 'emoji' then songs.title || ' 🎧'
        when 'coda' then songs.title || ' / Coda'
        when 'reprise' then songs.title || ' \ Reprise'
        when 'live' then songs.title || ' - Live'
        when 'quoted live' then songs.title || ' "Live"'
        when 'acoustic' then songs.title || ' (Acoustic)'
        when 'remix' then songs.title || ' - ' || songs.guest_name || ' Remix'
        when 'sped up' then songs.title || ' - Sped Up'
        else songs.title
    end as track_name,
    (select adjectives from words)[1 + digest('album', numbered.album_no) % 22] || ' ' || (select nouns from words)[1 + (digest('album', numbered.album_no) >> 8) % 22]
    || ' ' || script_words.word || case when numbered.album_no % 11 = 0 then ' (Deluxe Edition)' else '' end as album_name,
    row_number() over (order by songs.valence, numbered.track_no) - 1 as valence_rank,
    -- Of eight tracks of like valence the first is heard most, the last hardly: 0 to 1. See listening.sql.
    (row_number() over (order by songs.valence, numbered.track_no) - 1) % 8 / 7.0 as rarity
from numbered
inner join songs on songs.song_no = numbered.song_no
inner join script_words on script_words.word_no = (digest('album', numbered.album_no) >> 16 & 4095);

create or replace table episodes as
select
    episode_no,
    'spotify:episode:' || spotify_id('episode', episode_no) as episode_uri,
    'Episode ' || episode_no || ': ' || pick(words.nouns, draw('episode', episode_no, 0)) as episode_name,
    'The ' || pick(words.adjectives, draw('show', episode_no // 30, 0)) || ' Show ' || episode_no // 30 as show_name
from range(1200) as numbers (episode_no), words;

create or replace table chapters as
select
    chapter_no,
    'spotify:chapter:' || spotify_id('chapter', chapter_no) as chapter_uri,
    'Chapter ' || (chapter_no % 15 + 1) as chapter_title,
    'spotify:audiobook:' || spotify_id('audiobook', chapter_no // 15) as audiobook_uri,
    'The Book of ' || pick(words.nouns, draw('book', chapter_no // 15, 0)) || ' ' || chapter_no // 15 as audiobook_title
from range(300) as numbers (chapter_no), words;
