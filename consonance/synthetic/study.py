"""Laying out a whole synthetic study: who takes part, what they donate, consent to and report."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from consonance.study.files import sha256_of
from consonance.study.folder import Study
from consonance.study.layout import lay_out_study
from consonance.synthetic.exports import Account, Extended, Layout, members, pack

HERE = Path(__file__).parent
AS_OF = datetime(2026, 3, 1, tzinfo=UTC)

# The relation that is planted: reported valence (-1 to 1) rises by this much from music of valence 0
# to music of valence 1, heard within the hour before the report.
PLANTED_SLOPE = 1.2
PLANTED_NOISE = 0.22
PLANTED_PERSON_SPREAD = 0.12

# Occurs in whatever tells a disguised study's people apart from those of the same study undisguised.
DISGUISE = "tulip7c3e"

_EVERY_PURPOSE = (
    "listening_history podcasts_audiobooks private_sessions demographics emotion_reports ml_training sharing_controlled"
)
_COUNTRIES = (
    ("DE", "Europe/Berlin"),
    ("US", "America/New_York"),
    ("JP", "Asia/Tokyo"),
    ("IN", "Asia/Kolkata"),
    ("BR", "America/Sao_Paulo"),
    ("GB", "Europe/London"),
)
_LAYOUTS: tuple[Layout, ...] = ("one_line", "pretty", "spaced")


@dataclass(frozen=True)
class Person:
    """One invented participant and what is peculiar about them."""

    number: int
    exports: tuple[Extended | Account, ...]
    purposes: str = _EVERY_PURPOSE
    events: tuple[str, ...] = ("granted",)
    history_from: str = ""
    history_to: str = ""
    enrolled: bool = True
    time_zone_known: bool = True
    as_folder: bool = False
    as_loose_files: bool = False
    spoil: tuple[str, ...] = ()
    private_share: float = 0.02
    is_disguised: bool = False

    @property
    def code(self) -> str:
        # Disguised people also come in another order.
        return f"T{self.number * 377 % 997:03d}" if self.is_disguised else f"D{self.number:03d}"

    @property
    def username(self) -> str:
        return f"{DISGUISE}-{self.code.lower()}" if self.is_disguised else f"listener-{self.number:03d}-q7x"

    @property
    def country(self) -> str:
        return _COUNTRIES[self.number % len(_COUNTRIES)][0]

    @property
    def zone(self) -> str:
        return _COUNTRIES[self.number % len(_COUNTRIES)][1]

    @property
    def first_day(self) -> date:
        return min(export.first for export in self.exports)

    @property
    def last_day(self) -> date:
        return max(export.last for export in self.exports)


@dataclass
class Made:
    """What was made, to be told."""

    people: int = 0
    donations: int = 0
    plays_told: int = 0
    reports: int = 0
    peculiar: dict[str, str] = field(default_factory=dict)


def make_study(
    root: Path,
    seed: int = 1,
    people: int = 40,
    plays: int = 400_000,
    unzipped: Path | None = None,
    plain: bool = False,
    disguised: bool = False,
) -> Made:
    """Lay out a study folder full of synthetic donations. The same arguments give the same bytes.

    Args:
        root: The folder to make; it must not hold a study yet.
        seed: Makes it another world.
        people: How many take part.
        plays: About how many plays they have had, all together.
        unzipped: Where to lay the unpacked history files too, for benchmarks.
        plain: Nobody is peculiar: everyone consents, nothing is broken.
        disguised: The same people under other codes, user names, addresses, devices and file names.

    Raises:
        StudyExists: ``root`` holds a study.
    """
    study = lay_out_study(root, title=f"Synthetic study, seed {seed}", as_of=AS_OF)
    cast = [
        replace(
            _usual_person(number) if plain or number > len(_PECULIAR) else _PECULIAR[number - 1][1](number),
            is_disguised=disguised,
        )
        for number in range(1, people + 1)
    ]
    made = Made(people=len(cast))
    if not plain:
        made.peculiar = {person.code: what for person, (what, _) in zip(cast, _PECULIAR, strict=False)}
    connection = duckdb.connect(config={"memory_limit": "6GiB"})
    connection.execute("SET TimeZone = 'UTC'")
    _listen(connection, seed, cast, plays)
    if disguised:
        connection.execute((HERE / "disguise.sql").read_text(encoding="utf-8").replace("$disguise", DISGUISE))
    for person in cast:
        for number, export in enumerate(person.exports, start=1):
            files: list[tuple[str, str | bytes]] = list(members(connection, person.code, export))
            history = [(name, str(content)) for name, content in files if _plays_in(str(content))]
            made.plays_told += sum(_plays_in(content) for _, content in history)
            if unzipped is not None:
                _write_files(unzipped / person.code / str(number), history)
            _hand_in(study, person, number, files)
            made.donations += 1
    _write_feature_archives(connection, study)
    _write_tables(study, cast)
    made.reports = _write_reports(connection, study, seed, cast)
    connection.close()
    return made


def _listen(connection: duckdb.DuckDBPyConnection, seed: int, cast: list[Person], plays: int) -> None:
    sql = {"$seed": str(seed), "$artists": "1500", "$tracks": "12000"}

    def run(name: str) -> None:
        text = (HERE / name).read_text(encoding="utf-8")
        for parameter, value in sql.items():
            text = text.replace(parameter, value)
        connection.execute(text)

    run("world.sql")
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
    run("listening.sql")


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
    """Two archives: one clean for five tracks of six, one old table with the quirks of published ones."""
    for source in ("synthetic", "spotify_archive"):
        (study.catalogue / source).mkdir(parents=True, exist_ok=True)
    connection.execute(
        f"""
        copy (
            select
                'spotify:track:' || spotify_id as "Track URI", track_name as "Track Name", artist_name as "Artist Name(s)",
                round(danceability, 4) as "Danceability", round(energy, 4) as "Energy", track_no % 12 as "Key", -round(4 + 20 * (1 - energy), 3) as "Loudness",
                track_no % 2 as "Mode", 0.05 as "Speechiness", round(1 - energy, 4) as "Acousticness", 0.1 as "Instrumentalness", 0.15 as "Liveness",
                round(valence, 4) as "Valence", round(tempo, 3) as "Tempo", 4 as "Time Signature"
            from tracks where track_no % 6 < 5 order by track_no
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
            from tracks where track_no % 12 = 5 order by track_no
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


def _write_reports(connection: duckdb.DuckDBPyConnection, study: Study, seed: int, cast: list[Person]) -> int:
    """Affect grids after listening, with the planted relation, and PANAS; returns the number of reports."""
    for table, sql in _REPORTS.items():
        connection.execute(f"create or replace table {table} as " + sql)
    header = "participant_code,answered_at,instrument,item,answer"
    for name, table in (("affect_grid", "affect_grid_answers"), ("panas", "panas_answers")):
        lines = [
            line
            for (line,) in connection.execute(
                f"select line from {table} order by person_no, answered_ms, item"
            ).fetchall()
        ]
        (study.surveys / f"{name}.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return int(
        connection.execute(
            "select (select count(*) from reports) + (select count(distinct (person_no, answered_ms)) from panas_answers)"
        ).fetchall()[0][0]
    )


_REPORTS = {
    # About one session in six of the last year before the export is followed by a report.
    "reports": f"""
        with ends as (
            select true_plays.person_no, true_plays.session_no, max(ended_ms) as ended_ms
            from true_plays
            inner join people on people.person_no = true_plays.person_no
            where make_timestamp_ms(ended_ms) between people.last_day - interval 300 day and people.last_day - interval 1 day
            group by true_plays.person_no, true_plays.session_no
        ),
        chosen as (
            select
                ends.person_no,
                ends.ended_ms // 1000 * 1000 + 1000 * cast(60 + floor(draw('delay', ends.person_no, ends.session_no) * 1500) as bigint) as answered_ms
            from ends
            qualify row_number() over (partition by ends.person_no order by draw('report', ends.person_no, ends.session_no)) <= 60
        ),
        heard as (
            select chosen.person_no, chosen.answered_ms, avg(true_plays.valence) as valence
            from chosen
            inner join true_plays
                on
                    true_plays.person_no = chosen.person_no
                    and true_plays.ended_ms >= chosen.answered_ms - 3600000
                    and true_plays.ended_ms < chosen.answered_ms
                    and true_plays.kind = 'track'
                    and true_plays.ms_played >= 30000
            group by chosen.person_no, chosen.answered_ms
        )
        select
            heard.person_no,
            heard.answered_ms,
            {PLANTED_SLOPE} * (heard.valence - 0.5)
            + {PLANTED_PERSON_SPREAD} * draw_normal('temper of reports', heard.person_no, 0)
            + {PLANTED_NOISE} * draw_normal('noise of reports', heard.person_no, heard.answered_ms) as felt_valence,
            0.4 * draw_normal('felt arousal', heard.person_no, heard.answered_ms) as felt_arousal
        from heard
    """,
    "affect_grid_answers": """
        with answers as (
            select reports.person_no, reports.answered_ms, 'valence' as item, felt_valence as felt from reports
            union all
            select reports.person_no, reports.answered_ms, 'arousal', felt_arousal from reports
        )
        select
            answers.person_no, answers.answered_ms, answers.item,
            concat_ws(
                ',', people.code, strftime(make_timestamp_ms(answers.answered_ms), '%Y-%m-%dT%H:%M:%S+00:00'), 'affect_grid', answers.item,
                cast(cast(greatest(1, least(9, round(5 + 4 * answers.felt))) as integer) as varchar)
            ) as line
        from answers
        inner join people on people.person_no = answers.person_no
    """,
    "panas_answers": """
        with chosen as (
            select *, row_number() over (partition by person_no order by answered_ms) as report_no from reports
        ),
        items as (
            select unnest(['interested', 'excited', 'strong', 'enthusiastic', 'proud', 'alert', 'inspired', 'determined', 'attentive', 'active']) as item, 1 as sign
            union all
            select unnest(['distressed', 'upset', 'guilty', 'scared', 'hostile', 'irritable', 'ashamed', 'nervous', 'jittery', 'afraid']), -1
        ),
        answers as (
            select
                chosen.person_no, chosen.answered_ms, items.item,
                greatest(1, least(5, round(3 + items.sign * 1.2 * chosen.felt_valence + 0.7 * draw_normal(items.item, chosen.person_no, chosen.answered_ms)))) as answer
            from chosen, items
            where
                chosen.report_no % 6 = 0
                -- Now and then an item, or several, are left out.
                and draw('left out', chosen.person_no, hash(chosen.answered_ms, items.item)) > case when chosen.report_no % 18 = 0 then 0.3 else 0.01 end
        )
        select
            answers.person_no, answers.answered_ms, answers.item,
            concat_ws(',', people.code, strftime(make_timestamp_ms(answers.answered_ms), '%Y-%m-%dT%H:%M:%S+00:00'), 'panas', answers.item, cast(cast(answers.answer as integer) as varchar)) as line
        from answers
        inner join people on people.person_no = answers.person_no
    """,
}


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _usual_person(number: int) -> Person:
    """Someone without peculiarities: one package, of one of the vintages in turn."""
    layout = _LAYOUTS[number % 3]
    packages: tuple[Extended | Account, ...] = (
        Extended(21, _day("2015-05-01"), _day("2024-09-20"), layout),
        Extended(23, _day("2018-01-15"), _day("2025-11-20"), layout),
        Extended(23, _day("2021-02-01"), _day("2025-09-01"), layout),
        Extended(19, _day("2016-08-01"), _day("2024-11-25"), layout),
        Extended(24, _day("2012-03-01"), _day("2020-08-31"), "one_line"),
    )
    return Person(number, (packages[number % len(packages)],))


def _peculiar_people() -> Iterator[tuple[str, Callable[[int], Person]]]:
    account_year = Account(_day("2024-09-01"), _day("2025-08-31"))
    lifetime = Extended(23, _day("2019-01-01"), _day("2025-09-15"), "pretty")

    def add(what: str, person: Person) -> tuple[str, Callable[[int], Person]]:
        return what, lambda number: replace(person, number=number)

    yield add(
        "both packages: account data, and an extended history of the same time with a hole",
        Person(1, (account_year, Extended(23, _day("2022-01-01"), _day("2025-03-31"), "pretty"))),
    )
    yield add(
        "two requests of overlapping extended histories, 19 and 23 fields",
        Person(
            2,
            (
                Extended(19, _day("2019-01-01"), _day("2024-11-20")),
                Extended(23, _day("2019-01-01"), _day("2025-09-15"), "pretty"),
            ),
        ),
    )
    yield add(
        "an endsong export without URIs, and a later one with them",
        Person(
            3,
            (
                Extended(24, _day("2014-01-01"), _day("2020-09-01")),
                Extended(21, _day("2014-01-01"), _day("2023-04-01"), "pretty"),
            ),
        ),
    )
    yield add("gave no consent", Person(4, (lifetime,), events=()))
    yield add("withdrew", Person(5, (lifetime,), events=("granted", "withdrawn")))
    yield add(
        "grants neither podcasts nor private sessions",
        Person(6, (lifetime,), purposes="listening_history demographics emotion_reports", private_share=0.1),
    )
    yield add(
        "consents to 2021 and 2022 only", Person(7, (lifetime,), history_from="2021-01-01", history_to="2022-12-31")
    )
    yield add(
        "took back all purposes but listening and emotion reports",
        Person(8, (lifetime,), events=("granted", "amended")),
    )
    yield add("account data in the new files, podcasts and audiobooks apart", Person(9, (account_year,)))
    yield add("account data in the old files", Person(10, (replace(account_year, is_old=True),)))
    yield add("a file of the donation is cut off", Person(11, (lifetime,), spoil=("cut_off",)))
    yield add(
        "some rows are impossible",
        Person(12, (Extended(21, _day("2017-01-01"), _day("2023-06-01")),), spoil=("bad_rows",)),
    )
    yield add("an unpacked folder", Person(13, (lifetime,), as_folder=True))
    yield add("loose files", Person(14, (lifetime,), as_loose_files=True))
    yield add("the wrong package", Person(15, (lifetime,), spoil=("wrong_package",)))
    yield add("a zip in a zip in a zip", Person(16, (lifetime,), spoil=("nested",)))
    yield add("no time zone at enrolment", Person(17, (lifetime,), time_zone_known=False))
    yield add(
        "grants no demographics",
        Person(18, (lifetime,), purposes="listening_history podcasts_audiobooks private_sessions emotion_reports"),
    )
    yield add(
        "files saved again by a spreadsheet",
        Person(19, (Extended(21, _day("2016-01-01"), _day("2023-01-01"), "resaved"),)),
    )
    yield add("consents, but was never enrolled", Person(20, (lifetime,), enrolled=False))
    yield add("a file with a wrong checksum", Person(21, (lifetime,), spoil=("wrong_crc",)))
    yield add("video history only, beside a full one", Person(22, (replace(lifetime, video_only=True), lifetime)))
    yield add(
        "grants listening history, but no emotion reports",
        Person(23, (lifetime,), purposes="listening_history podcasts_audiobooks demographics"),
    )


_PECULIAR: list[tuple[str, Callable[[int], Person]]] = list(_peculiar_people())
