"""The audit log: whatever is done to it past consonance is found, every time."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from commands import consonance
from conftest import SmallStudy, play
from hypothesis import given, settings
from hypothesis import strategies as st

from consonance.study.audit_log import (
    GENESIS,
    Anchor,
    Entry,
    Fact,
    UndeclaredEntry,
    anchor,
    anchor_faults,
    read_entries,
    record,
)
from consonance.study.audit_verification import BadExport, chain_faults, export_log, verify
from consonance.study.tokens import Tokens
from consonance.study.vault import open_study

# ---- the chain on its own: every edit, deletion, swap and cut ----

FIELDS = ("number", "moment", "kind", "facts", "software_version", "previous_hash", "entry_hash")


def chained(entries: list[Entry], first: int = 0) -> list[Entry]:
    """``entries`` with hashes made anew from place ``first`` on, as a forger would who knows how."""
    made: list[Entry] = entries[:first]
    for entry in entries[first:]:
        linked = replace(entry, previous_hash=made[-1].entry_hash if made else GENESIS)
        made.append(replace(linked, entry_hash=linked.computed_hash()))
    return made


def log_of(kinds: list[str]) -> list[Entry]:
    start = datetime(2026, 1, 1)
    return chained(
        [
            Entry(number, start + timedelta(minutes=number), kind, json.dumps({"rows": number}), "0.1.0", "")
            for number, kind in enumerate(kinds, start=1)
        ]
    )


logs = st.lists(st.sampled_from(["load_started", "load_finished", "consent_events"]), min_size=1, max_size=12).map(
    log_of
)


def faults(entries: list[Entry], whole: list[Entry]) -> list[str]:
    signed = Anchor(len(whole), whole[-1].entry_hash)
    return chain_faults(sorted(entries, key=lambda entry: entry.number)) + anchor_faults(entries, signed, "it")


def edited(entry: Entry, field: str) -> Entry:
    value = getattr(entry, field)
    other = {int: lambda: value + 100, datetime: lambda: value + timedelta(microseconds=1)}.get(
        type(value), lambda: value[:-1] + ("0" if value[-1] != "0" else "1")
    )
    return replace(entry, **{field: other()})


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(logs, st.data())
def test_tampering_is_always_found(log: list[Entry], data: st.DataObject) -> None:
    assert faults(log, log) == []
    place = data.draw(st.integers(0, len(log) - 1))
    how = data.draw(st.sampled_from(["edit", "delete", "swap", "truncate", "insert", "repeat"]))
    # A clumsy hand, one that mends the entry's own hash, one that makes the whole rest of the chain anew.
    hand = data.draw(st.sampled_from(["clumsy", "mends the entry", "mends the chain"]))
    forged = list(log)
    if how == "edit":
        field = data.draw(st.sampled_from(FIELDS[1:5] if hand != "clumsy" else FIELDS))
        forged[place] = edited(forged[place], field)
        if hand == "mends the entry":
            forged[place] = replace(forged[place], entry_hash=forged[place].computed_hash())
    elif how == "delete":
        del forged[place]
    elif how == "swap":
        other = data.draw(st.integers(0, len(log) - 1).filter(lambda other: other != place)) if len(log) > 1 else place
        forged[place], forged[other] = (
            replace(forged[other], number=forged[place].number),
            replace(forged[place], number=forged[other].number),
        )
    elif how == "truncate":
        forged = forged[:place]
    elif how == "insert":
        forged.insert(place, replace(forged[place], kind="forged"))
    else:
        forged.append(forged[place])
    if hand == "mends the chain":
        forged = chained([replace(entry, number=number) for number, entry in enumerate(forged, start=1)])
        if how == "repeat":
            # Entries added at the end by whoever can make hashes hold the key; see test_an_old_export_tells.
            return
    if forged != log:
        assert faults(forged, log), (how, hand)


# ---- the log of a vault ----


@pytest.fixture
def logged(small: SmallStudy) -> SmallStudy:
    """A study that was loaded twice."""
    small.admit("CODE-ONE-1")
    small.donate("CODE-ONE-1", [play()], name="a file of Jane.zip")
    small.load()
    small.admit("CODE-TWO-2")
    small.consent("CODE-ONE-1", "", event="withdrawn", at="2025-02-01T00:00:00+00:00")
    small.load()
    return small


def log(study: SmallStudy) -> list[tuple[int, str, dict[str, object]]]:
    with open_study(study.study, read_only=True) as connection:
        return [(entry.number, entry.kind, json.loads(entry.facts)) for entry in read_entries(connection)]


def test_every_load_and_every_batch_of_events_is_an_entry(logged: SmallStudy) -> None:
    entries = log(logged)
    assert [(number, kind) for number, kind, _ in entries] == [
        (1, "load_started"),
        (2, "consent_events"),
        (3, "load_finished"),
        (4, "load_started"),
        (5, "consent_events"),
        (6, "load_finished"),
    ]
    with open_study(logged.study, read_only=True) as connection:
        tokens = Tokens.of(connection)
        assert verify(connection, logged.study).passed
    assert entries[4][2] == {
        "first_line": 2,
        "last_line": 3,
        "granted": 1,
        "amended": 0,
        "withdrawn": 1,
        "participants": sorted([tokens.participant("CODE-ONE-1"), tokens.participant("CODE-TWO-2")]),
    }
    assert (entries[2][2]["landed"], entries[2][2]["loaded"]) == (1, 1)
    # A load that is refused leaves its beginning.
    logged.consent("X", "nonsense")
    with pytest.raises(Exception, match="unknown purposes"):
        logged.load()
    assert [kind for _, kind, _ in log(logged)[6:]] == ["load_started"]


def test_the_log_names_nobody_and_quotes_nothing(logged: SmallStudy, tmp_path: Path) -> None:
    with open_study(logged.study, read_only=True) as connection:
        export_log(connection, logged.study, tmp_path / "log.json")
        secret = connection.execute("select secret from vault.raw.secrets").fetchall()[0][0]
    for text in ((tmp_path / "log.json").read_text(), logged.study.audit_head_path.read_text()):
        for never in ("CODE", "Jane", "some-listener", "A Track", secret):
            assert never not in text
    with open_study(logged.study) as connection:
        undeclared: dict[str, dict[str, Fact]] = {
            "load_finished": {"loaded": "P1"},
            "load_started": {"participant": 7},
            "consent_events": {"participants": ["P1"]},
            "published": {"tier": "P1"},
            "exported": {"sha256": "P1"},
            "uncovered_erased": {"purposes": ["P1"]},
            "load_of_P1": {},
        }
        for kind, facts in undeclared.items():
            with pytest.raises(UndeclaredEntry, match=r"audit_entries\.yml"):
                record(connection, logged.study, kind, facts)


def test_tokens_are_keyed_and_of_one_kind() -> None:
    one, other = Tokens(b"1" * 32), Tokens(b"2" * 32)
    assert one.participant("P1") == one.participant("P1") != other.participant("P1")
    assert one.token("participant", "P1") != one.token("consent record", "P1")
    assert "1111" not in repr(one)


# What somebody may do to the vault with its key, past consonance.
TAMPERING = {
    "facts changed": "update vault.raw.audit_log set facts = replace(facts, '1', '2') where entry_no = 3",
    "a moment changed": "update vault.raw.audit_log set moment = moment + interval 1 microsecond where entry_no = 1",
    "a kind changed": "update vault.raw.audit_log set kind = 'load_started' where entry_no = 5",
    "a version changed": "update vault.raw.audit_log set software_version = '0.1.1' where entry_no = 6",
    "a hash changed": "update vault.raw.audit_log set entry_hash = md5('') where entry_no = 6",
    "one in the middle gone": "delete from vault.raw.audit_log where entry_no = 2",
    "the first gone": "delete from vault.raw.audit_log where entry_no = 1",
    "the last gone": "delete from vault.raw.audit_log where entry_no = 6",
    "half gone": "delete from vault.raw.audit_log where entry_no > 3",
    "all gone": "delete from vault.raw.audit_log",
    "one gone, the rest renumbered": "delete from vault.raw.audit_log where entry_no = 2; update vault.raw.audit_log set entry_no = entry_no - 1 where entry_no > 2",
    "two swapped": "update vault.raw.audit_log set entry_no = case entry_no when 2 then 5 when 5 then 2 else entry_no end",
    "one twice": "insert into vault.raw.audit_log from vault.raw.audit_log where entry_no = 6",
    "another secret": "update vault.raw.secrets set secret = repeat('0', 64)",
}


def test_tampering_with_the_vault_is_found(logged: SmallStudy) -> None:
    with open_study(logged.study) as connection:
        for what, statement in TAMPERING.items():
            connection.begin()
            connection.execute(statement)
            report = verify(connection, logged.study)
            assert not report.passed and report.faults, what
            connection.rollback()
        assert verify(connection, logged.study).passed


HEADS: dict[str, Callable[[dict[str, object]], str | None]] = {
    "audit.head is missing": lambda head: None,
    "audit.head is not signed by this vault": lambda head: json.dumps(head | {"entries": 3}),
    "audit.head is not signed": lambda head: json.dumps(head | {"head": GENESIS}),
    "audit.head is": lambda head: "{}",
}


@pytest.mark.parametrize("fault", HEADS)
def test_a_head_that_was_tampered_with_is_found_and_stays_noted(logged: SmallStudy, fault: str) -> None:
    path = logged.study.audit_head_path
    content = HEADS[fault](json.loads(path.read_text()))
    path.unlink() if content is None else path.write_text(content)
    with open_study(logged.study, read_only=True) as connection:
        assert fault in verify(connection, logged.study).faults[0]
    logged.load()
    with open_study(logged.study, read_only=True) as connection:
        assert verify(connection, logged.study).faults == [
            "entry 7 records that, before it, the log was cut off or replaced, or audit.head was not valid"
        ]


def test_a_log_that_was_cut_off_stays_noted_after_the_next_load(logged: SmallStudy) -> None:
    with open_study(logged.study) as connection:
        connection.execute("delete from vault.raw.audit_log where entry_no > 4")
        assert verify(connection, logged.study).faults == ["the log has 4 entries, but audit.head was written for 6"]
    logged.load()
    assert [kind for _, kind, _ in log(logged)[4:]] == ["broken_anchor", "load_started", "load_finished"]
    done = consonance("audit", "verify", "--study", logged.root)
    assert done.returncode == 1
    assert "entry 5 records" in done.stdout and "older vault" in done.stdout


def test_an_old_export_tells_when_vault_and_head_were_both_put_back(logged: SmallStudy, tmp_path: Path) -> None:
    export = tmp_path / "log.json"
    assert consonance("audit", "export", export, "--study", logged.root).returncode == 0
    with open_study(logged.study) as connection:
        connection.execute("delete from vault.raw.audit_log where entry_no > 4")
        anchor(connection, logged.study)
        assert verify(connection, logged.study).passed, "both were put back: only an export in other hands tells"
        assert verify(connection, logged.study, export).faults == [
            "the log has 4 entries, but the export was written for 6"
        ]
        record(connection, logged.study, "load_started", {})
        record(connection, logged.study, "load_finished", {})
        anchor(connection, logged.study)
        assert verify(connection, logged.study, export).faults == [
            "entry 6 is not the entry that the export was written for"
        ]
    (tmp_path / "other.json").write_text("[]")
    done = consonance("audit", "verify", "--against", tmp_path / "other.json", "--study", logged.root)
    assert done.returncode == 1 and "is not an export" in done.stderr
    with pytest.raises(BadExport), open_study(logged.study, read_only=True) as connection:
        verify(connection, logged.study, tmp_path / "nowhere.json")


def test_an_export_can_be_checked_by_anyone(logged: SmallStudy, tmp_path: Path) -> None:
    """By what it says itself, without consonance."""
    import hashlib

    with open_study(logged.study, read_only=True) as connection:
        export_log(connection, logged.study, tmp_path / "log.json")
    shown = json.loads((tmp_path / "log.json").read_text())
    previous = "0" * 64
    for entry in shown["log"]:
        content = json.dumps(
            [entry[name] for name in ("number", "moment", "kind", "facts", "software_version")], separators=(",", ":")
        )
        previous = hashlib.sha256((previous + content).encode()).hexdigest()
        assert entry["entry_hash"] == previous
    assert shown["head"] == previous and shown["entries"] == 6


def test_a_program_killed_before_signing_is_no_fault(logged: SmallStudy) -> None:
    with open_study(logged.study) as connection:
        record(connection, logged.study, "load_started", {})
        assert verify(connection, logged.study).passed
    logged.load()
    with open_study(logged.study, read_only=True) as connection:
        assert verify(connection, logged.study).passed


def test_an_entry_is_part_of_the_transaction(logged: SmallStudy) -> None:
    with open_study(logged.study) as connection:
        connection.begin()
        record(connection, logged.study, "load_started", {})
        connection.rollback()
        assert len(read_entries(connection)) == 6
        with pytest.raises(duckdb.Error):
            connection.execute("insert into vault.raw.audit_log (entry_no) values (7)")


def test_a_loaded_study_without_a_log_is_noticed(logged: SmallStudy) -> None:
    logged.study.audit_head_path.unlink()
    with open_study(logged.study) as connection:
        connection.execute("delete from vault.raw.audit_log")
        assert verify(connection, logged.study).faults == ["the study was loaded, but the log has no entry"]


def test_a_study_that_was_never_loaded_has_a_whole_empty_log(small: SmallStudy) -> None:
    done = consonance("audit", "verify", "--json", "--study", small.root)
    assert done.returncode == 0
    assert json.loads(done.stdout) == {"passed": True, "entries": 0, "head": GENESIS, "faults": []}
