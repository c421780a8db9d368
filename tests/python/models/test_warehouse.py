"""The warehouse that dbt builds: complete, independent of the order of loading, and clean."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pytest
from conftest import EVERYTHING, SmallStudy, as_zip, copy_project, play

from consonance.study.dbt_command import PROJECT, DbtFailed, run_dbt, target_folder
from consonance.study.folder import Study
from consonance.study.vault import open_study
from consonance.synthetic.planted import VALENCE_WITHIN
from consonance.synthetic.study import make_study

MARTS = (
    "participants",
    "plays",
    "sessions",
    "tracks",
    "track_genres",
    "daily_listening",
    "library",
    "emotion_prompts",
    "emotion_reports",
    "emotion_windows",
    "emotion_window_features",
    "training_examples",
    "training_sources",
    "feature_agreement",
    "feature_coverage",
    "feature_coverage_differences",
    "feature_coverage_of_participants",
)
RIGHT_OF_THE_WALL = ("anonymized", "sessionized", "features", "marts", "audit", "reference")


def contents(study: SmallStudy) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table right of the wall, in a total order."""
    with duckdb.connect(str(study.study.warehouse_path), read_only=True) as connection:
        tables = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables order by 1"
        ).fetchall()
        return {table: connection.execute(f"select * from {table} order by all").fetchall() for (table,) in tables}


def test_everything_of_the_design_is_there(demo: SmallStudy) -> None:
    tables = set(contents(demo))
    assert {f"marts.{mart}" for mart in MARTS} <= tables
    assert {
        "audit.row_accounting",
        "audit.consent_coverage",
        "reference.feature_sources",
        "anonymized.anon_plays",
        "sessionized.ses_plays",
    } <= tables
    assert {table.split(".")[0] for table in tables} == set(RIGHT_OF_THE_WALL)
    assert demo.warehouse("select count(*) from marts.plays")[0][0] > 40_000


def test_contracts_and_comments_reach_the_analyst(demo: SmallStudy) -> None:
    uncommented = demo.warehouse(
        "select table_name, column_name from duckdb_columns() where schema_name in ('marts', 'audit') and coalesce(comment, '') = ''"
        " union all select table_name, '' from duckdb_tables() where schema_name in ('marts', 'audit') and coalesce(comment, '') = ''"
    )
    assert uncommented == []


def test_loading_order_does_not_matter(tmp_path: Path) -> None:
    """At once, or backwards, one by one, and all twice: the keyring kept, the tables are the same to the row."""
    whole = tmp_path / "whole"
    make_study(whole, seed=3, people=12, plays=6_000)
    inbox = Study.find(whole).inbox
    donations = sorted(path for person in inbox.iterdir() for path in person.iterdir())
    empty = tmp_path / "empty"
    shutil.copytree(whole, empty, ignore=lambda folder, names: names if Path(folder) == inbox else [])
    SmallStudy(Study.find(empty)).load()  # draws the keyring, and finds nobody's donation

    def filled(name: str, steps: list[list[Path]]) -> dict[str, list[tuple[object, ...]]]:
        root = tmp_path / name
        shutil.copytree(empty, root)
        study = SmallStudy(Study.find(root))
        for step in steps:
            for path in step:
                target = study.study.inbox / path.relative_to(inbox)
                target.parent.mkdir(exist_ok=True)
                (shutil.copytree if path.is_dir() else shutil.copy)(path, target)
            study.load()
        study.load()
        study.dbt("run")
        return contents(study)

    at_once = filled("at once", [donations])
    assert sum(map(len, at_once.values())) > 8_000
    # Loose files land as one donation each time some are added: they are dropped in together.
    loose = [path for path in donations if path.suffix == ".json"]
    backwards = [[path] for path in reversed(donations) if path not in loose]
    assert filled("backwards", [*backwards[:3], loose, *backwards[3:]]) == at_once


