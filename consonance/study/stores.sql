-- The tables that loaders write. Only listed fields of a donation have a column here: addresses,
-- agents and whatever else an export brings are counted in raw.schema_drift and stay in the zip.

create schema if not exists vault.raw;
create schema if not exists catalogue.music;

create sequence if not exists vault.raw.donation_numbers;
create sequence if not exists vault.raw.member_numbers;

-- One row: the study as the last load found it.
create table if not exists vault.raw.study (
    title varchar not null,
    as_of timestamp not null,
    loaded_at timestamp not null,
    software_version varchar not null
);

-- One row is one enrolled participant.
create table if not exists vault.raw.participants (
    participant_code varchar primary key,
    birth_year integer,
    gender varchar,
    country varchar,
    timezone varchar,
    enrolled_at timestamp
);

-- One row is one registered version of the information notice.
create table if not exists vault.raw.notices (
    form_version varchar primary key,
    language varchar,
    title varchar,
    file varchar,
    sha256 varchar
);

-- One row is one event of the consent ledger. ledger_line counts the ledger's lines, comments left
-- out. Rows are only ever added.
create table if not exists vault.raw.consent_events (
    ledger_line integer primary key,
    participant_code varchar not null,
    event varchar not null check (event in ('granted', 'amended', 'withdrawn')),
    purposes varchar[] not null,
    form_version varchar not null,
    occurred_at timestamp not null,
    history_from date,
    history_to date
);

-- One row is one line of the consent ledger that was loaded: a keyed hash of what it says. A load
-- compares them, so that a line that was changed, removed or moved is noticed.
create table if not exists vault.raw.ledger_lines (
    ledger_line integer primary key,
    line_hash varchar not null
);

-- One row is one entry of the audit log; consonance/study/audit_log.py says how it is hashed.
create table if not exists vault.raw.audit_log (
    entry_no integer not null,
    moment timestamp not null,
    kind varchar not null,
    facts varchar not null,
    software_version varchar not null,
    previous_hash varchar not null,
    entry_hash varchar not null
);

-- At most one row: the last `dbt run`, whether it made every model, and from which state of the vault and of
-- the project. consonance/study/last_run.py reads it.
drop table if exists vault.raw.last_build;
create table if not exists vault.raw.last_run (
    is_complete boolean not null,
    audit_entries integer not null,
    project_digest varchar not null
);

-- One row is one table or view that a run of dbt made of this project: what may be dropped once no model makes it.
create table if not exists vault.raw.made_relations (
    database_name varchar not null,
    schema_name varchar not null,
    relation_name varchar not null,
    primary key (database_name, schema_name, relation_name)
);

-- One row is one secret of the vault itself.
create table if not exists vault.raw.secrets (
    name varchar primary key,
    secret varchar not null
);

-- One row is one participant's secrets: the random pseudonym, the shift, the key of their play ids.
-- participant_no is drawn at random too: the order of numbers is that of nothing.
create table if not exists vault.raw.keyring (
    participant_no integer primary key,
    participant_code varchar not null unique,
    pseudonym varchar not null unique,
    shift_weeks integer not null check (shift_weeks <> 0),
    play_secret varchar not null
);

-- One row is one release. published_at is null until published/current has pointed at it; the next
-- publish sweeps a row whose release never appeared.
create table if not exists vault.raw.releases (
    release_no integer primary key,
    tier varchar not null check (tier in ('controlled', 'public')),
    as_of timestamp not null,
    created_at timestamp not null,
    published_at timestamp,
    certificate_sha256 varchar
);

-- One row is one release that was taken down, because somebody in it withdrew.
create table if not exists vault.raw.taken_down (
    release_no integer primary key,
    taken_down_at timestamp not null
);

-- One row is one participant of one release: the pseudonym and the shift they have there and nowhere
-- else. Needed when somebody withdraws.
create table if not exists vault.raw.release_keyring (
    release_no integer not null,
    participant_no integer not null,
    pseudonym varchar not null unique,
    shift_weeks integer not null check (shift_weeks <> 0),
    primary key (release_no, participant_no)
);

-- One row is one participant: the active consent that the vault's rows were last reduced to.
create table if not exists vault.raw.applied_consents (
    participant_no integer primary key,
    purposes varchar[] not null,
    history_from date,
    history_to date
);

-- One row is so many landed plays of one member that were erased, because a purpose was taken back.
create table if not exists vault.raw.erased_rows (
    participant_no integer not null,
    member_id integer not null,
    history_source varchar not null check (history_source in ('extended', 'account')),
    erased_rows integer not null
);

