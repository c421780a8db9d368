"""Laying out a whole synthetic study: who takes part, what they donate, consent to and report."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from consonance.study.files import sha256_of
from consonance.study.folder import Study
from consonance.study.layout import lay_out_study
from consonance.study.memory import memory_limit
from consonance.synthetic import planted
from consonance.synthetic.dumps import know_recordings, make_music, write_dumps
from consonance.synthetic.exports import members, pack
from consonance.synthetic.people import DISGUISE, PECULIAR, Person, usual_person
from consonance.synthetic.questionnaires import report, write_questionnaires
from consonance.synthetic.statements import run

AS_OF = datetime(2026, 3, 1, tzinfo=UTC)

TRACKS = 12_000
# Of music that the study hears and of other music: what its dumps of MusicBrainz and AcousticBrainz have.
RECORDINGS = 20_000
SUBMISSIONS = 30_000


@dataclass
class Made:
    """How much was made, and whom."""

    people: int = 0
    donations: int = 0
    plays_exported: int = 0
    reports: int = 0
    peculiar: dict[str, str] = field(default_factory=dict)
    dumps: dict[str, list[Path]] = field(default_factory=dict)


def make_study(
    root: Path,
    seed: int = 1,
    people: int = 40,
    plays: int = 200_000,
    unzipped: Path | None = None,
    plain: bool = False,
    disguised: bool = False,
    tracks: int = TRACKS,
    with_dumps: bool = False,
    first: int = 1,
) -> Made:
    """Lay out a study folder full of synthetic donations. The same arguments give the same bytes.

    Args:
        root: The folder to make; it must not hold a study yet.
        seed: Another one gives other people and other music.
        people: How many take part.
        plays: About how many plays they have had, all together.
        unzipped: Where to lay the unpacked history files too, for benchmarks.
        plain: Nobody is peculiar: everyone consents, nothing is broken.
        disguised: The same people under other codes, user names, addresses, devices and file names.
        tracks: How much music there is.
        with_dumps: Write dumps of MusicBrainz and AcousticBrainz too, into ``dumps``.
        first: The number of the first person. A study too large to be made at once is made in parts, of other people each.

    Raises:
        StudyExists: ``root`` holds a study.
    """
    study = lay_out_study(root, title=f"Synthetic study, seed {seed}", as_of=AS_OF)
    cast = [
        replace(
            usual_person(number) if plain or number > len(PECULIAR) else PECULIAR[number - 1][1](number),
            is_disguised=disguised,
        )
        for number in range(first, first + people)
    ]
    made = Made(people=len(cast))
    if not plain:
        made.peculiar = {person.code: what for person, (what, _) in zip(cast, PECULIAR[first - 1 :], strict=False)}
    connection = duckdb.connect(config={"memory_limit": memory_limit()})
    connection.execute("SET TimeZone = 'UTC'")
    make_music(connection, seed, tracks)
    listen(connection, cast, plays, tracks)
    if disguised:
        run(connection, "disguise.sql", disguise=DISGUISE)
    for person in cast:
        for number, export in enumerate(person.exports, start=1):
            files: list[tuple[str, str | bytes]] = list(members(connection, person.code, export))
            plays_in = {name: _plays_in(str(content)) for name, content in files}
            made.plays_exported += sum(plays_in.values())
            if unzipped is not None:
                history = [(name, content) for name, content in files if plays_in[name]]
                _write_files(unzipped / person.code / str(number), history)
            _hand_in(study, person, number, files)
            made.donations += 1
    _write_feature_archives(connection, study)
    if with_dumps:
        know_recordings(connection, seed, tracks, RECORDINGS, SUBMISSIONS)
        made.dumps = write_dumps(connection, root / "dumps")
    _write_tables(study, cast)
    report(connection)
    made.reports = write_questionnaires(connection, study, "203.0.113." if disguised else "198.51.100.")
    connection.close()
    return made


def listen(connection: duckdb.DuckDBPyConnection, cast: list[Person], plays: int, tracks: int) -> None:
    """Make what the people of ``cast`` listened to, as tables.

    Args:
        connection: With the music.
        cast: The people.
        plays: About how many plays they have had, all together.
        tracks: How much music there is.
    """
    connection.execute(
        """
        create table people (
            person_no integer, code varchar, username varchar, country varchar, zone varchar,
            first_day date, last_day date, private_share double
        )
        """
    )
    connection.executemany(
        "insert into people values (?, ?, ?, ?, ?, ?, ?, ?)",
        [[p.number, p.code, p.username, p.country, p.zone, p.first_day, p.last_day, p.private_share] for p in cast],
    )
    # Some listen ten times as much as others. A session has nine plays on average.
    connection.execute(
        f"""
        create or replace table people as
        with weighted as (select *, exp(0.6 * draw_normal('appetite', person_no, 0)) as weight from people)
        select
            * exclude (weight),
            greatest(30, cast({plays} / 8.5 * weight / sum(weight) over () as integer)) as sessions,
            0.35 + 0.3 * draw('temper', person_no, 0) as mood,
            0.1 + 0.3 * draw('patience', person_no, 0) as skip_rate
        from weighted
        order by person_no
        """
    )
    run(
        connection,
        "listening.sql",
        tracks=tracks,
        energy_by_hour=planted.ENERGY_BY_HOUR,
        peak_hour=planted.PEAK_HOUR,
    )


def _hand_in(study: Study, person: Person, number: int, files: list[tuple[str, str | bytes]]) -> None:
    """Put one package into the inbox, as this person would."""
    place = study.inbox / person.code
    place.mkdir(exist_ok=True)
    upload = f"{DISGUISE} upload" if person.is_disguised else "my_spotify_data"
    if "cut_off" in person.spoil:
        name, content = files[-2]
        files[-2] = (name, str(content)[: len(str(content)) * 2 // 3])
    if "bad_rows" in person.spoil:
        name, content = files[0]
        files[0] = (name, _with_bad_rows(str(content)))
    if "nested" in person.spoil:
        inner = pack([("inner.zip", pack(files))])
        (place / "nested.zip").write_bytes(pack([("Spotify Extended Streaming History/outer.zip", inner)]))
        return
    if "wrong_package" in person.spoil:
        (place / "technical_log.zip").write_bytes(
            pack(
                [
                    (
                        "Spotify Technical Log Information/AddedToPlaylist.json",
                        json.dumps([{"timestamp_utc": "2025-01-01T00:00:00Z", "context_user_agent": "x"}]),
                    )
                ]
            )
        )
        return
    if person.as_folder:
        _write_files(place / f"{upload}_{number}", files)
    elif person.as_loose_files:
        _write_files(place, [(Path(name).name, content) for name, content in files if name.endswith(".json")])
    else:
        packed = pack(files)
        if "wrong_crc" in person.spoil:
            packed = _with_wrong_checksum(packed)
        (place / f"{upload}_{number}.zip").write_bytes(packed)


def _plays_in(content: str) -> int:
    return content.count('"msPlayed"') + content.count('"ms_played"')


def _with_bad_rows(content: str) -> str:
    bad = [
        {"ts": "2020-02-30T10:00:00Z", "ms_played": 1000},
        {"ts": "yesterday", "ms_played": 1000},
        {"ts": "2020-03-01T10:00:00Z", "ms_played": -5},
        {"ts": "2020-03-01T10:00:00Z", "ms_played": "many"},
        {"ts": "2020-03-01T10:00:00Z"},
        {"endTime": "2020-03-01 10:00", "artistName": "A", "trackName": "T", "msPlayed": 1},
    ]
    rows = ",".join([json.dumps(row) for row in bad] + ["null", "17"])
    return content.rstrip().removesuffix("]") + "," + rows + "]"


def _with_wrong_checksum(packed: bytes) -> bytes:
    """Spoil the checksum of the last history file in the central directory."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        entry = [entry for entry in archive.infolist() if entry.filename.endswith(".json")][-1]
    position = packed.rindex(b"PK\x01\x02", 0, packed.rindex(entry.filename.encode())) + 16
    return packed[:position] + bytes(4) + packed[position + 4 :]