def test_rebuilding_gives_the_same_tables(demo_copy: SmallStudy, tmp_path: Path) -> None:
    before = contents(demo_copy)
    said = run_dbt(demo_copy.study, "run", workspace=tmp_path)
    assert contents(demo_copy) == before
    # What dbt has parsed holds for other studies, and elsewhere.
    assert "partial pars" not in said


def test_rows_are_accounted_for_person_by_person(demo: SmallStudy, demo_copy: SmallStudy) -> None:
    with demo.opened(warehouse=True) as connection:
        told = dict(
            connection.execute(
                "select participant_code, sum(rows)::bigint from warehouse.audit.row_accounting inner join vault.raw.keyring on pseudonym = participant_id group by all"
            ).fetchall()
        )
        landed = dict(
            connection.execute(
                "select participant_code, sum(landed)::bigint from vault.raw.members inner join vault.raw.keyring using (participant_no) group by all"
            ).fetchall()
        )
    assert told == landed and len(landed) > 30
    again = demo_copy.load().as_json()["participants"]
    assert {code for code, person in again.items() if person["rows_already"]} == landed.keys()


def test_purposes_work_one_by_one_and_can_be_taken_back(small: SmallStudy) -> None:
    """Purpose by purpose: with it the rows are there, without it none is right of the wall; taken back, they go."""
    rows = [
        play("2023-05-01T10:00:00Z"),
        play("2023-05-01T11:00:00Z", incognito_mode=True),
        play(
            "2023-05-01T12:00:00Z",
            spotify_track_uri=None,
            master_metadata_track_name=None,
            master_metadata_album_artist_name=None,
            episode_name="E",
            episode_show_name="S",
        ),
    ]
    people = {
        "ALL": EVERYTHING,
        "LISTEN": "listening_history",
        "PODCASTS": "listening_history podcasts_audiobooks",
        "PRIVATE": "listening_history private_sessions",
        "DEMO": "listening_history demographics",
        "REPORTS": "emotion_reports",
    }
    survey = ["participant_code,answered_at,instrument,item,answer"]
    for code, purposes in people.items():
        small.admit(code, purposes=purposes)
        small.donate(code, rows)
        survey += [f"{code},2023-05-01T13:00:00+00:00,affect_grid,{item},7" for item in ("valence", "arousal")]
    (small.study.surveys / "s.csv").write_text("\n".join(survey) + "\n")

    def layers() -> dict[str, tuple[int, int, int, int, bool]]:
        small.load()
        small.dbt("run")
        with small.opened(warehouse=True) as connection:
            return {
                code: tuple(counts)  # type: ignore[misc]
                for code, *counts in connection.execute(
                    """
                    select
                        participant_code,
                        (select count(*) from warehouse.marts.plays where participant_id = pseudonym),
                        (select count(*) from warehouse.marts.plays where participant_id = pseudonym and content_type = 'episode'),
                        (select count(*) from warehouse.marts.plays where participant_id = pseudonym and is_private_session),
                        (select count(*) from warehouse.marts.emotion_reports where participant_id = pseudonym),
                        (select count(coalesce(age_band, gender, country)) > 0 from warehouse.marts.participants where participant_id = pseudonym)
                        or (select count(country) > 0 from warehouse.marts.plays where participant_id = pseudonym)
                    from vault.raw.keyring
                    """
                ).fetchall()
            }

    assert layers() == {
        "ALL": (3, 1, 1, 1, True),
        "LISTEN": (1, 0, 0, 0, False),
        "PODCASTS": (2, 1, 0, 0, False),
        "PRIVATE": (2, 0, 1, 0, False),
        "DEMO": (1, 0, 0, 0, True),
        "REPORTS": (0, 0, 0, 1, False),
    }
    small.consent("ALL", "listening_history", event="amended", at="2025-06-01T00:00:00+00:00")
    small.consent("PODCASTS", "", event="withdrawn", at="2025-06-01T00:00:00+00:00")
    taken_back = layers()
    assert taken_back["ALL"] == (1, 0, 0, 0, False)
    assert taken_back["PODCASTS"] == (0, 0, 0, 0, False)
    everywhere = "union all ".join(
        f"select participant_id from warehouse.{table} "
        for table, columns in _columns(small).items()
        if "participant_id" in columns
    )
    with small.opened(warehouse=True) as connection:
        gone = connection.execute(
            "select pseudonym from vault.raw.keyring where participant_code = 'PODCASTS'"
        ).fetchall()[0][0]
        assert connection.execute(
            f"select count(*) from ({everywhere}) where participant_id = ?", [gone]
        ).fetchall() == [(0,)]
        # What was landed of whoever withdrew is accounted for, without a name.
        assert connection.execute(
            "select fate, rows from warehouse.audit.row_accounting where participant_id = 'no active consent'"
        ).fetchall() == [("purpose_not_granted", 3)]


