"""What the operator sees of a consent, and what the participant gets."""

from __future__ import annotations

import hashlib
import json
import stat

import pytest
from commands import consonance
from conftest import SmallStudy

from consonance.consent.purposes import DESCRIPTIONS
from consonance.consent.receipt import write_receipt
from consonance.consent.state import PURPOSES
from consonance.consent.status import NotLoaded, consent_of, consent_states
from consonance.study.codes import BadCode
from consonance.study.settings import Settings
from consonance.study.vault import open_study

TERMS = 'controller: "University of <b>Somewhere</b>"\nretention: until 2036\nwithdrawal: Ring 123.\n'


@pytest.fixture
def decided(small: SmallStudy) -> SmallStudy:
    """P1 amended twice, once in the future; P2 withdrew; P3 amended what was never granted; P4 said nothing."""
    for code in ("P1", "P2", "P3", "P4"):
        small.enrol(code)
    small.register("v2", "Another text.\n")
    small.consent("P1", "listening_history demographics")
    small.consent(
        "P1",
        "library listening_history",
        event="amended",
        at="2025-06-01T12:00:00+02:00",
        version="v2",
        history=("2015-01-01", ""),
    )
    small.consent("P1", " ".join(PURPOSES), event="amended", at="2027-01-01T00:00:00+00:00")
    small.consent("P2")
    small.consent("P2", "listening_history", event="withdrawn", at="2025-02-01T00:00:00+00:00")
    small.consent("P3", "library", event="amended")
    small.consent("P5", "library")
    with small.study.settings_path.open("a") as file:
        file.write(TERMS)
    small.load()
    return small


def test_status_tells_what_counts_and_what_to_look_at(decided: SmallStudy) -> None:
    with open_study(decided.study, read_only=True) as connection:
        states = {state.participant_code: state for state in consent_states(connection)}
        with pytest.raises(NotLoaded, match="Check the spelling"):
            consent_of(connection, "P9")
    assert {code: (state.state, state.purposes, state.remarks) for code, state in states.items()} == {
        "P1": ("active", ("listening_history", "library"), ["1 events are in the future"]),
        "P2": ("withdrawn", (), ["withdrawn, but not erased"]),
        "P3": ("active", ("library",), ["amended, but nothing was granted before"]),
        "P4": ("none", (), []),
        "P5": ("active", ("library",), ["not enrolled"]),
    }
    assert states["P1"].as_json() | {"remarks": []} == {
        "participant_code": "P1",
        "state": "active",
        "purposes": ["listening_history", "library"],
        "form_version": "v2",
        "occurred_at": "2025-06-01T10:00:00.000Z",
        "history_from": "2015-01-01",
        "history_to": None,
        "events": 2,
        "remarks": [],
    }


def test_status_on_the_command_line(decided: SmallStudy) -> None:
    everyone = consonance("consent", "status", "--study", decided.root)
    assert everyone.returncode == 0, everyone.stderr
    assert "amended, but nothing" in " ".join(everyone.stdout.split())
    assert "As of 2026-03-01 00:00 UTC" in everyone.stdout
    one = consonance("consent", "status", "P1", "--study", decided.root)
    assert "grants library" in one.stdout and "P2" not in one.stdout
    shown = json.loads(consonance("consent", "status", "--json", "--study", decided.root).stdout)
    assert [person["state"] for person in shown["participants"]] == ["active", "withdrawn", "active", "none", "active"]
    missing = consonance("consent", "status", "P9", "--study", decided.root)
    assert missing.returncode == 1
    assert "Traceback" not in missing.stderr


def test_before_the_first_load_there_is_nothing_to_tell(small: SmallStudy) -> None:
    done = consonance("consent", "status", "--study", small.root)
    assert done.returncode == 1
    assert "consonance load" in done.stderr


def test_a_receipt_says_what_which_notice_when_and_how_to_withdraw(decided: SmallStudy) -> None:
    done = consonance("consent", "receipt", "P1", "--study", decided.root)
    assert done.returncode == 0, done.stderr
    page = (decided.study.receipts / "P1.html").read_text()
    shown = json.loads((decided.study.receipts / "P1.json").read_text())
    assert shown["purposes"] == [
        {
            "purpose": purpose,
            "meaning": DESCRIPTIONS[purpose].meaning,
            "data": DESCRIPTIONS[purpose].data,
            "is_granted": purpose in ("listening_history", "library"),
        }
        for purpose in PURPOSES
    ]
    digest = hashlib.sha256((decided.root / "notice-v2.txt").read_bytes()).hexdigest()
    assert shown["notice"]["sha256"] == digest
    assert [(event["event"], event["occurred_at"], event["notice"]["version"]) for event in shown["events"]] == [
        ("granted", "2025-01-01T10:00:00Z", "v1"),
        ("amended", "2025-06-01T10:00:00Z", "v2"),
    ]
    assert (shown["history_from"], shown["history_to"]) == ("2015-01-01", None)
    assert (shown["controller"], shown["jurisdiction"]) == ("University of <b>Somewhere</b>", None)
    for text in (digest, "from 2015-01-01", "Ring 123.", "until 2036", "P1", "&lt;b&gt;Somewhere", shown["record_id"]):
        assert text in page, text
    assert "<b>" not in page and "http" not in page
    for other in ("P2", "P3", "P5"):
        assert other not in page + json.dumps(shown)
    for path in decided.study.receipts.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(decided.study.receipts.stat().st_mode) == 0o700


def test_a_receipt_after_a_withdrawal_grants_nothing(decided: SmallStudy) -> None:
    with open_study(decided.study, read_only=True) as connection:
        page, record = write_receipt(connection, decided.study, "P2")
    shown = json.loads(record.read_text())
    assert shown["state"] == "withdrawn"
    assert not any(purpose["is_granted"] for purpose in shown["purposes"])
    assert shown["events"][-1]["purposes"] == []
    assert "you have withdrawn" in page.read_text()


def test_nobody_gets_a_receipt_for_nothing_or_outside_the_folder(decided: SmallStudy) -> None:
    with open_study(decided.study, read_only=True) as connection:
        for code, refused in {"P4": NotLoaded, "P9": NotLoaded, "../P6": BadCode}.items():
            with pytest.raises(refused):
                write_receipt(connection, decided.study, code)
    assert not decided.study.receipts.exists()


def test_every_term_of_the_template_is_known(small: SmallStudy) -> None:
    text = small.study.settings_path.read_text()
    small.study.settings_path.write_text(
        text.replace("# controller:", "controller:").replace("# retention:", "retention:")
    )
    read = Settings.read(small.study)
    assert read.controller.startswith("University") and read.retention == "until 2036-12-31" and not read.recipients
