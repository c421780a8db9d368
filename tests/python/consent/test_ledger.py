"""The consent ledger: it only grows, and every line of it stands under a registered notice."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

import pytest
from conftest import SmallStudy

from consonance.consent.state import EVENTS
from consonance.study.schema import tables
from consonance.study.tables import BadTable

HEADER = "participant_code,event,purposes,form_version,occurred_at,history_from,history_to"
LINES = [
    "P1,granted,listening_history demographics,v1,2025-01-01T10:00:00+00:00,2015-01-01,",
    "P2,granted,listening_history,v1,2025-01-02T10:00:00+00:00,,",
    "P1,amended,listening_history,v1,2025-01-03T10:00:00+00:00,,",
    "P2,withdrawn,,v1,2025-01-04T10:00:00+00:00,,",
]


def write(study: SmallStudy, *lines: str) -> None:
    study.study.consents_path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")


def events(study: SmallStudy) -> list[tuple[object, ...]]:
    return study.vault("select * from vault.raw.consent_events order by ledger_line")


@pytest.fixture
def kept(small: SmallStudy) -> SmallStudy:
    """A study whose ledger of four lines was loaded."""
    write(small, *LINES)
    small.load()
    return small


def test_a_load_adds_what_is_new_and_nothing_else(kept: SmallStudy) -> None:
    before = events(kept)
    assert [row[:3] for row in before] == [
        (1, "P1", "granted"),
        (2, "P2", "granted"),
        (3, "P1", "amended"),
        (4, "P2", "withdrawn"),
    ]
    kept.load()
    assert events(kept) == before
    # Late, and the same as a line before: both are events of their own.
    write(kept, *LINES, "P3,granted,library,v1,2024-01-01T10:00:00+00:00,,", LINES[0])
    kept.load()
    assert events(kept)[:4] == before
    assert [row[:3] for row in events(kept)[4:]] == [(5, "P3", "granted"), (6, "P1", "granted")]
    assert kept.vault("select count(distinct line_hash), count(*) from vault.raw.ledger_lines") == [(5, 6)]


SPELLINGS: dict[str, Callable[[str], str]] = {
    "line endings": lambda text: text.replace("\n", "\r\n"),
    "a byte order mark": lambda text: "\ufeff" + text,
    "quoting": lambda text: "\n".join(
        ",".join(f'"{cell}"' for cell in line.split(",")) for line in text.splitlines()
    ),
    "spaces": lambda text: "\n".join(
        ",".join(f"{cell}  " for cell in line.split(",")) for line in text.splitlines()
    ),
    "semicolons": lambda text: text.replace(",", ";"),
    "blank lines and comments": lambda text: text.replace("\n", "\n\n# a note\n,,,,,,\n"),
    "no newline at the end": lambda text: text.rstrip("\n"),
    "another offset": lambda text: text.replace("T10:00:00+00:00", "T11:00:00+01:00"),
    "another order of purposes": lambda text: text.replace(
        "listening_history demographics", "demographics|listening_history"
    ),
    "columns the other way round": lambda text: "\n".join(
        ",".join(line.split(",")[::-1]) for line in text.splitlines()
    ),
    "a column more": lambda text: "\n".join(f"{line},note" for line in text.splitlines()),
}  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_spelling_changes_nothing(kept: SmallStudy, spelling: str) -> None:
    before = events(kept)
    text = SPELLINGS[spelling]("\n".join([HEADER, *LINES]) + "\n")
    kept.study.consents_path.write_bytes(text.encode())
    kept.load()
    assert events(kept) == before


def edited(line: int, old: str, new: str) -> list[str]:
    lines = list(LINES)
    assert old in lines[line]
    lines[line] = lines[line].replace(old, new)
    return lines


# Lines of the file count from 1; the first event stands in line 2.
TAMPERED: dict[str, tuple[list[str], str]] = {
    "a code": (edited(1, "P2", "P3"), "line 3 was changed"),
    "an event": (edited(2, "amended", "granted"), "line 4 was changed"),
    "a purpose more": (edited(1, "listening_history", "listening_history ml_training"), "line 3 was changed"),
    "a purpose less": (edited(0, " demographics", ""), "line 2 was changed"),
    "a moment": (edited(3, "10:00:00", "10:00:01"), "line 5 was changed"),
    "the window's begin": (edited(0, "2015-01-01", "2014-01-01"), "line 2 was changed"),
    "the window's end": (edited(0, "2015-01-01,", "2015-01-01,2020-01-01"), "line 2 was changed"),
    "the notice": (edited(2, "v1", "v2"), "line 4 was changed"),
    "the last line gone": (LINES[:3], "its last line is missing"),
    "two lines gone": (LINES[:2], "its last 2 lines are missing"),
    "everything gone": ([], "its last 4 lines are missing"),
    "a line in the middle gone": ([LINES[0], *LINES[2:]], "a line before line 3 was removed"),
    "the first line gone": (LINES[1:], "a line before line 2 was removed"),
    "two lines swapped": ([LINES[0], LINES[2], LINES[1], LINES[3]], "line 3 was moved"),
    "a line put in front": (
        ["P3,granted,library,v1,2024-01-01T10:00:00+00:00,,", *LINES],
        "line 2 was inserted between lines that were loaded before",
    ),
    "commented out": ([f"# {LINES[0]}", *LINES[1:]], "a line before line 3 was removed"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_ledger_that_did_not_only_grow_is_refused(kept: SmallStudy, what: str) -> None:
    kept.register("v2", "Another text.\n")
    before = events(kept)
    lines, message = TAMPERED[what]
    for more in ([], ["P9,granted,library,v1,2026-01-01T10:00:00+00:00,,"]):
        write(kept, *lines, *more)
        if more and not message.startswith(("line", "a line")):
            continue
        with pytest.raises(BadTable, match=r"consents\.csv differs from the ledger that was loaded before") as error:
            kept.load()
        assert message in error.value.what
        assert "add a line at the end" in error.value.remedy
        assert "P2" not in str(error.value)
        assert events(kept) == before
    write(kept, *LINES)
    kept.load()
    assert events(kept) == before


def test_a_vault_of_before_line_hashes_is_taken_on(kept: SmallStudy) -> None:
    from consonance.study.vault import open_study

    with open_study(kept.study) as connection:
        connection.execute("delete from vault.raw.ledger_lines")
        connection.execute("update vault.raw.consent_events set ledger_line = ledger_line + 10")
    write(kept, *LINES, "P3,granted,library,v1,2024-01-01T10:00:00+00:00,,")
    kept.load()
    assert [row[:2] for row in events(kept)] == [(11, "P1"), (12, "P2"), (13, "P1"), (14, "P2"), (15, "P3")]
    write(kept, *LINES[1:])
    with pytest.raises(BadTable, match="a line before line 2 was removed"):
        kept.load()


def test_an_event_under_an_unregistered_notice_is_refused(kept: SmallStudy) -> None:
    before = events(kept)
    write(kept, *LINES, "P3,granted,library,v2,2024-01-01T10:00:00+00:00,,")
    with pytest.raises(BadTable, match=r"line 6 names a form_version that is not in notices\.csv") as error:
        kept.load()
    assert "consonance consent notice" in error.value.remedy
    assert events(kept) == before
    kept.register("v2", "Another text.\n")
    kept.load()
    assert len(events(kept)) == 5


def notices(study: SmallStudy, *lines: str) -> None:
    study.study.notices_path.write_text(
        "\n".join(["form_version,language,title,file,sha256", *lines]) + "\n", encoding="utf-8"
    )


def test_a_notice_that_consent_was_given_to_keeps_its_hash(kept: SmallStudy) -> None:
    notice = kept.root / "notice-v1.txt"
    text = notice.read_text()
    digest = hashlib.sha256(notice.read_bytes()).hexdigest()

    def refused(match: str, remedy: str) -> None:
        with pytest.raises(BadTable, match=match) as error:
            kept.load()
        assert remedy in error.value.remedy
        assert kept.vault("select form_version, sha256 from vault.raw.notices") == [("v1", digest)]

    notice.write_text(text + "And now something else.\n")
    refused(r"line \d+ names a file with another SHA-256", "another form_version")
    other = hashlib.sha256(notice.read_bytes()).hexdigest()
    notices(kept, f"v1,en,Information,{notice.name},{other}")
    refused("line 2 changes the SHA-256 of a notice to which consent was given", "another form_version")
    notices(kept)
    refused("1 notices to which consent was given are missing", "restore the old line and the old file")
    notice.write_text(text)
    notices(kept, f"v1,en,Information,{notice.name},")
    refused("line 2 has no SHA-256", digest)
    notices(kept, "v1,en,Information,elsewhere.pdf,abc")
    refused("line 2 has no SHA-256", "consonance consent notice")
    notices(kept, f"v1,en,Information,../study/{notice.name},{digest}", f"v1,en,Again,,{digest}")
    refused("line 3 repeats a form_version", "Correct")
    # Title, language and place are the operator's; upper case is the same number.
    notices(kept, f"v1,de,Auskunft,kept elsewhere.pdf,{digest.upper()}")
    kept.load()
    assert kept.vault("select language, file, sha256 from vault.raw.notices") == [("de", "kept elsewhere.pdf", digest)]


def test_a_notice_that_nobody_consented_to_may_change(kept: SmallStudy) -> None:
    kept.register("v2", "A draft.\n")
    kept.load()
    draft = kept.study.notices_path.read_text().rsplit("\n", 2)[0]
    kept.study.notices_path.write_text(draft + "\n")
    kept.register("v2", "The text.\n")
    kept.load()
    assert kept.vault("select count(*) from vault.raw.notices") == [(2,)]


def test_moments_at_the_edge_of_time_are_a_fault_of_the_line(small: SmallStudy) -> None:
    write(small, "P1,granted,library,v1,0001-01-01T00:00:00+14:00,,")
    with pytest.raises(BadTable, match="line 2 has no date-time"):
        small.load()


def test_moments_count_to_the_millisecond(small: SmallStudy) -> None:
    """As in the warehouse: of two events within one millisecond the later line counts."""
    write(
        small,
        "P1,withdrawn,,v1,2025-01-01T10:00:00.000900+00:00,,",
        "P1,granted,library,v1,2025-01-01T10:00:00.000100+00:00,,",
    )
    small.load()
    assert small.vault("select distinct occurred_at::varchar from vault.raw.consent_events") == [
        ("2025-01-01 10:00:00",)
    ]


def test_the_vault_accepts_the_events_of_the_ledger_and_no_others() -> None:
    declared = tables()["consent_events"].columns["event"].type
    assert tuple(re.findall(r"'(\w+)'", declared)) == EVENTS