def _columns(study: SmallStudy) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for table, column in study.warehouse(
        "select table_schema || '.' || table_name, column_name from information_schema.columns"
    ):
        found.setdefault(table, set()).add(column)
    return found


def test_no_identifier_occurs_in_any_value(demo: SmallStudy) -> None:
    """Every text of every table, against everything that the exports and the vault call people by."""
    forbidden = {
        "an e-mail address": r"[^\s@]+@[^\s@]+\.\w{2,}",
        "an IP address": r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b",
        "a user name": r"(?i)listener-\d+-q7x",
        "a participant code": r"\bD0\d\d\b",
        "a device": r"SM-G950F|iPhone11|API 28|10\.0\.19042|chrome 80|Chromecast;",
        "what was typed": r"spotify:local|Voice memo for|Main Street|Springfield",
    }
    counts = ", ".join(f"count(*) filter (where regexp_matches(value, '{one}'))" for one in forbidden.values())
    seen = 0
    for table, columns in _columns(demo).items():
        values = " union all ".join(
            f"select distinct '{one}' as name, \"{one}\"::varchar as value from {table}" for one in columns
        )
        for name, count, *found in demo.warehouse(f"select name, count(value), {counts} from ({values}) group by name"):
            assert not any(found), (table, name, dict(zip(forbidden, found, strict=True)))
            seen += count
    assert seen > 10_000


def test_times_are_shifted_by_whole_weeks_and_intervals_kept(demo: SmallStudy) -> None:
    """Against the vault: a session starts by the clock of its zone; within it times are as far apart as in UTC."""
    with demo.opened(warehouse=True) as connection:
        sessions = connection.execute(
            """
            with truths as (
                select
                    sessions.participant_id, sessions.session_id, sessions.started_at_local, sessions.ended_at_local, sessions.duration_ms,
                    min(fates.started_ms) as started_ms, max(fates.ended_ms) as ended_ms,
                    min_by(fates.start_offset_ms, fates.started_ms) as offset_ms, any_value(keyring.shift_weeks) as shift_weeks,
                    bool_and(
                        epoch_ms(plays.started_at_local) - epoch_ms(sessions.started_at_local)
                        = clocks.started_elapsed_ms - firsts.started_elapsed_ms
                        and epoch_ms(plays.ended_at_local) - epoch_ms(plays.started_at_local) = plays.ms_played
                    ) as is_even
                from warehouse.marts.plays
                inner join warehouse.marts.sessions using (session_id)
                inner join warehouse.anonymized.anon_plays as clocks using (play_id)
                inner join warehouse.anonymized.anon_plays as firsts on firsts.play_id = plays.session_id
                inner join vault.raw.keyring on keyring.pseudonym = plays.participant_id
                inner join vault.intermediate.int_clock_origins as origins on origins.participant_no = keyring.participant_no
                inner join vault.intermediate.int_play_fates as fates
                    on
                        fates.participant_no = keyring.participant_no
                        and fates.fate = 'kept'
                        and fates.ended_ms - origins.origin_ms = clocks.ended_elapsed_ms
                        and fates.started_ms - origins.origin_ms = clocks.started_elapsed_ms
                group by all
            )
            select
                participant_id, shift_weeks, count(*), bool_and(is_even),
                list(distinct epoch_ms(started_at_local) - shift_weeks * 604800000::bigint - started_ms - offset_ms),
                list(distinct epoch_ms(ended_at_local) - epoch_ms(started_at_local) - ended_ms + started_ms),
                list(distinct duration_ms - ended_ms + started_ms)
            from truths
            group by all
            """
        ).fetchall()
    assert len(sessions) > 30
    assert sum(number for _, _, number, *_ in sessions) == demo.warehouse("select count(*) from marts.sessions")[0][0]
    for _, weeks, _, is_even, *wrong in sessions:
        assert weeks != 0 and is_even and wrong == [[0], [0], [0]]


