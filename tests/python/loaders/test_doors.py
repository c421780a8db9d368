"""Whatever is wrong with one donation costs that donation; histories as people make them are read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from conftest import SmallStudy, account_play, as_bytes, as_zip, play, zipped

from loaders import inbox
from loaders.load_report import DonationReport

FIRST, SECOND = play(), play(ts="2024-01-01T00:00:00Z")
DOCUMENT = zipped(("[Content_Types].xml", b"<Types/>"), ("word/document.xml", b"<w/>"))
CSV = (
    "ts,ms_played,master_metadata_track_name,master_metadata_album_artist_name,spotify_track_uri,skipped,offline_timestamp\n"
    '2024-05-01 10:00:00+00:00,180000,"One, two",Somebody,,True,1714557600.0\n'
    "yesterday,180000,x,y,,False,\n"
)


def only(study: SmallStudy) -> DonationReport:
    (donation,) = study.load().donations
    return donation


def lay(study: SmallStudy, name: str, content: bytes, code: str = "P1") -> Path:
    path = study.study.inbox / code / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


SURROGATES: dict[str, bytes] = {
    "in a user name": as_bytes([FIRST]).replace(b"some-listener", b"\\ud800"),
    "in a key": as_bytes([FIRST]).replace(b"username", b"\\udfff"),
}


@pytest.mark.parametrize("where", SURROGATES)
def test_half_a_character_costs_the_row(small: SmallStudy, where: str) -> None:
    small.admit("P1")
    small.admit("P2")
    small.donate("P1", SURROGATES[where])
    small.donate("P2", [FIRST])
    report = small.load()
    assert [(one.status, one.rows("landed"), one.rows("rejected")) for one in report.donations] == [
        ("partly", 0, 1),
        ("loaded", 1, 0),
    ]
    assert report.donations[0].members[0].reasons == {"invalid_json": 1}


def test_a_file_name_that_is_no_utf_8_is_read_and_printed(small: SmallStudy) -> None:
    small.admit("P1")
    folder = os.fsencode(small.study.inbox / "P1" / "unpacked")
    os.makedirs(folder)  # noqa: PTH103
    with open(folder + b"/caf\xe9.json", "wb") as file:  # noqa: PTH123
        file.write(as_bytes([FIRST]))
    donation = only(small)
    assert (donation.status, donation.members[0].member, donation.rows("landed")) == ("loaded", "caf?.json", 1)


def test_a_folder_whose_name_is_no_utf_8_is_held(small: SmallStudy) -> None:
    os.makedirs(os.fsencode(small.study.inbox) + b"/caf\xe9/MyData")  # noqa: PTH103
    donation = only(small)
    assert (donation.participant_code, donation.status, donation.reason) == ("caf?", "held", "no_code")


def test_whatever_nobody_foresaw_costs_one_donation_and_shows_nothing(
    small: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(path: Path, *_: Any) -> str:
        if path.name == "odd.zip":
            raise ValueError("jane@mail.example")
        return "a fingerprint"

    monkeypatch.setattr(inbox, "fingerprint", raises)
    small.admit("P1")
    small.admit("P2")
    small.donate("P1", [FIRST], name="odd.zip")
    small.donate("P2", [FIRST])
    report = small.load()
    assert [(one.status, one.reason) for one in report.donations] == [("refused", "unforeseen"), ("loaded", None)]
    assert report.exit_status == 2
    assert "jane" not in json.dumps(report.as_json())


WHOLE: dict[str, dict[str, Any]] = {
    "a document beside it": {"a.json": [FIRST, SECOND], "consent form.docx": DOCUMENT},
    "no zip under the name of a document": {"a.json": [FIRST, SECOND], "b.pptx": b"PK\x03\x04 something"},
    "what a Mac puts beside it": {"a.json": [FIRST, SECOND], "__MACOSX/._a.json": b"\0\5\x16\7", ".DS_Store": b"\0\0\0\1Bud1"},
    "what Windows puts beside it": {"a.json": [FIRST, SECOND], "a.json:Zone.Identifier": "[ZoneTransfer]", "Thumbs.db": b"x"},
    "back-slashes between folders": {"MyData\\endsong_0.json": [FIRST], "MyData\\endsong_1.json": [SECOND]},
    "a zip for each package": {"a.zip": zipped(("a.json", as_bytes([FIRST]))), "a (1).zip": zipped(("b.json", as_bytes([account_play()])))},
    "the same file in a zip within": {"a.json": [FIRST, SECOND], "again.zip": zipped(("b.json", as_bytes([FIRST, SECOND])))},
    "arrays one after the other": {"a.json": as_bytes([FIRST]) + as_bytes([SECOND])},
    "arrays with a line between": {"a.json": as_bytes([FIRST]) + b"\n--- next file ---\n" + as_bytes([SECOND]) + b"\nend"},
    "arrays with a heading": {"a.json": b"first file\n" + as_bytes([FIRST, SECOND])},
    "one object a line": {"a.json": as_bytes(FIRST) + b"\n" + as_bytes(SECOND) + b"\n"},
    "NaN where nothing is": {"a.json": as_bytes([FIRST, SECOND]).replace(b'"skipped": null', b'"skipped": NaN')},
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
def test_histories_as_people_pack_them_land_whole(small: SmallStudy, name: str) -> None:
    small.admit("P1")
    as_zip(small.study.inbox / "P1" / "x.zip", WHOLE[name])
    donation = only(small)
    assert (donation.status, donation.rows("rows_in"), donation.rows("landed")) == ("loaded", 2, 2)
    assert donation.unlisted_files == (1 if "document" in name else 0)


def test_a_history_saved_as_csv_lands(small: SmallStudy) -> None:
    small.admit("P1")
    lay(small, "spotify_history.csv", CSV.encode())
    donation = only(small)
    assert (donation.rows("rows_in"), donation.rows("landed")) == (2, 1)
    assert donation.members[0].reasons == {"unreadable_time": 1}
    assert small.vault(
        "select ts::varchar, ms_played, track_name, track_uri, skipped, offline_timestamp from vault.raw.extended_plays"
    ) == [("2024-05-01 10:00:00", 180000, "One, two", None, True, 1714557600)]


def test_what_computers_and_spotify_put_beside_a_history_is_passed_over(small: SmallStudy) -> None:
    small.admit("P1")
    small.donate("P1", [FIRST], name="x.zip")
    for name in (
        "x.zip:Zone.Identifier",
        "ReadMeFirst_ExtendedStreamingHistory.pdf",
        ".DS_Store",
        "desktop.ini",
        "._x.zip",
    ):
        lay(small, name, b"x")
    report = small.load()
    assert ([one.status for one in report.donations], report.exit_status) == (["loaded"], 0)


def test_what_is_not_read_is_listed(small: SmallStudy) -> None:
    small.admit("P1")
    for name in ("notes.txt", ".x.zip.icloud", "consent.pdf"):
        lay(small, name, b"%something")
    report = small.load()
    assert [(one.status, one.reason) for one in report.donations] == [("refused", "not_a_zip")] * 3
    assert report.exit_status == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in folders here")
def test_a_pipe_in_the_inbox_is_refused_and_nobody_waits_for_it(small: SmallStudy) -> None:
    small.admit("P1")
    small.donate("P1", [play()])
    os.mkfifo(small.study.inbox / "P1" / "more.json")
    report = small.load()
    assert [(donation.status, donation.reason) for donation in report.donations] == [
        ("loaded", None),
        ("refused", "no_file"),
    ]