-- One row is one participant who withdrew and was erased: a keyed token of their code.
create table if not exists vault.raw.tombstones (
    token varchar primary key,
    erased_at timestamp not null
);

-- One row is one donation that was erased with a withdrawal: a keyed token of its hash.
create table if not exists vault.raw.erased_donations (
    token varchar primary key
);

-- One row is one donation that was landed. A refused one leaves nothing behind.
create table if not exists vault.raw.donations (
    donation_id integer primary key default nextval('vault.raw.donation_numbers'),
    participant_no integer not null,
    sha256 varchar not null,
    file varchar not null,
    unlisted_files integer not null,
    loaded_at timestamp not null,
    unique (participant_no, sha256)
);

-- One row is one distinct file of listening history of one participant, wherever it lies. The hash is
-- BLAKE3: it is taken of every byte that is read, and SHA-256 took a twelfth of the time of a load.
create table if not exists vault.raw.members (
    member_id integer primary key default nextval('vault.raw.member_numbers'),
    participant_no integer not null,
    content_hash varchar not null,
    kind varchar not null check (kind in ('extended', 'music', 'podcast', 'audiobook')),
    rows_in integer not null,
    landed integer not null,
    rejected integer not null,
    usernames varchar[] not null,
    unique (participant_no, content_hash),
    check (rows_in = landed + rejected)
);

-- One row is one place where a donation holds a member. is_counted_here: the donation whose report
-- counts the member's rows; the same bytes elsewhere count no second time.
create table if not exists vault.raw.donation_members (
    participant_no integer not null,
    donation_id integer not null,
    member_id integer not null,
    position integer not null,
    name varchar not null,
    is_counted_here boolean not null
);

-- One row is one listening-history file of a landed donation that could not be read.
create table if not exists vault.raw.broken_members (
    participant_no integer not null,
    donation_id integer not null,
    name varchar not null,
    reason varchar not null
);

-- One row is one play as an extended history states it.
create table if not exists vault.raw.extended_plays (
    participant_no integer not null,
    member_id integer not null,
    row_no integer not null,
    key_count smallint not null,
    ts timestamp not null,
    ms_played bigint not null,
    track_uri varchar,
    track_name varchar,
    artist_name varchar,
    album_name varchar,
    episode_uri varchar,
    episode_name varchar,
    show_name varchar,
    audiobook_uri varchar,
    audiobook_title varchar,
    chapter_uri varchar,
    chapter_title varchar,
    platform varchar,
    country varchar,
    reason_start varchar,
    reason_end varchar,
    shuffle boolean,
    skipped boolean,
    offline boolean,
    incognito_mode boolean,
    offline_timestamp bigint
);

-- One row is one play as an account history states it.
create table if not exists vault.raw.account_plays (
    participant_no integer not null,
    member_id integer not null,
    row_no integer not null,
    kind varchar not null,
    end_time timestamp not null,
    ms_played bigint not null,
    title varchar,
    creator varchar,
    author varchar
);

-- One row is one row of a member that could not be landed, with the reason and what its listed
-- fields held.
create table if not exists vault.raw.rejected_rows (
    participant_no integer not null,
    member_id integer not null,
    row_no integer not null,
    reason varchar not null,
    listed_fields varchar
);

-- One row is one thing a donation held that has no place here: a file, a key, a value of another
-- type. Only counted: no value is kept, and no name that does not look like Spotify's.
create table if not exists vault.raw.schema_drift (
    participant_no integer not null,
    donation_id integer not null,
    what varchar not null check (what in ('file', 'key', 'type')),
    name varchar not null,
    occurrences bigint not null
);

-- One row is one answer to one item of a questionnaire. Free text has no column.
create table if not exists vault.raw.survey_answers (
    participant_code varchar not null,
    answered_at timestamp not null,
    instrument varchar not null,
    item varchar not null,
    answer double,
    file varchar not null,
    line integer not null
);

-- One row is one track that one person saved, or that is in a playlist of theirs. No names, no dates.
create table if not exists vault.raw.library_items (
    participant_no integer not null,
    origin varchar not null check (origin in ('saved', 'playlist')),
    track_uri varchar not null
);

-- One row is one reason why lines of a survey file were not landed, and how many.
create table if not exists vault.raw.survey_rejects (
    file varchar not null,
    reason varchar not null,
    lines integer not null
);

