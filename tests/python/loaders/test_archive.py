"""Hostile and broken donations: each refused by name, leaving nothing behind."""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import SmallStudy, as_bytes, as_zip, play, zipped
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loaders.archive import Caps, open_donation
from loaders.member_content import PEEK
from loaders.refusals import DonationRefused, MemberBroken

HISTORY = as_bytes([play()])


def link() -> bytes:
    entry = zipfile.ZipInfo("history.json")
    entry.external_attr = 0o120777 << 16
    return zipped((entry, b"/etc/passwd"))


def twice() -> bytes:
    with pytest.warns(UserWarning, match="Duplicate name"):
        return zipped(("a.json", HISTORY), ("a.json", b"[]"))


def renamed(old: str, new: str) -> bytes:
    return zipped((old, HISTORY)).replace(old.encode(), new.encode())


def encrypted() -> bytes:
    packed = bytearray(zipped(("a.json", HISTORY)))
    packed[6] |= 1
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    return bytes(packed)


def claiming(size: int) -> bytes:
    """A zip whose central directory claims that its member unpacks to ``size`` bytes."""
    packed = bytearray(zipped(("a.json", HISTORY)))
    struct.pack_into("<I", packed, packed.index(b"PK\x01\x02") + 24, size)
    return bytes(packed)


def pointing_outside() -> bytes:
    packed = bytearray(zipped(("a.json", HISTORY)))
    struct.pack_into("<I", packed, packed.index(b"PK\x01\x02") + 20, 0x7FFFFFFF)
    return bytes(packed)


