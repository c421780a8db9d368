"""What is taken back leaves the vault too: exactly that, with its copies, and comes back if it is granted again."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

import duckdb
import pytest
from commands import consonance
from conftest import EVERYTHING, SmallStudy, account_play, play

from consonance.checks.study_checks import run_check
from consonance.consent import coverage
from consonance.consent.coverage import narrowed
from consonance.erasure import amendment, rewriting
from consonance.erasure.amendment import Narrowed, erase_uncovered
from consonance.study.audit_log import read_entries
from consonance.study.audit_verification import verify
from consonance.study.schema import owners
from consonance.study.vault import open_study
from loaders.shard_load import load_shard
from loaders.shard_merge import merge_shards
from loaders.shards import Share

pytestmark = pytest.mark.usefixtures("artifacts_apart")

EPISODE = {
    "master_metadata_track_name": None,
    "master_metadata_album_artist_name": None,
    "master_metadata_album_album_name": None,
    "spotify_track_uri": None,
    "episode_name": "An Episode",
    "episode_show_name": "A Show",
    "spotify_episode_uri": "spotify:episode:0000000000000000000009",
}
MUSIC, SPOKEN, HIDDEN, EARLY = (f"2023-0{month}-01T10:00:00Z" for month in (5, 6, 7, 2))
LIBRARY = {"tracks": [{"artist": "A", "album": "B", "track": "C", "uri": "spotify:track:2222222222222222222222"}]}
PURPOSES = f"{EVERYTHING} library ml_training sharing_public"


def without(purpose: str) -> str:
    return " ".join(other for other in PURPOSES.split() if other != purpose)


def donate(study: SmallStudy, code: str) -> None:
    study.admit(code, purposes=PURPOSES)
    rows = [
        play(EARLY, 60_001, master_metadata_track_name=f"A Track of {code}"),
        play(MUSIC, 60_002, master_metadata_track_name=f"A Track of {code}"),
        play(SPOKEN, 60_003, **EPISODE),
        play(HIDDEN, 60_004, incognito_mode=True, master_metadata_track_name=f"A Track of {code}"),
        play("never", master_metadata_track_name="a rejected secret"),
    ]
    study.donate(code, rows)
    study.donate(code, [*rows, play("2023-08-01T10:00:00Z", 60_005, master_metadata_track_name=code)], "again.zip")
    account = [
        account_play(f"2023-0{month}-01 10:00", length, title)
        for month, length, title in (
            (2, 60_001, f"A Track of {code}"),
            (5, 60_002, f"A Track of {code}"),
            (6, 60_003, "An Episode"),
            (7, 60_004, f"A Track of {code}"),
        )
    ]
    study.donate(code, account, "account.zip", "MyData/StreamingHistory0.json")
    study.donate(code, account[2:], "account2.zip", "MyData/StreamingHistory0.json")
    study.donate(code, LIBRARY, "library.zip", "MyData/YourLibrary.json")


@pytest.fixture
def donated(small: SmallStudy) -> SmallStudy:
    """A with music, a podcast and a private play, each in two donations and in an account history; B likewise."""
    for code in ("A", "B"):
        donate(small, code)
    (small.study.surveys / "grid.csv").write_text(
        "participant_code,answered_at,instrument,item,answer\n"
        + "".join(f"{code},2023-05-02T11:00:00+00:00,affect_grid,pleasure,3\n" for code in ("A", "B"))
    )
    small.load()
    return small


def amend(
    study: SmallStudy, purposes: str, history: tuple[str, str] = ("", ""), at: str = "2025-06-01T10:00:00+00:00"
) -> list[Narrowed]:
    study.consent("A", purposes, event="amended", at=at, history=history)
    study.load()
    return erase_uncovered(study.study)


def plays_of(study: SmallStudy, code: str = "A") -> dict[str, list[int]]:
    """The lengths of the plays that the vault holds, by history source: each length is one play."""
    return {
        source: [
            length
            for (length,) in study.vault(
                f"select ms_played from vault.raw.{source}_plays inner join vault.raw.keyring using (participant_no) where participant_code = '{code}' order by all"
            )
        ]
        for source in ("extended", "account")
    }


def kept(study: SmallStudy, code: str = "A") -> list[int]:
    name = study.vault(f"select pseudonym from vault.raw.keyring where participant_code = '{code}'")[0][0]
    return [
        length
        for (length,) in study.warehouse(
            f"select ms_played from marts.plays where participant_id = '{name}' order by all"
        )
    ]


ALL = {
    "extended": [60_001, 60_001, 60_002, 60_002, 60_003, 60_003, 60_004, 60_004, 60_005],
    "account": [60_001, 60_002, 60_003, 60_003, 60_004, 60_004],
}


def but(*lengths: int) -> dict[str, list[int]]:
    return {source: [length for length in held if length not in lengths] for source, held in ALL.items()}


# Who takes back what, and which plays go.
CASES = {
    "A": (without("podcasts_audiobooks"), ("", ""), (60_003,)),
    "C": (without("private_sessions"), ("", ""), (60_004,)),
    "D": (PURPOSES, ("2023-03-01", "2023-07-15"), (60_001, 60_005)),
    "E": (without("private_sessions"), ("2023-03-01", ""), (60_001, 60_004)),
    "B": (PURPOSES, ("", ""), ()),
}


def test_plays_that_no_purpose_needs_are_erased_with_every_copy(donated: SmallStudy) -> None:
    for code in "CDE":
        donate(donated, code)
    for code in CASES:
        assert plays_of(donated, code) == ALL if code in "AB" else not plays_of(donated, code)["extended"]
    donated.load()
    for code, (purposes, history, _) in CASES.items():
        donated.consent(code, purposes, event="amended", at="2025-06-01T10:00:00+00:00", history=history)
    donated.load()
    report = {one.participant_code: one for one in erase_uncovered(donated.study)}
    assert list(report) == ["A", "C", "D", "E"]
    for code, (_, _, gone) in CASES.items():
        assert plays_of(donated, code) == but(*gone), code
        erased = sum(map(len, ALL.values())) - sum(map(len, but(*gone).values()))
        assert not gone or report[code].plays == erased
        assert kept(donated, code) == [length for length in range(60_001, 60_006) if length not in gone]
        # The account closes: what was landed is kept, a copy, or erased.
        ((name, landed),) = donated.vault(
            f"select pseudonym, sum(landed) from vault.raw.members inner join vault.raw.keyring using (participant_no) where participant_code = '{code}' group by pseudonym"
        )
        fates = dict(
            donated.warehouse(
                f"select fate, sum(rows) from audit.row_accounting where participant_id = '{name}' group by all"
            )
        )
        assert fates.get("erased", 0) == erased and sum(fates.values()) == landed
        assert set(fates) == {"kept", "duplicate", "superseded_by_extended"} | ({"erased"} if gone else set())
        # What a rejected row held is gone, that it was rejected is not.
        assert donated.vault(
            f"select distinct listed_fields is null from vault.raw.rejected_rows inner join vault.raw.keyring using (participant_no) where participant_code = '{code}'"
        ) == [(bool(gone),)]
    with open_study(donated.study, read_only=True) as connection:
        assert verify(connection, donated.study).passed
        facts = json.loads(next(entry.facts for entry in read_entries(connection) if entry.kind == "uncovered_erased"))
    assert facts["plays"] == sum(one.plays for one in report.values()) and len(facts["participants"]) == 4
    # A further load changes nothing, and the same donations bring nothing back.
    donated.load()
    assert erase_uncovered(donated.study) == []
    assert all(plays_of(donated, code) == but(*gone) for code, (_, _, gone) in CASES.items())


@pytest.fixture
def unbuilt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the warehouse as it is."""
    monkeypatch.setattr(rewriting, "run_dbt", lambda *_: "")


