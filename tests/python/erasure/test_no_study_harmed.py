"""Whoever is in a study, everybody can go: in any order, with whatever codes, purposes, times and donations.

Small studies are drawn by a seed. Each is loaded and built, everybody withdraws in random order, then a backup
of the vault is put back and the withdrawals are replayed. One is tried; ``CONSONANCE_TEST_STUDIES`` says
how many, ``CONSONANCE_TEST_FIRST_STUDY`` from which seed on, so that processes side by side try different ones.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import SmallStudy, account_play, lay_out_small, play

from consonance.consent.state import PURPOSES
from consonance.erasure.planning import plan, plan_replay
from consonance.erasure.record import pending
from consonance.erasure.withdrawal import Withdrawal, withdraw
from consonance.study.dbt_command import PARSED, PROJECT
from consonance.study.tombstones import StaleBackup

STUDIES = int(os.environ.get("CONSONANCE_TEST_STUDIES", "1"))
FIRST = int(os.environ.get("CONSONANCE_TEST_FIRST_STUDY", "4"))
NOW = datetime(2026, 2, 1, 12)
# Few moments, so that they are often equal: of consent, of enrolment, of plays and of answers of different people.
MOMENTS = [
    datetime(2025, 1, 1, 10, tzinfo=UTC),
    datetime(2025, 1, 2, tzinfo=UTC),
    datetime(2025, 3, 1, 8, 30, 15, tzinfo=UTC),
]
CODES = (
    "21",
    "7",
    "007",
    "1001",
    "20250101",
    "anna",
    "Bo",
    "P1",
    "P11",
    "p1",
    "S.01.x",
    "female",
    "library",
    "v1",
    "a_b-c",
)
TITLES = ("A Track", "21", "v1", "Anna", "happy", "affect_grid", "P1")


@dataclass
class Person:
    """A participant, and what only they gave: texts that nobody else has, however often the dice fall."""

    code: str
    username: str
    purposes: tuple[str, ...]
    own: set[str] = field(default_factory=set)
    moments: set[datetime] = field(default_factory=set)


@pytest.fixture(scope="module", autouse=True)
def _folders_of_dbt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """dbt's artifacts lie where others have files too."""
    place = tmp_path_factory.mktemp("dbt")
    for name in ("target/thesis.txt", "target/compiled/other/model.sql", "target/run/notes.md", "logs/mine.log"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text("not ours")
    if (PROJECT / "target" / PARSED).exists():
        shutil.copyfile(PROJECT / "target" / PARSED, place / "target" / PARSED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBT_TARGET_PATH", str(place / "target"))
        patch.setenv("DBT_LOG_PATH", str(place / "logs"))
        yield place
    for path in place.rglob("*"):
        assert not path.is_file() or path.suffix not in (".txt", ".md") or path.read_text() == "not ours"
    assert all(
        (place / name).exists() for name in ("target/thesis.txt", "target/compiled/other/model.sql", "logs/mine.log")
    )


def drawn(dice: random.Random, root: Path) -> tuple[SmallStudy, list[Person]]:
    """A study of 1 to 5 people."""
    study = lay_out_small(root)
    people = []
    for code in dice.sample(CODES, dice.choice((1, 1, 1, 2, 2, 2, 3, 3, 4, 5))):
        granted = tuple(purpose for purpose in PURPOSES if dice.random() < 0.6)
        if dice.random() < 0.8:
            granted = tuple({"listening_history": 0} | dict.fromkeys(granted))
        username = dice.choice((code, f"user-{dice.getrandbits(40):010x}", f"User.{dice.getrandbits(40):010x}"))
        people.append(Person(code, username, granted))
    for person in people:
        _enter(dice, study, person)
        _donate(dice, study, person, people)
        _answer(dice, study, person)
    return study, people


def _enter(dice: random.Random, study: SmallStudy, person: Person) -> None:
    """Lines of enrolment and consent; now and then somebody has none, or takes something back."""
    moment = dice.choice(MOMENTS)
    if dice.random() < 0.95:
        enrolled = dice.choice(("", moment.isoformat(), moment.date().isoformat(), dice.choice(MOMENTS).isoformat()))
        values = (dice.choice(("", "1990", "1955")), dice.choice(("", "female", "other", "none of these")))
        zone = dice.choice(("DE,Europe/Berlin", ",", "JP,", ",Pacific/Apia"))
        with study.study.participants_path.open("a") as file:
            file.write(f"{person.code},{values[0]},{values[1]},{zone},{enrolled}\n")
    if dice.random() < 0.95:
        window = dice.choice((("", ""), ("2023-01-01", ""), ("", "2023-05-02"), ("2023-05-01", "2023-05-02")))
        study.consent(person.code, " ".join(person.purposes), at=moment.isoformat(), history=window)
        if dice.random() < 0.3:
            kept = " ".join(purpose for purpose in person.purposes if dice.random() < 0.7)
            later = moment + timedelta(days=dice.choice((0, 1, 30)))
            study.consent(
                person.code, kept, event=dice.choice(("amended", "amended", "withdrawn")), at=later.isoformat()
            )


def _donate(dice: random.Random, study: SmallStudy, person: Person, people: list[Person]) -> None:
    """An extended history, an account history, both, or nothing; titles of one's own, of all, and with others' names."""
    kind = dice.choice(("extended", "account", "both", "both", "none"))
    moments = [MOMENTS[0] - timedelta(days=600) + timedelta(minutes=10 * dice.randrange(40)) for _ in range(6)]
    person.moments |= {moment.replace(tzinfo=None) for moment in moments}
    if kind in ("extended", "both"):
        rows = []
        for number, moment in enumerate(moments):
            own = f"Only {dice.getrandbits(48):012x}"
            person.own.add(own)
            named = f"for {dice.choice(people).username}, with love"
            title = dice.choice((own, own, dice.choice(TITLES), named))
            uri = f"spotify:track:{dice.getrandbits(100):022d}"[:36] if title == own else None
            if uri:
                person.own.add(uri)
            rows.append(
                play(
                    moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    60_000 + number,
                    username=person.username,
                    master_metadata_track_name=title,
                    spotify_track_uri=uri,
                    incognito_mode=dice.random() < 0.2,
                )
            )
        rows.append(play("never", master_metadata_track_name=f"Only {person.code} rejected"))
        study.donate(person.code, rows, f"{person.username}.zip")
    if kind in ("account", "both"):
        own = f"Only {dice.getrandbits(48):012x}"
        person.own.add(own)
        rows = [
            account_play(moment.strftime("%Y-%m-%d %H:%M"), 60_000 + number, dice.choice((own, *TITLES)))
            for number, moment in enumerate(moments)
        ]
        study.donate(person.code, rows, "account.zip", "MyData/StreamingHistory0.json")
    if dice.random() < 0.2:
        uri = f"spotify:track:{dice.getrandbits(100):022d}"[:36]
        person.own.add(uri)
        library = {"tracks": [{"artist": "A", "album": "B", "track": "C", "uri": uri}]}
        study.donate(person.code, library, "library.zip", "MyData/YourLibrary.json")
    if dice.random() < 0.2:
        folder = study.study.inbox / person.code / "linked"
        folder.mkdir(parents=True)
        (folder / "away").symlink_to(study.root.parent / "outside", target_is_directory=True)


def _answer(dice: random.Random, study: SmallStudy, person: Person) -> None:
    if dice.random() < 0.5:
        path = study.study.surveys / "grid.csv"
        if not path.exists():
            path.write_text("participant_code,answered_at,instrument,item,answer\n")
        with path.open("a") as file:
            for item in ("pleasure", "arousal"):
                moment = MOMENTS[0] - timedelta(days=600) + timedelta(hours=dice.randrange(5))
                person.moments.add(moment.replace(tzinfo=None))
                file.write(f"{person.code},{moment.isoformat()},affect_grid,{item},{dice.randrange(1, 10)}\n")


def kept_texts(study: SmallStudy) -> set[str]:
    """Every text of every table of vault and warehouse, but the names of the tables."""
    texts: set[str] = set()
    with study.opened(warehouse=True) as connection:
        for database, schema, table, column, kind in connection.execute(
            "select database_name, schema_name, table_name, column_name, data_type from duckdb_columns() "
            "where database_name in ('vault', 'warehouse') and not internal and data_type in ('VARCHAR', 'VARCHAR[]')"
        ).fetchall():
            if (schema, table) in (("raw", "made_relations"), ("raw", "secrets")):
                continue
            value = f'unnest("{column}")' if kind.endswith("[]") else f'"{column}"'
            found = connection.execute(f'select distinct {value} from {database}."{schema}"."{table}"').fetchall()
            texts |= {text for (text,) in found if text is not None}
    return texts


def kept_moments(study: SmallStudy) -> set[datetime]:
    """Every moment of every table of the vault: those of the warehouse are on other clocks."""
    moments: set[datetime] = set()
    with study.opened() as connection:
        for schema, table, column in connection.execute(
            "select schema_name, table_name, column_name from duckdb_columns() "
            "where database_name = 'vault' and not internal and data_type = 'TIMESTAMP'"
        ).fetchall():
            found = connection.execute(f'select distinct "{column}" from vault."{schema}"."{table}"').fetchall()
            moments |= {moment for (moment,) in found}
    return moments


def keys(study: SmallStudy) -> set[str]:
    """Whose rows there are, in any table of the vault that has persons by code or by number."""
    found: set[str] = set()
    with study.opened() as connection:
        for table, key in connection.execute(
            "select table_name, column_name from duckdb_columns() inner join duckdb_tables() using (database_name, schema_name, table_name) "
            "where database_name = 'vault' and schema_name = 'raw' and column_name in ('participant_code', 'participant_no')"
        ).fetchall():
            code = (
                "participant_code"
                if key == "participant_code"
                else "coalesce(participant_code, cast(participant_no as varchar))"
            )
            source = f"vault.raw.{table}" + (
                " left join vault.raw.keyring using (participant_no)" * (key == "participant_no" and table != "keyring")
            )
            found |= {str(name) for (name,) in connection.execute(f"select distinct {code} from {source}").fetchall()}
    return found


def tree(folder: Path) -> dict[str, Any]:
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes() if path.is_file() else None, path.stat().st_mode)
        for path in sorted(folder.rglob("*"))
    }