def _write_files(folder: Path, files: Sequence[tuple[str, str | bytes]]) -> None:
    for name, content in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def _write_feature_archives(connection: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Two archives: a clean one that lacks rare and sad music, and an old table with the quirks of published ones."""
    for source in ("synthetic", "spotify_archive"):
        (study.catalogue / source).mkdir(parents=True, exist_ok=True)
    connection.execute(
        f"""
        create or replace temp table known_tracks as
        select
            *,
            draw('known', song_no, 0)
            < {planted.KNOWN} + {planted.KNOWN_BY_RARITY} * rarity + {planted.KNOWN_BY_SADNESS} * (1 - valence) as is_known
        from tracks
        """
    )
    connection.execute(
        f"""
        copy (
            select
                'spotify:track:' || spotify_id as "Track URI", track_name as "Track Name", artist_name as "Artist Name(s)",
                round(danceability, 4) as "Danceability", round(energy, 4) as "Energy", song_no % 12 as "Key", -round(4 + 20 * (1 - energy), 3) as "Loudness",
                song_no % 2 as "Mode", 0.05 as "Speechiness", round(1 - energy, 4) as "Acousticness", 0.1 as "Instrumentalness", 0.15 as "Liveness",
                round(valence, 4) as "Valence", round(tempo, 3) as "Tempo", 4 as "Time Signature"
            from known_tracks where is_known order by track_no
        ) to '{study.catalogue / "synthetic" / "features.csv"}' (header)
        """
    )
    connection.execute(
        f"""
        copy (
            select
                spotify_id as track_id, cast(round(100 * valence) as integer) as valence, cast(round(100 * energy) as integer) as energy,
                cast(round(100 * danceability) as integer) as danceability, '1,' || lpad(cast(track_no % 1000 as varchar), 3, '0') as streams,
                round(tempo, 1) as tempo, case when track_no % 50 = 0 then 0 else 4 end as time_signature, 1.2 as loudness
            from known_tracks where not is_known and track_no % 2 = 1 order by track_no
        ) to '{study.catalogue / "spotify_archive" / "old_table.csv"}' (header)
        """
    )


def _write_tables(study: Study, cast: list[Person]) -> None:
    enrolment, ledger = [], []
    for person in cast:
        if person.enrolled:
            gender = ("female", "male", "other", "")[person.number % 4]
            zone = person.zone if person.time_zone_known else ""
            enrolment.append(
                f"{person.code},{1960 + person.number * 7 % 45},{gender},{person.country},{zone},2025-12-01"
            )
        for step, event in enumerate(person.events):
            purposes = (
                person.purposes
                if event == "granted"
                else ("" if event == "withdrawn" else "listening_history emotion_reports")
            )
            moment = (datetime(2025, 12, 1, 10, tzinfo=UTC) + timedelta(days=20 * step)).isoformat()
            ledger.append(f"{person.code},{event},{purposes},v1,{moment},{person.history_from},{person.history_to}")
    notice = study.root / "notice-v1.txt"
    notice.write_text("Nobody takes part in this study: its people are invented.\n", encoding="utf-8")
    digest = sha256_of(notice)
    _append(study.notices_path, [f"v1,en,Information for participants,{notice.name},{digest}"])
    _append(study.participants_path, enrolment)
    _append(study.consents_path, ledger)


def _append(path: Path, lines: list[str]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
