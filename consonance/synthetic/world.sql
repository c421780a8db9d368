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

create or replace table words as
select
    ['Amber', 'Blue', 'Cold', 'Distant', 'Electric', 'Fading', 'Golden', 'Hollow', 'Idle', 'Jade', 'Little', 'Midnight', 'Northern', 'Open',
     'Paper', 'Quiet', 'Restless', 'Silver', 'Tender', 'Velvet', 'Wild', 'Yellow'] as adjectives,
    ['Avenue', 'Birds', 'City', 'Dream', 'Echo', 'Fire', 'Garden', 'Harbour', 'Island', 'Journey', 'Kites', 'Light', 'Mirror', 'Night', 'Ocean',
     'Piano', 'River', 'Summer', 'Train', 'Window', 'Winter', 'Year'] as nouns,
    ['Atlas', 'Borealis', 'Cassiopeia', 'Delta', 'Ensemble', 'Foxes', 'Gravity', 'Hotel', 'Orchestra', 'Parade', 'Quartet', 'Radio', 'Signals',
     'Tides', 'Union', 'Weather'] as bands;

create or replace table artists as
select
    artist_no,
    pick(words.adjectives, draw('artist adjective', artist_no, 0)) || ' ' || pick(words.bands, draw('artist band', artist_no, 0)) || ' ' || artist_no as artist_name
from range($artists) as numbers (artist_no), words;

-- One track in twelve repeats the names of the one before it under another URI, as releases do.
create or replace table tracks as
with numbered as (
    select
        track_no,
        case when track_no % 12 = 11 then track_no - 1 else track_no end as song_no
    from range($tracks) as numbers (track_no)
),

drawn as (
    select
        numbered.track_no,
        spotify_id('track', numbered.track_no) as spotify_id,
        cast(floor(pow(draw('track artist', song_no, 0), 2) * $artists) as bigint) as artist_no,
        pick(words.adjectives, draw('track adjective', song_no, 0)) || ' ' || pick(words.nouns, draw('track noun', song_no, 0)) || ' ' || song_no as plain_title,
        pick(['', '', '', '', '', '', ' - Remastered 2011', ' (feat. Somebody)', ' "Live"', ' 🎧', chr(8203), chr(160) || 'II', ' / Coda', ' \ Reprise'],
             draw('track suffix', song_no, 0)) as suffix,
        draw('track prefix', song_no, 0) as prefix_draw,
        draw('valence', song_no, 0) as valence,
        least(1.0, greatest(0.0, 0.5 + 0.25 * draw_normal('energy', song_no, 0))) as energy,
        least(1.0, greatest(0.0, 0.55 + 0.18 * draw_normal('danceability', song_no, 0))) as danceability,
        cast(90000 + floor(draw('duration', song_no, 0) * 240000) as bigint) as duration_ms,
        60 + 120 * draw('tempo', song_no, 0) as tempo
    from numbered, words
)

select
    drawn.* exclude (plain_title, suffix, prefix_draw),
    artists.artist_name,
    case
        when prefix_draw < 0.03 then drawn.track_no || ' '
        when prefix_draw < 0.05 then '[' || drawn.track_no || '] '
        else ''
    end || plain_title || suffix as track_name,
    'Album ' || cast(floor(drawn.track_no / 9) as integer) as album_name,
    row_number() over (order by valence, drawn.track_no) - 1 as valence_rank
from drawn
inner join artists on artists.artist_no = drawn.artist_no;

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