@pytest.mark.parametrize(
    ("purpose", "query"),
    [
        ("emotion_reports", "select count(*) from vault.raw.survey_answers where participant_code = '{}'"),
        (
            "library",
            "select count(*) from vault.raw.library_items inner join vault.raw.keyring using (participant_no) where participant_code = '{}'",
        ),
        (
            "demographics",
            "select count(coalesce(cast(birth_year as varchar), gender, country)) from vault.raw.participants where participant_code = '{}'",
        ),
    ],
)
def test_what_each_load_reads_again_is_no_longer_read(
    donated: SmallStudy, unbuilt: None, purpose: str, query: str
) -> None:
    assert donated.vault(query.format("A")) == donated.vault(query.format("B")) == [(1,)]
    pages = donated.study.vault_path.stat().st_ino
    (report,) = amend(donated, without(purpose))
    assert (report.purposes, report.plays) == ((purpose,), 0)
    assert donated.vault(query.format("A")) == [(0,)] and donated.vault(query.format("B")) == [(1,)]
    assert donated.study.vault_path.stat().st_ino != pages  # a fresh file, without the old pages
    assert plays_of(donated) == ALL


def test_no_table_that_dbt_makes_again_is_copied_into_the_fresh_vault(donated: SmallStudy, unbuilt: None) -> None:
    amend(donated, without("private_sessions"))  # dbt has judged the plays in the vault
    schemas = "select distinct schema_name from duckdb_tables() where database_name = 'vault'"
    assert donated.vault(schemas) == [("raw",)]