def test_no_elapsed_clock_is_in_the_marts(demo: SmallStudy) -> None:
    assert demo.warehouse("select count(*) from duckdb_columns() where schema_name = 'anonymized' and column_name like '%elapsed%'") == [(5,)]  # fmt: skip
    assert demo.warehouse("select * from duckdb_columns() where schema_name = 'marts' and column_name like '%elapsed%'") == []  # fmt: skip
    # Times since something are differences of local times: they say nothing that these do not say.
    since = demo.warehouse("select distinct column_name from duckdb_columns() where schema_name = 'marts' and column_name like 'ms_since%'")  # fmt: skip
    assert set(since) == {("ms_since_last_play",), ("ms_since_previous_report",)}
    assert demo.warehouse(
        """
        select count(*)
        from marts.emotion_windows as windows
        where
            emotion_window = 'before_60m'
            and ms_since_last_play < 604800000
            and not exists (
                from marts.plays
                where
                    plays.participant_id = windows.participant_id
                    and epoch_ms(reported_at_local) - epoch_ms(ended_at_local) = ms_since_last_play
            )
        """
    ) == [(0,)]


def test_local_times_agree_with_the_zone_database(demo: SmallStudy) -> None:
    """The tabulated offsets against Python's zone data, on changes of the clock too."""
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    with demo.opened() as connection:
        rows = connection.execute(
            """
            select time_zone, ended_ms, end_offset_ms from vault.intermediate.int_play_fates
            inner join vault.intermediate.int_listeners using (participant_no)
            where month(make_timestamp_ms(ended_ms)) in (3, 10, 11)
            """
        ).fetchall()
    assert len(rows) > 5_000
    for zone, ended_ms, offset_ms in rows:
        offset = datetime.fromtimestamp(ended_ms / 1000, UTC).astimezone(ZoneInfo(zone)).utcoffset()
        assert offset is not None and offset.total_seconds() * 1000 == offset_ms, (zone, ended_ms)


def test_the_planted_relation_is_recovered_by_one_query(demo: SmallStudy) -> None:
    (reports, participants, _, slope_from, slope_to), *_ = run_analysis(demo, "music_valence_and_reported_valence")
    assert reports > 500
    assert participants > 20
    assert 0 < slope_from <= VALENCE_WITHIN <= slope_to


def run_analysis(study: SmallStudy, name: str) -> list[tuple[object, ...]]:
    compiled = target_folder() / "compiled" / "consonance" / "analyses" / f"{name}.sql"
    return study.warehouse(compiled.read_text(encoding="utf-8"))  # type: ignore[return-value]


@pytest.fixture(scope="module", autouse=True)
def _compiled(demo: SmallStudy) -> None:
    demo.dbt("compile", "--select", "resource_type:analysis")


@pytest.mark.parametrize("name", sorted(path.stem for path in (PROJECT / "analyses").glob("*.sql")))
def test_every_analysis_has_an_answer(demo: SmallStudy, name: str) -> None:
    rows = run_analysis(demo, name)
    assert rows
    assert all(any(value is not None for value in row) for row in rows)