-- What became of the rows of every file of every donation, by participant code.
create or replace view vault.raw.load_accounting as
select
    keyring.participant_code, donations.file, donation_members.name as member, members.kind,
    case when donation_members.is_counted_here then 'landed' else 'repeated' end as status,
    case when donation_members.is_counted_here then members.rows_in else 0 end as rows_in,
    case when donation_members.is_counted_here then members.landed else 0 end as landed,
    case when donation_members.is_counted_here then members.rejected else 0 end as rejected,
    cast(null as varchar) as reason,
    members.member_id, donations.donation_id, donation_members.position
from vault.raw.donation_members
inner join vault.raw.donations on donations.donation_id = donation_members.donation_id
inner join vault.raw.members on members.member_id = donation_members.member_id
inner join vault.raw.keyring on keyring.participant_no = donations.participant_no
union all by name
select
    keyring.participant_code, donations.file, broken_members.name as member, null as kind,
    'broken' as status, 0 as rows_in, 0 as landed, 0 as rejected, broken_members.reason,
    cast(null as integer) as member_id, donations.donation_id, cast(null as integer) as position
from vault.raw.broken_members
inner join vault.raw.donations on donations.donation_id = broken_members.donation_id
inner join vault.raw.keyring on keyring.participant_no = donations.participant_no;

-- At most one row: how coarse demographics are in a release (0 is as fine as they come). Empty but in the copy of
-- the vault that a release is made of.
create table if not exists vault.raw.generalisation (
    age_level integer not null,
    country_level integer not null,
    gender_level integer not null
);

-- One row is one participant of one decision of study.yml about whose a history is. is_alone: it is about nobody
-- else, but about the accounts of this one.
create table if not exists vault.raw.history_decisions (
    decision_no integer not null,
    participant_code varchar not null,
    is_alone boolean not null,
    decision varchar not null check (decision in ('keep_both'))
);

-- One row is one doubt whose a history is: two participants who share one, or (other_code is null) one participant
-- with the user names of several accounts. Definition: docs/numbers.md, "Whose a history is".
create or replace view vault.raw.history_doubts as
with thresholds as (
    -- People who listen together share single plays; who shares ten, and half of the smaller history, has one
    -- history with the other. Three that are all there is are no accident either. Chosen 2026-11: of four real
    -- listeners no two shared a play.
    select 10 as least_plays, 0.5 as least_share, 3 as least_whole
),

moments as (
    select participant_no, date_trunc('minute', ts) as minute, ms_played
    from vault.raw.extended_plays
    union
    select participant_no, date_trunc('minute', end_time), ms_played
    from vault.raw.account_plays
),

sizes as (
    select participant_no, count(*) as plays
    from moments
    group by participant_no
),

-- Hardly any moment is of two: what was heard is read of these alone.
crowded as (
    select minute, ms_played
    from moments
    group by minute, ms_played
    having count(*) > 1
),

crowded_plays as (
    select
        participant_no, date_trunc('minute', ts) as minute, ms_played,
        coalesce(track_name, episode_name, chapter_title, '') as title,
        coalesce(artist_name, show_name, audiobook_title, '') as creator
    from vault.raw.extended_plays
    semi join crowded on date_trunc('minute', ts) = crowded.minute and extended_plays.ms_played = crowded.ms_played
    union
    select participant_no, date_trunc('minute', end_time), ms_played, coalesce(title, ''), coalesce(creator, '')
    from vault.raw.account_plays
    semi join crowded on date_trunc('minute', end_time) = crowded.minute and account_plays.ms_played = crowded.ms_played
),

same_plays as (
    select ours.participant_no, theirs.participant_no as other_no, count(distinct (ours.minute, ours.ms_played)) as plays
    from crowded_plays as ours
    inner join crowded_plays as theirs
        on
            ours.minute = theirs.minute and ours.ms_played = theirs.ms_played
            and ours.title = theirs.title and ours.creator = theirs.creator
            and ours.participant_no < theirs.participant_no
    group by ours.participant_no, theirs.participant_no
),

same_files as (
    select ours.participant_no, theirs.participant_no as other_no, count(*) as files
    from vault.raw.members as ours
    inner join vault.raw.members as theirs
        on ours.content_hash = theirs.content_hash and ours.participant_no < theirs.participant_no
    where ours.landed > 0
    group by ours.participant_no, theirs.participant_no
),

accounts as (
    select distinct participant_no, unnest(usernames) as username
    from vault.raw.members
),