def test_without_listening_history_no_donation_is_left(donated: SmallStudy, unbuilt: None) -> None:
    (report,) = amend(donated, "demographics emotion_reports")
    assert report.plays == sum(map(len, ALL.values()))
    for table in (
        "extended_plays",
        "account_plays",
        "donations",
        "members",
        "rejected_rows",
        "schema_drift",
        "library_items",
    ):
        rows = donated.vault(
            f"select participant_code from vault.raw.{table} inner join vault.raw.keyring using (participant_no)"
        )
        assert ("A",) not in rows, table
    # Granted again, the donations in the inbox are read again.
    assert amend(donated, PURPOSES, at="2025-07-01T10:00:00+00:00") == []
    assert plays_of(donated) == ALL


def test_granted_again_it_comes_back_from_the_donation(donated: SmallStudy, unbuilt: None) -> None:
    amend(donated, without("private_sessions"))
    amend(donated, PURPOSES, at="2025-07-01T10:00:00+00:00")
    assert plays_of(donated) == ALL
    assert donated.vault("select count(*) from vault.raw.erased_rows") == [(0,)]


@pytest.fixture
def granted_again(donated: SmallStudy, unbuilt: None) -> SmallStudy:
    """A took private sessions back, and grants them again; the load that follows is still to come."""
    amend(donated, without("private_sessions"))
    donated.consent("A", PURPOSES, event="amended", at="2025-07-01T10:00:00+00:00")
    return donated


def test_a_donation_under_another_name_is_read_again(granted_again: SmallStudy) -> None:
    folder = granted_again.study.inbox / "A"
    (folder / "again.zip").rename(folder / "renamed.zip")
    # export.zip has nothing that this one does not have: the history is there without it.
    assert granted_again.load().not_read_again == []
    assert plays_of(granted_again) == ALL


@pytest.mark.parametrize("change", ["gone", "cut off", "another export", "a link"])
def test_a_history_that_the_inbox_does_not_have_stays_until_it_does(granted_again: SmallStudy, change: str) -> None:
    path = granted_again.study.inbox / "A" / "again.zip"
    whole = path.read_bytes()
    if change == "gone":
        path.unlink()
    elif change == "cut off":
        path.write_bytes(whole[:100])
    elif change == "another export":
        granted_again.donate("A", [play("2024-05-01T10:00:00Z", 60_006)], path.name)
    else:
        path.rename(granted_again.root / "notes.zip")
        path.symlink_to(granted_again.root / "notes.zip")
    report = granted_again.load()
    assert report.not_read_again == report.as_json()["not_read_again"] == ["A"]
    added = [60_006] if change == "another export" else []
    assert plays_of(granted_again) == {**but(60_004), "extended": [*but(60_004)["extended"], *added]}
    said = consonance("load", "--study", granted_again.root).stdout
    assert "A grants again what was erased" in said and "B grants" not in said
    # Put back, it is read again, and once.
    if path.exists():
        path.rename(path.with_name("other.zip"))
    path.unlink(missing_ok=True)
    path.write_bytes(whole)
    for _ in range(2):
        assert granted_again.load().not_read_again == []
        assert plays_of(granted_again) == {**ALL, "extended": [*ALL["extended"], *added]}


def test_who_is_not_enrolled_any_more_keeps_the_history(granted_again: SmallStudy) -> None:
    table = granted_again.study.participants_path
    table.write_text("".join(line for line in table.read_text().splitlines(True) if not line.startswith("A,")))
    assert granted_again.load().not_read_again == ["A"]
    assert plays_of(granted_again) == but(60_004)