def test_each_analysis_is_named_by_the_exposure_that_reads_what_it_reads() -> None:
    manifest = json.loads((target_folder() / "manifest.json").read_text())
    read = {
        node["name"]: set(node["depends_on"]["nodes"])
        for node in manifest["nodes"].values()
        if node["resource_type"] == "analysis"
    }
    exposed = {
        name: set(exposure["depends_on"]["nodes"])
        for exposure in manifest["exposures"].values()
        for name in exposure["config"]["meta"].get("analyses", [])
    }
    assert len(read) == 12 and read.keys() == exposed.keys()
    assert all(read[name] <= exposed[name] for name in read)


def test_the_measures_are_what_they_are_called(demo: SmallStudy) -> None:
    """Counted once more from the plays and sessions of each participant, one by one."""
    plays = defaultdict(list)
    for person, *columns in demo.warehouse(
        "select participant_id, ms_played, is_counted, is_skip, is_shuffle, content_type, track_id, valence from marts.plays"
    ):
        plays[person].append(columns)
    sessions = defaultdict(list)
    for person, duration, count in demo.warehouse("select participant_id, duration_ms, plays from marts.sessions"):
        sessions[person].append((duration, count))
    for (
        person,
        counted,
        tracks,
        minutes,
        skips,
        shuffles,
        per_track,
        valence,
        known,
        length,
        per_session,
    ) in run_analysis(demo, "listening_measures"):
        theirs = plays.pop(person)
        music = [play for play in theirs if play[4] == "track"]
        with_valence = [play for play in theirs if play[6] is not None]
        assert counted == sum(play[0] >= 30_000 for play in theirs)
        assert tracks == len({play[5] for play in music} - {None})
        expected = [
            (minutes, sum(play[0] for play in theirs), 60_000, 0.1),
            (skips, *_known(play[2] for play in theirs), 0.001),
            (shuffles, *_known(play[3] for play in theirs), 0.001),
            (per_track, sum(play[5] is not None for play in music), tracks, 0.01),
            (valence, sum(play[6] * play[0] for play in with_valence), sum(play[0] for play in with_valence), 0.001),
            (known, sum(play[0] for play in music if play[6] is not None), sum(play[0] for play in music), 0.001),
            (length, sum(duration for duration, _ in sessions[person]), len(sessions[person]) * 60_000, 0.1),
            (per_session, sum(count for _, count in sessions[person]), len(sessions[person]), 0.1),
        ]
        for place, (found, part, whole, step) in enumerate(expected):
            assert found is None if not whole else abs(float(found) - float(part) / float(whole)) <= step, (
                person,
                place,
            )
    assert not plays


def _known(flags: Iterable[bool | None]) -> tuple[int, int]:
    """How many of the known ones are true, and how many are known."""
    known = [flag for flag in flags if flag is not None]
    return sum(known), len(known)


def test_analyses_read_marts_and_audit_only() -> None:
    for path in (target_folder() / "compiled" / "consonance" / "analyses").glob("*.sql"):
        assert set(re.findall(r'"warehouse"\."(\w+)"', path.read_text())) <= {"marts", "audit"}, path


def test_nothing_right_of_the_wall_reads_left_of_it(demo: SmallStudy) -> None:
    """Only the models at the wall name a relation of the vault."""
    manifest = json.loads((target_folder() / "manifest.json").read_text())
    readers = {}
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model" and node["database"] != "vault":
            for parent in node["depends_on"]["nodes"]:
                if (
                    manifest["nodes"].get(parent, manifest["sources"].get(parent, {"database": ""}))["database"]
                    == "vault"
                ):
                    readers.setdefault(node["schema"], set()).add(node["name"])
    assert set(readers) == {"anonymized"}
    assert all(name.startswith("anon_") for name in readers["anonymized"])