same_accounts as (
    select ours.participant_no, theirs.participant_no as other_no, count(*) as accounts
    from accounts as ours
    inner join accounts as theirs
        on ours.username = theirs.username and ours.participant_no < theirs.participant_no
    group by ours.participant_no, theirs.participant_no
),

-- One account leaves its plays in every request. Who was busy in the same month and shares no history has another
-- account under the same name, such as a word that donors put in its place.
busy_months as (
    select participant_no, date_trunc('month', minute) as month
    from moments
    cross join thresholds
    group by participant_no, date_trunc('month', minute), least_plays
    having count(*) >= least_plays
),

told_apart as (
    select distinct ours.participant_no, theirs.participant_no as other_no
    from busy_months as ours
    inner join busy_months as theirs on ours.month = theirs.month and ours.participant_no < theirs.participant_no
    semi join same_accounts
        on ours.participant_no = same_accounts.participant_no and theirs.participant_no = same_accounts.other_no
),

shared as (
    select participant_no, other_no from same_files
    union
    select same_plays.participant_no, same_plays.other_no
    from same_plays
    cross join thresholds
    inner join sizes as ours on same_plays.participant_no = ours.participant_no
    inner join sizes as theirs on same_plays.other_no = theirs.participant_no
    where
        (same_plays.plays >= least_plays and same_plays.plays >= least_share * least(ours.plays, theirs.plays))
        or (same_plays.plays >= least_whole and same_plays.plays = least(ours.plays, theirs.plays))
    union
    select same_accounts.participant_no, same_accounts.other_no
    from same_accounts
    cross join thresholds
    inner join sizes as ours on same_accounts.participant_no = ours.participant_no
    inner join sizes as theirs on same_accounts.other_no = theirs.participant_no
    anti join told_apart
        on same_accounts.participant_no = told_apart.participant_no and same_accounts.other_no = told_apart.other_no
    where least(ours.plays, theirs.plays) >= least_plays
),

doubts as (
    select
        keyring.participant_code,
        others.participant_code as other_code,
        coalesce(same_files.files, 0) as same_files,
        coalesce(same_plays.plays, 0) as same_plays,
        least(ours.plays, theirs.plays) as plays,
        coalesce(same_accounts.accounts, 0) as accounts
    from shared
    inner join vault.raw.keyring on shared.participant_no = keyring.participant_no
    inner join vault.raw.keyring as others on shared.other_no = others.participant_no
    left join same_files on shared.participant_no = same_files.participant_no and shared.other_no = same_files.other_no
    left join same_plays on shared.participant_no = same_plays.participant_no and shared.other_no = same_plays.other_no
    left join same_accounts
        on shared.participant_no = same_accounts.participant_no and shared.other_no = same_accounts.other_no
    left join sizes as ours on shared.participant_no = ours.participant_no
    left join sizes as theirs on shared.other_no = theirs.participant_no
    union all
    select keyring.participant_code, null, 0, 0, 0, count(*)
    from accounts
    inner join vault.raw.keyring on accounts.participant_no = keyring.participant_no
    group by keyring.participant_code
    having count(*) > 1
)

select
    least(participant_code, other_code) as participant_code,
    case when other_code is not null then greatest(participant_code, other_code) end as other_code,
    same_files, same_plays, plays, accounts,
    case
        when other_code is null then participant_code in (select participant_code from vault.raw.history_decisions where is_alone)
        else exists (
            select 1
            from vault.raw.history_decisions as ours
            inner join vault.raw.history_decisions as theirs on ours.decision_no = theirs.decision_no
            where ours.participant_code = doubts.participant_code and theirs.participant_code = doubts.other_code
        )
    end as is_decided
from doubts;

-- One row is one track in one archive of audio features. No persons.
create table if not exists catalogue.music.track_features (
    source_id varchar not null,
    spotify_id varchar not null,
    danceability decimal(9, 6),
    energy decimal(9, 6),
    valence decimal(9, 6),
    speechiness decimal(9, 6),
    acousticness decimal(9, 6),
    instrumentalness decimal(9, 6),
    liveness decimal(9, 6),
    loudness decimal(9, 6),
    tempo decimal(9, 6),
    musical_key smallint,
    mode smallint,
    time_signature smallint
);

-- One row is one file of a feature source: what it was read from (the rules of reading and its SHA-256, or
-- why it was not read), and the report of it.
drop table if exists catalogue.music.archives; -- of an earlier version, whose archives are read again
create table if not exists catalogue.music.archive_files (
    source_id varchar not null,
    file varchar not null,
    read_from varchar not null,
    report json not null
);