def test_a_load_that_is_stopped_while_it_deletes_has_deleted_nothing(
    granted_again: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = owners("listening_history")
    for stop in (1, 4, len(tables)):
        some = dict(list(tables.items())[:stop]) | {"no_such_table": ("participant_no", "participant_no")}
        with monkeypatch.context() as patch, pytest.raises(duckdb.CatalogException):
            patch.setattr(coverage, "owners", lambda purpose=None, some=some: some if purpose else owners())
            granted_again.load()
        assert plays_of(granted_again) == but(60_004)
    granted_again.load()
    assert plays_of(granted_again) == ALL


def test_a_purpose_that_no_play_needs_brings_no_erased_play_back(donated: SmallStudy, unbuilt: None) -> None:
    few = without("private_sessions").replace(" library", "")
    amend(donated, few)
    amend(donated, f"{few} library", at="2025-07-01T10:00:00+00:00")
    assert plays_of(donated) == but(60_004)


FEW = "listening_history"
# An old account history, which holds an episode as a track, and what a tool made of the extended one.
LATER = {
    "account.zip": (
        "MyData/StreamingHistory0.json",
        [
            account_play("2023-05-01 10:00", 60_002, "A Track"),
            account_play("2023-06-01 10:00", 60_003, "An Episode", "A Show"),
            account_play("2023-07-01 10:00", 60_004, "A Secret"),
            account_play("2023-07-01 10:00", 60_009, "Only Here"),
        ],
    ),
    "tool.zip": (
        "of-a-tool.json",
        [
            {
                key: value
                for key, value in play(at, length, master_metadata_track_name=name).items()
                if key != "incognito_mode"
            }
            for at, length, name in (
                (MUSIC, 60_002, "A Track"),
                (HIDDEN, 60_004, "A Secret"),
                (EARLY, 60_010, "Another"),
            )
        ],
    ),
}


def donate_later(study: SmallStudy) -> None:
    for name, (member, rows) in LATER.items():
        study.donate("A", rows, name, member)


@pytest.fixture
def reduced(small: SmallStudy) -> SmallStudy:
    """A with an extended history, of which a private play and an episode were erased; B beside it."""
    rows = [
        play(MUSIC, 60_002),
        play(SPOKEN, 60_003, **EPISODE),
        play(HIDDEN, 60_004, incognito_mode=True, master_metadata_track_name="A Secret"),
    ]
    for code in ("A", "B"):
        small.admit(code)
        small.donate(code, rows)
    small.load()
    (report,) = amend(small, FEW)
    assert (report.plays, plays_of(small)) == (2, {"extended": [60_002], "account": []})
    return small


@pytest.mark.parametrize("way", ["a load", "shards"])
def test_what_was_erased_does_not_return_in_rows_that_do_not_name_the_purpose(reduced: SmallStudy, way: str) -> None:
    donate_later(reduced)
    if way == "shards":
        load_shard(reduced.study, Share(1, 1))
        merge_shards(reduced.study)
        assert plays_of(reduced)["account"] == [60_002, 60_009]
    reduced.load()
    assert plays_of(reduced) == {"extended": [60_002, 60_002, 60_010], "account": [60_002, 60_009]}
    reduced.dbt("run")
    assert kept(reduced) == [60_002, 60_009, 60_010]
    ((name,),) = reduced.vault("select pseudonym from vault.raw.keyring where participant_code = 'A'")
    fates = reduced.warehouse(
        f"select fate, sum(rows) from audit.row_accounting where participant_id = '{name}' group by all order by all"
    )
    assert fates == [("duplicate", 1), ("erased", 5), ("kept", 3), ("superseded_by_extended", 1)]
    assert kept(reduced, "B") == [60_002, 60_003, 60_004]


def test_in_a_donation_that_comes_with_the_amendment_it_does_not_return(reduced: SmallStudy) -> None:
    """The account history is landed, then the play is erased."""
    reduced.donate("B", LATER["account.zip"][1], "account.zip", LATER["account.zip"][0])
    reduced.consent("B", FEW, event="amended", at="2025-06-01T10:00:00+00:00")
    reduced.load()
    erase_uncovered(reduced.study)
    assert plays_of(reduced, "B") == {"extended": [60_002], "account": [60_002, 60_009]}


def test_what_is_granted_again_may_return(reduced: SmallStudy, unbuilt: None) -> None:
    """Also in another donation, if the one from which it was erased is gone."""
    path = reduced.study.inbox / "A" / "export.zip"
    path.rename(reduced.root / "notes.zip")
    donate_later(reduced)
    amend(reduced, f"{FEW} private_sessions", at="2025-07-01T10:00:00+00:00")
    assert plays_of(reduced) == {"extended": [60_002, 60_002, 60_004, 60_010], "account": [60_002, 60_004, 60_009]}
    (reduced.root / "notes.zip").rename(path)
    amend(reduced, EVERYTHING, at="2025-08-01T10:00:00+00:00")
    assert plays_of(reduced) == {
        "extended": [60_002, 60_002, 60_003, 60_004, 60_004, 60_010],
        "account": [60_002, 60_003, 60_004, 60_009],
    }
    assert reduced.vault("select count(*) from vault.raw.erased_plays") == [(0,)]


def test_a_hash_of_an_erased_play_says_nothing_without_the_secret(reduced: SmallStudy) -> None:
    rows = reduced.vault("select purpose, play_hash from vault.raw.erased_plays order by all")
    assert [purpose for purpose, _ in rows] == ["podcasts_audiobooks", "private_sessions"]
    ((secret,),) = reduced.vault("select play_secret from vault.raw.keyring where participant_code = 'A'")
    minute = int(datetime.fromisoformat(HIDDEN).timestamp()) // 60
    assert rows[1][1] == hashlib.sha256(f"erased|{secret}|{minute}|60004".encode()).hexdigest()


@pytest.mark.parametrize("purpose", ["private_sessions", "demographics", "library", "emotion_reports"])
def test_the_give_back_page_goes_with_what_it_shows(donated: SmallStudy, unbuilt: None, purpose: str) -> None:
    donated.study.giveback.mkdir()
    for code in ("A", "B"):
        donated.study.giveback_of(code).write_text(f"A Track of {code}")
    amend(donated, without("sharing_public"))
    assert donated.study.giveback_of("A").exists()
    amend(donated, without(purpose), at="2025-07-01T10:00:00+00:00")
    assert [path.name for path in donated.study.giveback.iterdir()] == ["B.html"]


def test_flags_leave_nothing_to_erase(donated: SmallStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewriting, "run_dbt", lambda *_: pytest.fail("nothing to rebuild"))
    (report,) = amend(donated, without("sharing_public"))
    assert (report.purposes, report.plays) == (("sharing_public",), 0)
    assert amend(donated, without("sharing_public"), at="2025-07-01T10:00:00+00:00") == []


def test_who_takes_back_training_leaves_the_warehouse_at_once(
    donated: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    rebuilt: list[object] = []
    monkeypatch.setattr(rewriting, "run_dbt", lambda *arguments: rebuilt.append(arguments))
    (report,) = amend(donated, without("ml_training"))
    assert (report.purposes, report.plays, len(rebuilt)) == (("ml_training",), 0, 1)
    assert plays_of(donated) == ALL


def test_a_withdrawal_in_the_ledger_is_no_amendment(donated: SmallStudy) -> None:
    donated.consent("A", "", event="withdrawn", at="2025-06-01T10:00:00+00:00")
    donated.load()
    assert erase_uncovered(donated.study) == [] and plays_of(donated) == ALL


@pytest.mark.thorough
def test_interrupted_it_goes_on_at_the_next_load(donated: SmallStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(Exception):
        pass

    def die(*_: Any) -> None:
        raise Killed

    donated.consent("A", without("private_sessions"), event="amended", at="2025-06-01T10:00:00+00:00")
    donated.load()
    for place, name in ((amendment, "run_dbt"), (amendment, "rewrite_vault"), (rewriting, "run_dbt")):
        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(place, name, die)
            erase_uncovered(donated.study)
        with open_study(donated.study, read_only=True) as connection:
            assert [one.participant_code for one in narrowed(connection)] == ["A"]
    donated.load()
    erase_uncovered(donated.study)
    assert plays_of(donated) == but(60_004)
    with open_study(donated.study, read_only=True) as connection:
        assert [entry.kind for entry in read_entries(connection)].count("uncovered_erased") == 1


def test_the_command_says_what_was_taken_back(donated: SmallStudy) -> None:
    donated.consent("A", without("podcasts_audiobooks"), event="amended", at="2025-06-01T10:00:00+00:00")
    done = consonance("load", "--study", donated.root)
    assert "A took back podcasts_audiobooks: 4 plays were erased." in done.stdout and "backups" in done.stdout
    again = json.loads(consonance("load", "--json", "--study", donated.root).stdout)
    assert again["amendments"] == []


@pytest.mark.thorough
def test_the_checks_pass_after_an_erasure(donated: SmallStudy) -> None:
    amend(donated, without("private_sessions"))
    for name in ("rules", "non-interference"):
        result = run_check(name, donated.study)
        assert result.passed, result.as_json()
