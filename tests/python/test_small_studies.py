"""Small and odd studies, made at random: everybody can leave, nothing of theirs stays, nothing else is touched.

``CONSONANCE_TEST_STUDIES`` says how many (3 if not set), ``CONSONANCE_TEST_SEED`` from which number on.
"""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import SmallStudy, account_play, lay_out_small, play
from test_codes import contents

from erasure.operation import pending
from erasure.withdrawal import Withdrawal, plan, plan_replay, withdraw
from loaders.consent import PURPOSES
from stores.tombstones import WithdrawalsForgotten

pytestmark = pytest.mark.usefixtures("artifacts_apart")

STUDIES = int(os.environ.get("CONSONANCE_TEST_STUDIES", "3"))
SEED = int(os.environ.get("CONSONANCE_TEST_SEED", "0"))
NOW = datetime(2026, 2, 1, 12)
CODES = {
    "digits": ("1", "2", "21", "007", "2024"),
    "letters": ("a", "anna", "bob", "library", "track"),
    "mixed": ("P1", "P2", "S.01", "x_1-y", "participant-0042"),
}
# Texts that mean something to the project, or are somebody's code.
WORDS = ("library", "listening_history", "exact", "kept", "21", "P1", "anna", "DE", "unknown", "affect_grid", "v1")
MOMENTS = ("2025-01-01T10:00:00+00:00", "2025-01-01T10:00:00+01:00", "2025-03-01T08:30:00.250+00:00")


@dataclass
class Person:
    """Somebody of a made study, and what only they have."""

    code: str
    texts: set[str] = field(default_factory=set)
    moments: set[datetime] = field(default_factory=set)


def make(study: SmallStudy, draw: random.Random) -> list[Person]:
    """Fill in a study of one to five people."""
    style = draw.choice(sorted(CODES))
    codes = draw.sample(CODES[style], draw.choices(range(1, 6), (40, 25, 20, 10, 5))[0])
    people = []
    answers = []
    for place, code in enumerate(codes):
        person = Person(code)
        people.append(person)
        consented = draw.choice(MOMENTS)
        enrolled = draw.choice(("", "2025-01-01", consented))
        gender, country = draw.choice(("female", "male", "diverse", "")), draw.choice(("DE", "JP", "US", ""))
        zone = draw.choice(("Europe/Berlin", "Asia/Tokyo", ""))
        with study.study.participants_path.open("a", encoding="utf-8") as file:
            file.write(f"{code},{draw.choice((1950, 1990, ''))},{gender},{country},{zone},{enrolled}\n")
        purposes = [purpose for purpose in PURPOSES if draw.random() < 0.6]
        if draw.random() < 0.85:
            purposes.append("listening_history")
        window = draw.choice((("", ""), ("2020-01-01", ""), ("2021-01-01", "2023-12-31")))
        if draw.random() < 0.95:
            study.consent(code, " ".join(dict.fromkeys(purposes)), at=consented, history=window)
        if draw.random() < 0.2:
            study.consent(code, "listening_history", event="amended", at="2025-06-01T10:00:00+00:00")
        names = [f"listener-{draw.getrandbits(40):x}", "some-listener", code]
        kind = draw.choice(("extended", "extended", "account", "both", "none"))
        if kind in ("extended", "both"):
            study.donate(code, [_extended(draw, person, place, draw.choice(names)) for _ in range(draw.randint(1, 8))])
        if kind in ("account", "both"):
            rows = [account_play(_minute(draw), 60_000, _text(draw, person)) for _ in range(draw.randint(1, 5))]
            study.donate(code, rows, "account.zip", "MyData/StreamingHistory0.json")
        if draw.random() < 0.3:
            tracks = {
                "tracks": [
                    {"artist": "A", "album": "B", "track": "C", "uri": f"spotify:track:{draw.getrandbits(60):022d}"}
                ]
            }
            study.donate(code, tracks, "library.zip", "MyData/YourLibrary.json")
        for _ in range(draw.choice((0, 0, 1, 3))):
            moment = draw.choice(("2023-05-01T11:00:00+00:00", f"{_minute(draw).replace(' ', 'T')}:00+02:00"))
            answers += [f"{code},{moment},affect_grid,{item},{draw.randint(1, 9)}" for item in ("valence", "arousal")]
    if answers:
        header = "participant_code,answered_at,instrument,item,answer\n"
        (study.study.surveys / "mood.csv").write_text(header + "\n".join(answers) + "\n", encoding="utf-8")
    return people


def _minute(draw: random.Random) -> str:
    return f"{datetime(2022, 1, 1) + timedelta(minutes=draw.randrange(1_000_000)):%Y-%m-%d %H:%M}"


def _text(draw: random.Random, person: Person) -> str:
    if draw.random() < 0.5:
        return draw.choice(WORDS)
    text = f"only {draw.getrandbits(48):x}"
    person.texts.add(text)
    return text