def assert_gone(study: SmallStudy, gone: list[Person], left: list[Person]) -> None:
    texts = kept_texts(study)
    held = "\n".join(texts)
    moments = kept_moments(study) - {moment for person in left for moment in person.moments}
    assert not keys(study) & {person.code for person in gone}
    theirs = {person.username for person in left} | {person.code for person in left}
    for person in gone:
        assert not person.own & texts and not person.moments & moments
        if len(person.username) >= 8 and person.username not in theirs:
            assert person.username.lower() not in held.lower()
        assert not (study.study.inbox / person.code).exists()
    # Neither names nor contents of the operator's files: a short code is looked for as a cell of a table.
    for path in study.root.rglob("*"):
        if not path.is_file() or path.is_symlink() or study.study.inbox in path.parents or path.suffix == ".duckdb":
            continue
        content = path.read_bytes().decode("utf-8", "replace")
        for person in gone:
            assert path.stem != person.code or person.code in theirs
            assert not any(own in content for own in person.own), path
            if len(person.username) >= 8 and person.username not in theirs:
                assert person.username not in content, path
            if path.suffix == ".csv" and path != study.study.notices_path:
                cells = {line.split(",")[0] for line in content.splitlines()}
                assert person.code not in cells, path


def assert_certified(withdrawal: Withdrawal, gone: list[Person]) -> None:
    """The certificate says that nothing is left, on paper too, and names nobody."""
    text = withdrawal.certificate.read_text()
    stated = json.loads(text)
    assert stated["search"]["passed"] and withdrawal.page.exists()
    assert all(row["after"] == 0 for row in stated["rows"])
    assert not any(own in text for person in gone for own in person.own)
    assert not any(person.username in text for person in gone if len(person.username) >= 8)