def false_utf8_flag() -> bytes:
    packed = bytearray(zipped(("aXb.json", HISTORY)).replace(b"aXb.json", b"a\xffb.json"))
    place = packed.index(b"PK\x01\x02")
    packed[place + 9] |= 0x08
    return bytes(packed)


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "not a zip": (lambda: b"Rar!\x1a\x07\x00 something", "not_a_zip"),
    "empty file": (lambda: b"", "not_a_zip"),
    "cut off": (lambda: zipped(("a.json", HISTORY))[:-30], "damaged_zip"),
    "bomb": (lambda: zipped(("a.json", b"[" + b" " * (40 << 20) + b"]")), "bomb"),
    "claims 4 GB": (lambda: claiming(0xFFFFFFFE), "too_big"),
    "points outside": (pointing_outside, "damaged_zip"),
    "traversal": (lambda: zipped(("../../etc/history.json", HISTORY)), "unsafe_name"),
    "traversal with backslashes": (lambda: renamed("aa/b/history.json", "..\\b\\history.json"), "unsafe_name"),
    "absolute": (lambda: zipped(("/tmp/history.json", HISTORY)), "unsafe_name"),
    "a drive": (lambda: renamed("x_/history.json", "C:/history.json"), "unsafe_name"),
    "link": (link, "link"),
    "one name twice": (twice, "duplicate_name"),
    "zip in a zip in a zip": (
        lambda: zipped(("outer.zip", zipped(("inner.zip", zipped(("a.json", HISTORY)))))),
        "nested_archive",
    ),
    "zip in a zip in a zip under other names": (
        lambda: zipped(("a.json", HISTORY), ("b.json", zipped(("c.json", zipped(("a.json", HISTORY)))))),
        "nested_archive",
    ),
    "bomb in a zip in a zip": (
        lambda: zipped(("inner.zip", zipped(("a.json", b"[" + b" " * (40 << 20) + b"]")))),
        "bomb",
    ),
    "bomb that only both zips make": (
        lambda: zipped(
            ("inner.zip", zipped(("a.json", b"[" + b" " * (40 << 20) + b"]"), compression=zipfile.ZIP_STORED))
        ),
        "bomb",
    ),
    "traversal in a zip in a zip": (
        lambda: zipped(("inner.zip", zipped(("../history.json", HISTORY)))),
        "unsafe_name",
    ),
    "one name twice, once with a back-slash": (
        lambda: zipped(("aa/b.json", HISTORY), ("aaxb.json", HISTORY)).replace(b"aaxb.json", b"aa\\b.json"),
        "duplicate_name",
    ),
    "gzip in a zip": (lambda: zipped(("a.json", HISTORY), ("b.json.gz", b"\x1f\x8b\x08 something")), "nested_archive"),
    "encrypted": (encrypted, "encrypted"),
    "lzma": (lambda: zipped(("a.json", HISTORY), compression=zipfile.ZIP_LZMA), "unsupported_zip"),
    "false UTF-8 flag": (false_utf8_flag, "damaged_zip"),
    "wrong package": (lambda: zipped(("Technical Log/a.json", as_bytes([{"timestamp_utc": "x"}]))), "no_history"),
    "no files": (lambda: zipped(), "no_history"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_hostile_zips_are_refused_leave_nothing_and_do_not_stop_others(small: SmallStudy, name: str) -> None:
    make, reason = REFUSED[name]
    small.admit("P1")
    small.admit("P2")
    place = small.study.inbox / "P1" / "theirs.zip"
    place.parent.mkdir()
    place.write_bytes(make())
    small.donate("P2", [play()])
    before = sorted(path.relative_to(small.root) for path in small.root.rglob("*"))
    report = small.load()
    refused, loaded = report.donations
    assert (refused.status, refused.reason) == ("refused", reason)
    assert "theirs.zip" in refused.file
    assert refused.advice and len(refused.advice) > 20
    assert loaded.status == "loaded"
    assert report.exit_status == 2
    assert sorted(path.relative_to(small.root) for path in small.root.rglob("*")) == before
    for table in (
        "donations",
        "members",
        "donation_members",
        "extended_plays",
        "rejected_rows",
        "schema_drift",
        "broken_members",
    ):
        assert small.vault(
            f"select count(*) from vault.raw.{table} inner join vault.raw.keyring using (participant_no) where participant_code = 'P1'"
        ) == [(0,)]


def test_too_many_members_and_bytes_are_refused(tmp_path: Path) -> None:
    path = as_zip(tmp_path / "many.zip", {f"{number}.json": "[]" for number in range(11)})
    with pytest.raises(DonationRefused, match="11 files") as refusal, open_donation(path, caps=Caps(members=10)):
        pass
    assert refusal.value.reason == "too_many_members"
    with pytest.raises(DonationRefused) as refusal, open_donation(path, caps=Caps(total_bytes=21)):
        pass
    assert refusal.value.reason == "too_big"


def test_the_directory_entry_with_content_of_real_exports_is_nothing_special(tmp_path: Path) -> None:
    path = as_zip(
        tmp_path / "real.zip", {"Spotify Account Data/": "placeholder", "Spotify Account Data/a.json": HISTORY}
    )
    with open_donation(path) as members:
        assert [member.name for member in members] == ["Spotify Account Data/a.json"]
        assert members[0].read() == HISTORY


def test_a_wrong_checksum_costs_the_member(small: SmallStudy) -> None:
    small.admit("P1")
    packed = bytearray(zipped(("a.json", HISTORY), ("b.json", as_bytes([play(ts="2024-01-01T00:00:00Z")]))))
    last = packed.rindex(b"PK\x01\x02")
    packed[last + 16] ^= 0xFF
    path = small.study.inbox / "P1" / "x.zip"
    path.parent.mkdir()
    path.write_bytes(bytes(packed))
    (donation,) = small.load().donations
    assert (donation.status, donation.reason) == ("partly", "wrong_crc")
    assert [(member.member, member.status, member.landed, member.reason) for member in donation.members] == [
        ("a.json", "landed", 1, None),
        ("b.json", "broken", 0, "wrong_crc"),
    ]
    assert "b.json" in (donation.advice or "")


def test_folders_with_links_and_pipes_are_refused(small: SmallStudy, tmp_path: Path) -> None:
    for code, make in (("P1", lambda path: path.symlink_to("/etc/passwd")), ("P2", os.mkfifo)):
        small.admit(code)
        folder = small.study.inbox / code / "MyData"
        folder.mkdir(parents=True)
        (folder / "a.json").write_bytes(HISTORY)
        make(folder / "b.json")
    report = small.load()
    assert [(donation.status, donation.reason) for donation in report.donations] == [("refused", "link")] * 2


def test_a_link_in_the_inbox_is_not_followed(small: SmallStudy, tmp_path: Path) -> None:
    small.admit("P1")
    outside = as_zip(tmp_path / "outside.zip", {"a.json": HISTORY})
    (small.study.inbox / "P1").mkdir()
    (small.study.inbox / "P1" / "mine.zip").symlink_to(outside)
    (donation,) = small.load().donations
    assert (donation.status, donation.reason) == ("refused", "link")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_zips_never_raise_anything_but_a_refusal(tmp_path: Path, data: st.DataObject) -> None:
    """Bytes of a good zip are overwritten, cut out or repeated."""
    whole = zipped(
        ("MyData/a.json", HISTORY * 3),
        ("MyData/b.json", b"[]"),
        compression=data.draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])),
    )
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(damaged) - 1))
        match data.draw(st.sampled_from(["overwrite", "cut", "repeat"])):
            case "overwrite":
                damaged[start : start + 4] = data.draw(st.binary(min_size=1, max_size=4))
            case "cut":
                del damaged[start : start + data.draw(st.integers(1, 40))]
            case _:
                damaged[start:start] = damaged[start : start + data.draw(st.integers(1, 40))]
        if not damaged:
            break
    path = tmp_path / "damaged.zip"
    path.write_bytes(bytes(damaged))
    try:
        with open_donation(path) as members:
            for member in members:
                member.peek()
                assert len(member.read()) <= Caps().member_bytes
    except (DonationRefused, MemberBroken) as refusal:
        assert refusal.reason and refusal.remedy


def test_peek_reads_no_more_than_it_says(tmp_path: Path) -> None:
    path = as_zip(tmp_path / "big.zip", {"a.json": b"[" + os.urandom(2 << 20).hex().encode() + b"]"})
    with open_donation(path) as (member,):
        assert len(member.peek()) == PEEK