def _extended(draw: random.Random, person: Person, place: int, username: str) -> dict[str, Any]:
    if draw.random() < 0.3:
        moment = datetime(2023, 5, 1, 10)
    else:
        moment = datetime(2020, 1, 1) + timedelta(seconds=draw.randrange(100_000_000) * 5 + place)
        person.moments.add(moment)
    if username.startswith("listener-"):
        person.texts.add(username)
    uri = draw.choice((None, "spotify:track:0000000000000000000001", f"spotify:local:::{username}:60"))
    more = {"episode_name": _text(draw, person), "episode_show_name": "A Show"} if draw.random() < 0.2 else {}
    return play(
        f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        draw.choice((0, 29_999, 30_000, 60_000)),
        username=username,
        master_metadata_track_name=None if more else _text(draw, person),
        master_metadata_album_artist_name=None if more else draw.choice(("An Artist", username)),
        spotify_track_uri=None if more else uri,
        conn_country=draw.choice(("DE", "JP", "ZZ")),
        incognito_mode=draw.random() < 0.2,
        reason_end=draw.choice(("trackdone", "fwdbtn", "unexpected-exit")),
        **more,
    )


def is_left(study: SmallStudy, person: Person, pseudonym: str | None) -> list[str]:
    """Where something of ``person`` still lies: a look of its own at stores, tables and names of files."""
    found = []
    with study.opened(warehouse=True) as connection:
        columns = connection.execute(
            """
            select database_name, schema_name, table_name, column_name, data_type from duckdb_columns()
            where database_name in ('vault', 'warehouse') and not internal and data_type in ('VARCHAR', 'VARCHAR[]', 'TIMESTAMP')
            """
        ).fetchall()
        texts = [*person.texts, *([pseudonym] if pseudonym else [])]
        for database, schema, table, column, kind in columns:
            value = f'unnest("{column}")' if kind.endswith("[]") else f'"{column}"'
            rows = f'(select {value} as value from {database}."{schema}"."{table}")'
            if kind == "TIMESTAMP":
                wanted: list[Any] = sorted(person.moments) if database == "vault" else []
                test = "list_contains($wanted, value)"
            else:
                # A code may be a word of somebody else's; where codes stand it must be gone.
                wanted = [*texts, person.code] if column in ("participant_code", "usernames") else texts
                test = "len(list_filter($wanted, lambda name : contains(lower(value), lower(name)))) > 0"
                if column in ("participant_code", "usernames"):
                    test = "list_contains($wanted, value)"
            if (
                wanted
                and connection.execute(f"select count(*) from {rows} where {test}", {"wanted": wanted}).fetchall()[0][0]
            ):
                found.append(f"{database}.{schema}.{table}.{column}")
    for path in study.root.rglob("*"):
        if path.name in (person.code, f"{person.code}.html", f"{person.code}.json"):
            found.append(str(path))
    for path in (study.study.consents_path, study.study.participants_path, *study.study.surveys.iterdir()):
        with path.open(encoding="utf-8", newline="") as file:
            if any(row[:1] == [person.code] for row in csv.reader(file)):
                found.append(path.name)
    return found


def certified(erased: Withdrawal, person: Person) -> None:
    told = erased.certificate.read_text(encoding="utf-8")
    assert erased.page.exists() and json.loads(told)["search"]["holds"]
    assert all(row["after"] == 0 for row in json.loads(told)["rows"])
    assert not any(text in told for text in person.texts)


@pytest.mark.parametrize("seed", range(SEED, SEED + STUDIES))
def test_everybody_can_leave_a_small_study(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    beside = tmp_path / "beside"
    (beside / "inbox" / "P1").mkdir(parents=True)
    (beside / "inbox" / "P1" / "thesis.txt").write_text("not ours")
    (beside / "vault.duckdb").write_bytes(b"not ours either")
    untouched = contents(beside)
    study = lay_out_small(tmp_path / "study")
    people = make(study, draw)
    study.load()
    if draw.random() < 0.8:
        study.dbt("run")
    pseudonyms = dict(study.vault("select participant_code, pseudonym from vault.raw.keyring"))
    backup = tmp_path / "backup"
    shutil.copyfile(study.study.vault_path, backup)
    gone: list[Person] = []
    for person in draw.sample(people, len(people)):
        certified(withdraw(study.study, plan(study.study, person.code, NOW)), person)
        gone.append(person)
        assert pending(study.study) is None
        assert [left for one in gone for left in is_left(study, one, pseudonyms.get(one.code))] == []
        study.load()
    shutil.copyfile(backup, study.study.vault_path)
    with pytest.raises(WithdrawalsForgotten):
        study.load()
    replayed = withdraw(study.study, plan_replay(study.study))
    for person in people:
        certified(replayed, person)
        assert is_left(study, person, pseudonyms.get(person.code)) == []
    study.load()
    assert contents(beside) == untouched
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup", "beside", "study"]