@pytest.mark.parametrize("seed", range(FIRST, FIRST + STUDIES))
def test_everybody_can_go_and_nothing_else_goes(seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)
    for name in ("outside/thesis.txt", "outside/inbox/P1/export.zip", "outside/21", "study-2/vault.duckdb"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("not ours")
    beside = {name: tree(tmp_path / name) for name in ("outside", "study-2")}
    study, people = drawn(dice, tmp_path / "study")
    study.load()
    if dice.random() < 0.9:
        study.dbt("run")
    # A user name that no landed file tells is known to nobody here: in others' titles it is a word like any other.
    known = {name.lower() for (name,) in study.vault("select distinct unnest(usernames) from vault.raw.members")}
    for person in people:
        if person.username.lower() not in known:
            person.username = ""
    # The search is not blind: what was landed is found before.
    own = study.vault("select distinct track_name from vault.raw.extended_plays where track_name like 'Only %'")
    if study.study.warehouse_path.exists():
        assert {title for (title,) in own} <= kept_texts(study)
    assert {title for (title,) in own} <= {title for person in people for title in person.own}
    backup = tmp_path / "backup.duckdb"
    shutil.copyfile(study.study.vault_path, backup)

    gone: list[Person] = []
    order = dice.sample(people, len(people))
    for person in order:
        withdrawal = withdraw(study.study, plan(study.study, person.code, NOW))
        gone.append(person)
        assert pending(study.study) is None
        assert_certified(withdrawal, gone)
        study.load()
        assert_gone(study, gone, [other for other in people if other not in gone])
    assert len(list(study.study.withdrawals.glob("*.json"))) == len(people)

    shutil.copyfile(backup, study.study.vault_path)
    with pytest.raises(StaleBackup):
        study.load()
    replayed = withdraw(study.study, plan_replay(study.study))
    assert pending(study.study) is None
    assert_certified(replayed, gone)
    assert_gone(study, gone, [])
    study.load()
    assert beside == {name: tree(tmp_path / name) for name in beside}
