"""Non-interference: who people are makes no difference right of the wall; whatever does is named."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest
from conftest import SmallStudy, lay_out_small, play

from consonance.checks.comparison import shares_values
from consonance.checks.non_interference import NothingToCompare, compare_studies, compare_with_paired_rebuild
from consonance.checks.paired_rebuild import COPIED, make_paired_study
from consonance.checks.relations.declared import RELATIONS
from consonance.study.folder import Study
from consonance.study.vault import attach_study, attach_vault, open_study, session_settings
from consonance.study.work_folders import OLD_PAIRED_REBUILD
from consonance.synthetic.people import DISGUISE
from consonance.synthetic.study import make_study


def test_the_paired_rebuild_of_the_synthetic_study_is_identical(demo: SmallStudy) -> None:
    before = sorted(path.name for path in demo.root.iterdir())
    # What a killed test of version 0.1 left is deleted.
    (demo.root / f"{OLD_PAIRED_REBUILD}none").mkdir()
    report = compare_with_paired_rebuild(demo.study)
    assert report.passed, report.differences
    assert report.relations_compared >= 20
    assert report.sampled_plays > 6_000
    assert [relation["passed"] for relation in report.details()["relations"]] == [True] * len(RELATIONS)
    assert report.rows > 100_000
    assert sorted(path.name for path in demo.root.iterdir()) == before


def test_the_paired_study_copies_listed_columns_and_nothing_else(demo_copy: SmallStudy, tmp_path: Path) -> None:
    marker = "canary4711"
    with open_study(demo_copy.study) as connection:
        connection.execute("alter table vault.raw.library_items add column playlist varchar default 'of Jane'")
        connection.execute("insert into vault.raw.library_items values (1, 'saved', 'spotify:track:1', 'of Joan')")
        connection.execute("create table vault.raw.beside as select 'Jane' as name")
    paired = SmallStudy(make_paired_study(demo_copy.study, tmp_path / "paired", marker))
    kept = {
        "extended_plays": "key_count, platform, track_uri, track_name, artist_name, album_name",
        "account_plays": "title, creator",
        "library_items": "'' as nothing",
    }
    assert set(kept) == set(COPIED)
    filled = {"study", "participants", "consent_events", "keyring", "donations", "members", "donation_members"}
    filled |= {"survey_answers", "survey_prompts", "secrets", "store_version", *kept}
    for schema, table in paired.vault(
        "select schema_name, table_name from duckdb_tables() where database_name = 'vault'"
    ):
        if schema != "main":
            assert schema == "raw" and table != "beside"
            assert bool(paired.vault(f"select * from vault.raw.{table} limit 1")) == (table in filled), table
    assert not paired.vault(
        "select * from duckdb_views() where database_name = 'vault' and schema_name <> 'raw' and not internal"
    )
    assert not paired.vault("select * from duckdb_columns() where column_name = 'playlist'")
    with duckdb.connect(config=session_settings()) as connection:
        attach_study(connection, demo_copy.study, read_only=True)
        attach_vault(connection, paired.study, "paired", read_only=True)
        for table, texts in kept.items():
            listed = ", ".join(
                column for column in COPIED[table] if column not in ("participant_no", *texts.split(", "))
            )
            both = [
                connection.execute(
                    f"select count(*), sum(hash({listed})), list(distinct participant_no order by participant_no) from {vault}.raw.{table}"
                ).fetchall()[0]
                for vault in ("vault", "paired")
            ]
            ((mirror,),) = connection.execute("select max(participant_no) + 1 from vault.raw.keyring").fetchall()
            assert both[0][:2] == both[1][:2], table
            assert sorted(mirror - number for number in both[1][2]) == both[0][2]
        told = connection.execute(
            "select distinct unnest([platform, track_name, artist_name, track_uri]) from paired.raw.extended_plays except select distinct unnest([platform, track_name, artist_name, track_uri]) from vault.raw.extended_plays"
        ).fetchall()
        assert len(told) > 20 and all(marker in text for (text,) in told)
        assert connection.execute(
            "select count(*) from paired.raw.extended_plays where platform not like '%canary4711%' and platform <> 'not_applicable'"
        ).fetchall() == [(0,)]


def test_the_same_people_in_disguise_give_the_same_warehouse(demo: SmallStudy, tmp_path: Path) -> None:
    """From the donated files on: other user names, addresses, devices, codes, upload names, another keyring."""
    made = make_study(tmp_path / "study", seed=7, people=40, plays=60_000, disguised=True)
    other = SmallStudy(Study.find(tmp_path / "study"))
    other.load()
    landed = "select (select count(*) from vault.raw.extended_plays) + (select count(*) from vault.raw.account_plays)"
    assert other.vault(landed) == demo.vault(landed)
    other.dbt("run")
    codes = [(f"D{number:03d}", f"T{number * 377 % 997:03d}") for number in range(1, made.people + 1)]
    assert DISGUISE in str(
        other.vault("select platform, usernames from vault.raw.extended_plays, vault.raw.members limit 999")
    )
    compared = compare_studies(demo.study, other.study, codes, DISGUISE)
    assert compared.passed, compared.differences


# A fault in the warehouse, as if a model had let it through, and what the comparison must say.
FAULTS = {
    "a user name as creator": (
        "update marts.tracks set creator = 'canary Q009'",
        ("marts.tracks", "creator"),
    ),
    "one column without its shift": (
        "update marts.plays set ended_at_local = ended_at_local + interval 1 week where play_id = (select min(play_id) from marts.plays)",
        ("marts.plays", "ended_at_local"),
    ),
    "values in another combination": (
        "update marts.plays set device_family = case device_family when 'android' then 'ios' else 'android' end",
        ("marts.plays", ""),
    ),
    "a person too few": (
        "delete from marts.participants where participant_id = (select min(participant_id) from marts.participants)",
        ("marts.participants", ""),
    ),
    "a table beside": ("create table marts.more as select 1 as one", ("marts.more", "")),
    "a comment": ("comment on column marts.tracks.title is 'as D024 wrote it'", ("marts.tracks", "")),
}


@pytest.fixture(scope="module")
def two_studies(tmp_path_factory: pytest.TempPathFactory) -> tuple[SmallStudy, SmallStudy]:
    """Two people who each use two devices, and the same two under other names; loaded and built."""
    studies = []
    for folder, codes in (("one", ("P001", "P002")), ("other", ("Q009", "Q003"))):
        made = lay_out_small(tmp_path_factory.mktemp(folder) / "study", "A study")
        for code in codes:
            made.admit(code)
            platforms = ("Android OS 9 API 28 (samsung, SM-G950F)", "iOS 13.4 (iPhone11,8)")
            made.donate(
                code,
                [
                    play(
                        f"2023-05-0{day}T10:00:00Z",
                        60_000 + day,
                        platform=platforms[day % 2],
                        username=f"canary {code}",
                    )
                    for day in range(1, 5)
                ],
            )
        made.load()
        made.dbt("run")
        studies.append(made)
    return studies[0], studies[1]


def compared(one: Study, other: Study) -> set[tuple[str, str]]:
    report = compare_studies(one, other, [("P001", "Q009"), ("P002", "Q003")], "canary")
    assert report.passed == (not report.differences)
    return {(found.relation, found.column) for found in report.differences}


def test_two_studies_of_the_same_people_are_identical(two_studies: tuple[SmallStudy, SmallStudy]) -> None:
    one, other = two_studies
    assert compared(one.study, other.study) == set()


@pytest.mark.parametrize("name", FAULTS)
def test_a_difference_is_named(two_studies: tuple[SmallStudy, SmallStudy], tmp_path: Path, name: str) -> None:
    one, other = two_studies
    shutil.copytree(other.root, tmp_path / "study")
    spoiled = Study.find(tmp_path / "study")
    fault, expected = FAULTS[name]
    with duckdb.connect(str(spoiled.warehouse_path)) as connection:
        connection.execute(fault)
    assert expected in compared(one.study, spoiled)


def test_an_id_that_needs_no_secret_is_named(two_studies: tuple[SmallStudy, SmallStudy], tmp_path: Path) -> None:
    spoiled = []
    for number, study in enumerate(two_studies):
        shutil.copytree(study.root, tmp_path / str(number))
        spoiled.append(Study.find(tmp_path / str(number)))
        with duckdb.connect(str(spoiled[-1].warehouse_path)) as connection:
            connection.execute(
                "update marts.plays set play_id = hash(ms_played, reason_end, device_family) % 1000000000"
            )
    assert ("marts.plays", "play_id") in compared(*spoiled)


def test_a_study_without_warehouse_is_reported(small: SmallStudy) -> None:
    with pytest.raises(NothingToCompare, match="dbt run"):
        compare_with_paired_rebuild(small.study)


def test_an_id_that_is_nowhere_is_guessed_by_nobody() -> None:
    """A column of ids may be empty on both sides; what both sides have can be guessed."""
    with duckdb.connect() as connection:
        for side in ("original", "rebuilt"):
            connection.execute(f"attach ':memory:' as {side}; create schema {side}.marts")
            connection.execute(f"create table {side}.marts.t as select null::bigint as session_id, 7 as report_id")
        assert not shares_values(connection, "marts.t", "session_id")
        assert shares_values(connection, "marts.t", "report_id")
