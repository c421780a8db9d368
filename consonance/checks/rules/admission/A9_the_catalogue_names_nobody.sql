-- relation: (select table_name, column_name from information_schema.columns where table_catalog = 'catalogue' and table_schema = 'music')
-- what: The catalogue has no column but those that consonance/study/stores.yml declares, and every track that a table of features brought. No file in it is called after a participant, no name of a track in it is a participant code, and what it calls a Spotify id or an ISRC is one.
-- example: A catalogue of those tracks alone that the study has heard; a table of features with a column "added_by"; a playlist of a participant that was loaded as a table of features, with the participant code as the artist.
-- why: The catalogue is not encrypted and holds music, no persons. What a table of features says of persons would pass the wall (D1).
-- remedy: Delete the file from catalogue/, then 'consonance load'. Columns that nobody declared: delete catalog.duckdb, then 'consonance load'.
with names as (
    select participant_code as name from vault.raw.participants
    union
    select participant_code from vault.raw.keyring
    union
    select pseudonym from vault.raw.keyring
    union
    select unnest(usernames) from vault.raw.members
),
codes as (
    select name from names where length(name) >= 5 and not regexp_full_match(name, '[0-9]+')
    except
    -- Artists have the names of users.
    select unnest(usernames) from vault.raw.members
),
declared as (
    {%- for table, columns in catalogue_columns.items() %}
    select '{{ table }}' as table_name, unnest({{ columns }}) as column_name
    {{- '' if loop.last else '\n    union all' }}
    {%- endfor %}
),
called as (
    select unnest([artist, title, album]) as value from catalogue.music.source_tracks
)
select 'music.' || columns.table_name || '.' || columns.column_name as place, 'is not declared' as detail
from (select table_name, column_name from information_schema.columns where table_catalog = 'catalogue' and table_schema = 'music') as columns
left join declared on declared.table_name = columns.table_name and declared.column_name = columns.column_name
where declared.column_name is null
union all
select 'music.source_tracks.artist', 'is the code of a participant'
from called
inner join codes on lower(codes.name) = lower(called.value)
union all
select 'music.archive_files.file', 'is called after a participant'
from catalogue.music.archive_files as archive_files
inner join names on {{ holds_name('archive_files.file', 'names.name') }}
union all
select 'music.source_tracks.spotify_id', 'has no id of Spotify, or no ISRC'
from catalogue.music.source_tracks as source_tracks
where
    not regexp_full_match(coalesce(spotify_id, repeat('0', 22)), '[0-9A-Za-z]{22}')
    or not regexp_full_match(coalesce(isrc, 'AA0000000000'), '[A-Z]{2}[0-9A-Z]{3}[0-9]{7}')
union all
-- Tracks are numbered from 1 on when they land.
select 'music.source_tracks.track_no', 'has gaps: tracks were left out afterwards (see loaders/feature_archives.py, loaders/catalogue.py)'
from catalogue.music.source_tracks
group by source_id
having count(*) <> max(track_no)