def test_every_staging_column_has_a_privacy_class() -> None:
    manifest = json.loads((target_folder() / "manifest.json").read_text())
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model" and node["schema"] == "staging":
            for column in node["columns"].values():
                assert column["config"]["meta"].get("privacy") in ("direct", "quasi", "open"), (
                    node["name"],
                    column["name"],
                )


def test_every_model_and_column_of_the_marts_is_described() -> None:
    manifest = json.loads((target_folder() / "manifest.json").read_text())
    for node in manifest["nodes"].values():
        if node["resource_type"] in ("model", "seed"):
            assert node["description"], node["name"]
        if node["resource_type"] == "model" and node["schema"] in ("marts", "audit"):
            assert node["config"]["contract"]["enforced"], node["name"]
            assert all(column["description"] and column["data_type"] for column in node["columns"].values()), node[
                "name"
            ]


def test_dbt_on_a_folder_without_a_study_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DbtFailed) as error:
        run_dbt(Study(tmp_path), "run")
    assert "consonance init" in error.value.output


@pytest.mark.thorough
def test_a_private_model_cannot_be_read_from_the_marts(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    copy_project(checkout)
    (checkout / "models" / "marts" / "leak.sql").write_text("select participant_code from {{ ref('int_listeners') }}")
    done = subprocess.run(
        [Path(sys.executable).with_name("dbt"), "parse", "--target-path", "target"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "private to the 'vault' group" in done.stdout


def test_local_files_and_titles_that_name_people_pass_without_their_names(small: SmallStudy) -> None:
    nothing = {"episode_name": None}
    small.admit("P1")
    as_zip(
        small.study.inbox / "P1" / "x.zip",
        {
            "a.json": [
                play(
                    "2023-05-01T10:00:00Z",
                    spotify_track_uri="spotify:local:Jane+Doe:Demos:Lullaby:180",
                    master_metadata_track_name="Lullaby",
                    **nothing,
                ),
                play(
                    "2023-05-01T10:10:00Z",
                    spotify_track_uri=None,
                    master_metadata_track_name="Message for some-listener",
                ),
                play("2023-05-01T10:20:00Z", master_metadata_track_name="Write to jane@mail.example"),
                play(
                    "2023-05-01T10:30:00Z",
                    spotify_track_uri=None,
                    master_metadata_track_name="A Public Song",
                    reason_end="call 555 1234567",
                ),
            ]
        },
    )
    small.load()
    small.dbt("run")
    tracks = small.warehouse("select title, is_private, spotify_uri from marts.tracks order by all")
    assert tracks == [
        ("A Public Song", False, None),
        (None, False, "spotify:track:0000000000000000000001"),
        (None, True, None),
        (None, True, None),
    ]
    assert small.warehouse("select count(*) from marts.plays where track_id is not null") == [(4,)]
    assert small.warehouse("select count(*) from marts.plays where reason_end = 'other'") == [(1,)]


@pytest.mark.thorough
def test_only_what_an_earlier_version_made_is_dropped(small: SmallStudy) -> None:
    """An analyst's own tables stay; a table that no model makes any more goes, in a run of everything alone."""
    small.admit("P1")
    small.donate("P1", [play()])
    small.load()
    small.dbt("run")
    with duckdb.connect(str(small.study.warehouse_path)) as connection:
        connection.execute("create table marts.my_own as select count(*) as plays from marts.plays")
        connection.execute("create table marts.former as select * from marts.plays")
        connection.execute("create view audit.former_view as select 1 as one")
    with open_study(small.study) as connection:
        connection.execute(
            "insert into vault.raw.made_relations values ('warehouse', 'marts', 'former'), ('warehouse', 'audit', 'former_view')"
        )
    made = "select table_name from duckdb_tables() where table_name in ('my_own', 'former') union select view_name from duckdb_views() where view_name = 'former_view' order by 1"
    small.dbt("run", "--select", "int_known_names")
    assert small.warehouse(made) == [("former",), ("former_view",), ("my_own",)]
    small.dbt("run")
    assert small.warehouse(made) == [("my_own",)]
