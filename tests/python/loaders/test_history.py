"""What counts as a row: every row of every file is landed or rejected, with the reason."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from conftest import SmallStudy, account_play, as_bytes, as_zip, play
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.export_kinds import KINDS, recognise
from loaders.history_layouts import may_hold_history
from loaders.json_rows import split_rows
from loaders.load_report import DonationReport, MemberReport
from loaders.refusals import MemberBroken


def load_one(study: SmallStudy, content: Any, code: str = "P1") -> tuple[DonationReport, MemberReport]:
    if not study.vault(f"select 1 from vault.raw.keyring where participant_code = '{code}'"):
        study.admit(code)
    study.donate(code, content)
    donation = next(donation for donation in study.load().donations if donation.participant_code == code)
    return donation, donation.members[0] if donation.members else MemberReport("", "none")


GOOD = play()
REJECTED: dict[str, tuple[Any, str]] = {
    "a number": (17, "not_an_object"),
    "null": (None, "not_an_object"),
    "a text": ("row", "not_an_object"),
    "an array": ([1, 2], "not_an_object"),
    "another kind": (account_play(), "other_kind"),
    "no time": ({key: value for key, value in GOOD.items() if key != "ts"}, "missing_time"),
    "null time": (play(ts=None), "missing_time"),
    "blank time": (play(ts=""), "missing_time"),
    "a time in words": (play(ts="yesterday"), "unreadable_time"),
    "a date alone": (play(ts="2020-01-01"), "unreadable_time"),
    "a number for a time": (play(ts=1577836800), "numeric_time"),
    "milliseconds for a time": (play(ts=1577836800000), "numeric_time"),
    "a number in a text for a time": (play(ts="1577836800.0"), "numeric_time"),
    "one-digit month": (play(ts="2020-1-01T00:00:00Z"), "unreadable_time"),
    "hour 24": (play(ts="2020-01-01T24:00:00Z"), "unreadable_time"),
    "February 30": (play(ts="2020-02-30T00:00:00Z"), "impossible_time"),
    "no length": ({key: value for key, value in GOOD.items() if key != "ms_played"}, "missing_duration"),
    "null length": (play(ms_played=None), "missing_duration"),
    "blank length": (play(ms_played=""), "missing_duration"),
    "a length in words": (play(ms_played="many"), "unreadable_duration"),
    "true for a length": (play(ms_played=True), "unreadable_duration"),
    "an object for a length": (play(ms_played={"ms": 1}), "unreadable_duration"),
    "hexadecimal length": (play(ms_played="0x10"), "unreadable_duration"),
    "negative length": (play(ms_played=-1), "negative_duration"),
    "half a millisecond": (play(ms_played=1000.5), "fractional_duration"),
    "half a millisecond in a text": (play(ms_played="1000.5"), "fractional_duration"),
    "a length of an age": (play(ms_played=10**13), "impossible_duration"),
}


@pytest.mark.parametrize("name", REJECTED)
def test_a_broken_row_costs_that_row_and_keeps_the_reason(small: SmallStudy, name: str) -> None:
    row, reason = REJECTED[name]
    donation, member = load_one(small, [GOOD, row, play(ts="2024-01-01T00:00:00Z")])
    assert donation.status == "partly"
    assert (member.rows_in, member.landed, member.rejected, member.reasons) == (3, 2, 1, {reason: 1})
    assert small.vault("select row_no, reason from vault.raw.rejected_rows") == [(2, reason)]
    assert small.vault("select list(row_no order by row_no) from vault.raw.extended_plays") == [([1, 3],)]


def test_texts_that_only_json_itself_can_break_cost_the_row(small: SmallStudy) -> None:
    """What DuckDB refuses the whole file for: a duplicate key, a lone surrogate, a bad byte, broken syntax."""
    good = as_bytes(GOOD)
    rows = [
        good,
        good[:-1] + b', "ts": "2021-01-01T00:00:00Z"}',
        good.replace(b"A Track", b"\\ud800"),
        good.replace(b"A Track", b"caf\xe9"),
        good.replace(b'"shuffle": false', b'"shuffle": fals'),
        good.replace(b"2023", b"2024"),
    ]
    _, member = load_one(small, b"[" + b",\n".join(rows) + b"]")
    assert (member.rows_in, member.landed) == (6, 2)
    assert member.reasons == {"duplicate_key": 1, "invalid_json": 2, "invalid_utf8": 1}
    assert small.vault("select list(row_no order by row_no) from vault.raw.extended_plays") == [([1, 6],)]


@pytest.mark.parametrize("place", [0, 1], ids=["first row", "later row"])
def test_a_key_twice_costs_the_row_also_where_duckdb_takes_it(small: SmallStudy, place: int) -> None:
    rows = [as_bytes(GOOD), as_bytes(GOOD)]
    rows[place] = rows[place].replace(b'"ms_played": 60000', b'"ms_played": 1, "ms_played": 60000')
    _, member = load_one(small, b"[" + b",".join(rows) + b"]")
    assert (member.rows_in, member.landed, member.reasons) == (2, 1, {"duplicate_key": 1})
    assert small.vault("select row_no, ms_played from vault.raw.extended_plays") == [(2 - place, 60_000)]


ACCEPTED_TIMES = {
    "2020-06-01T12:00:00Z": "2020-06-01 12:00:00",
    "2020-06-01T12:00:00": "2020-06-01 12:00:00",
    "2020-06-01 12:00": "2020-06-01 12:00:00",
    "2020-06-01T12:00:00+02:00": "2020-06-01 10:00:00",
    "2020-06-01T12:00:00-0330": "2020-06-01 15:30:00",
    "2020-06-01T12:00:00.250Z": "2020-06-01 12:00:00.25",
    "1970-01-01T00:00:00Z": "1970-01-01 00:00:00",
}


def test_times_are_iso_8601_and_utc_without_an_offset(small: SmallStudy) -> None:
    _, member = load_one(small, [play(ts=ts) for ts in ACCEPTED_TIMES])
    assert member.landed == len(ACCEPTED_TIMES)
    assert [
        str(ts) for (ts,) in small.vault("select ts::varchar from vault.raw.extended_plays order by row_no")
    ] == list(ACCEPTED_TIMES.values())


def test_whole_numbers_count_however_they_are_written(small: SmallStudy) -> None:
    content = json.dumps([play(ms_played="LENGTH")] * 6).encode()
    for text in (b"1000", b"1000.0", b"1e3", b'"1000"', b'"1000.0"', b"0"):
        content = content.replace(b'"LENGTH"', text, 1)
    _, member = load_one(small, content)
    assert member.landed == 6
    assert small.vault("select list(ms_played order by row_no) from vault.raw.extended_plays") == [
        ([1000, 1000, 1000, 1000, 1000, 0],)
    ]


def test_other_fields_of_a_wrong_type_are_null_and_counted(small: SmallStudy) -> None:
    row = play(
        master_metadata_track_name={"email": "jane@mail.example"},
        master_metadata_album_artist_name=["a"],
        episode_name=5,
        platform=True,
        shuffle="true",
        skipped=1,
        offline={},
        offline_timestamp="1600000000",
        reason_end="",
        conn_country=None,
    )
    _, member = load_one(small, [GOOD, row])
    assert member.landed == 2
    landed = small.vault(
        "select track_name, artist_name, episode_name, platform, shuffle, skipped, offline, offline_timestamp, reason_end, country from vault.raw.extended_plays where row_no = 2"
    )
    assert landed == [(None,) * 10]
    drift = dict(small.vault("select name, occurrences from vault.raw.schema_drift where what = 'type'"))
    assert drift == dict.fromkeys(
        [
            "master_metadata_track_name",
            "master_metadata_album_artist_name",
            "episode_name",
            "platform",
            "shuffle",
            "skipped",
            "offline",
            "offline_timestamp",
        ],
        1,
    )


def test_unlisted_keys_are_counted_and_never_landed(small: SmallStudy) -> None:
    rows = [GOOD, GOOD | {"mood_ring": "jane@mail.example", "jane@mail.example": 1}]
    load_one(small, rows)
    drift = dict(small.vault("select name, occurrences from vault.raw.schema_drift where what = 'key'"))
    assert drift == {
        "username": 2,
        "ip_addr_decrypted": 2,
        "user_agent_decrypted": 2,
        "mood_ring": 1,
        "(no plain name)": 1,
    }
    with small.opened() as connection:
        columns = connection.execute(
            "select table_name, column_name from information_schema.columns where table_catalog = 'vault' and table_schema = 'raw' and data_type = 'VARCHAR'"
        ).fetchall()
        for table, column in columns:
            for needle in ("198.51.100.7", "jane@mail.example"):
                assert connection.execute(
                    f'select count(*) from vault.raw."{table}" where contains("{column}", ?)', [needle]
                ).fetchall() == [(0,)], (table, column)


def test_strings_arrive_as_they_are(small: SmallStudy) -> None:
    titles = [
        'say "hi" \\ / \n',
        "🎧 \u200b\u00a0",
        "[Intro]",
        "7 rings",
        "true",
        "null",
        "{",
        "-1",
        "NaN",
        "'; drop table plays; --",
        "a\u0000b",
    ]
    load_one(
        small,
        [
            play(ts=f"2023-05-01T10:{place:02d}:00Z", master_metadata_track_name=title)
            for place, title in enumerate(titles)
        ],
    )
    assert [
        title for (title,) in small.vault("select track_name from vault.raw.extended_plays order by row_no")
    ] == titles


BROKEN = {
    "cut off in its only row": (as_bytes([GOOD])[:-40], "cut_off_json"),
    "cut off in a row": (as_bytes([GOOD] * 3)[:-40], "cut_off_json"),
    "cut off between rows": (as_bytes([GOOD] * 3)[:-1], "cut_off_json"),
    "two arrays, the second cut off": (as_bytes([GOOD]) + as_bytes([GOOD])[:-1], "cut_off_json"),
    "a bracket too many": (as_bytes([GOOD]) + b"]", "malformed_json"),
    "columns instead of rows": (as_bytes({"ts": {"0": GOOD["ts"]}, "ms_played": {"0": 1}}), "unknown_layout"),
    "a CSV with other columns": (b"ts,ms_played,track_name\n2023-05-01T10:00:00Z,5,x\n", "history_as_csv"),
    "a CSV that is none": (
        b'ts,ms_played,master_metadata_track_name,master_metadata_album_artist_name\n2023-05-01T10:00:00Z,5,"x\n',
        "history_as_csv",
    ),
    "a CSV with two kinds of line ends": (
        b"endTime,artistName,trackName,msPlayed\r2023-05-01 10:00,A,B,5\n2023-05-01 10:00,A,B,5\r",
        "history_as_csv",
    ),
    "a missing comma": (b"[" + as_bytes(GOOD) + as_bytes(GOOD) + b"]", "malformed_json"),
    "UTF-16": (json.dumps([GOOD]).encode("utf-16"), "wrong_encoding"),
    "UTF-16 without a mark": (json.dumps([GOOD]).encode("utf-16-le"), "wrong_encoding"),
    "empty": (b"", "empty_file"),
    "blank": (b" \n", "empty_file"),
    "deeply nested": (b"[" + as_bytes(GOOD)[:-1] + b', "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]", "too_deep"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_member_costs_that_member(small: SmallStudy, name: str) -> None:
    content, reason = BROKEN[name]
    small.admit("P1")
    as_zip(
        small.study.inbox / "P1" / "x.zip",
        {"MyData/endsong_0.json": content, "MyData/endsong_1.json": [play(ts="2024-01-01T00:00:00Z")]},
    )
    (donation,) = small.load().donations
    assert (donation.status, donation.reason) == ("partly", reason)
    assert "endsong_0.json" in (donation.advice or "")
    assert sorted((member.status, member.landed) for member in donation.members) == [("broken", 0), ("landed", 1)]
    assert small.vault("select count(*) from vault.raw.extended_plays") == [(1,)]


HARMLESS = {
    "a byte order mark": b"\xef\xbb\xbf" + as_bytes([GOOD]),
    "windows line ends": json.dumps([GOOD], indent=2).replace("\n", "\r\n").encode(),
    "the layout of 2026": ("[ " + json.dumps(GOOD, indent=2, separators=(",", " : ")) + " ]").encode(),
    "a comma too many": b"[" + as_bytes(GOOD) + b",]",
    "a CSV with the line ends of an old Macintosh": b"endTime,artistName,trackName,msPlayed\r2023-05-01 10:00,A,B,5\r",
}


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_layouts_land(small: SmallStudy, name: str) -> None:
    _, member = load_one(small, HARMLESS[name])
    assert (member.rows_in, member.landed) == (1, 1)


def test_a_deep_value_of_an_unlisted_key_is_not_landed_and_no_harm(small: SmallStudy) -> None:
    deep = as_bytes(play(ts="2024-01-01T00:00:00Z"))[:-1] + b', "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    _, member = load_one(small, b"[" + as_bytes(GOOD) + b"," + deep + b"]")
    assert member.landed == 2
    assert small.vault("select name from vault.raw.schema_drift where name = 'x'") == [("x",)]


@pytest.mark.slow
def test_a_deep_or_huge_document_is_no_history_and_no_harm(small: SmallStudy) -> None:
    for code, content in (
        ("P1", b"[" * 200_000 + b"]" * 200_000),
        ("P2", b"[" + b"1," * 2_000_000 + b"1]"),
        ("P3", b"[" * 1_000_000),
    ):
        donation, _ = load_one(small, content, code)
        assert (donation.status, donation.reason) == ("refused", "no_history")


def test_files_are_recognised_by_content_and_the_rest_is_counted(small: SmallStudy) -> None:
    small.admit("P1")
    as_zip(
        small.study.inbox / "P1" / "x.zip",
        {
            "renamed by hand.txt": [play()],
            "MyData/StreamingHistory0.json": [account_play()],
            "StreamingHistory_podcast_0.json": [
                {"endTime": "2023-05-01 10:00", "podcastName": "S", "episodeName": "E", "msPlayed": 5}
            ],
            "a.json": [
                {
                    "endTime": "2023-05-01 10:00",
                    "audiobookName": "B",
                    "chapterName": "C",
                    "authorName": "A",
                    "msPlayed": 5,
                }
            ],
            "Streaming_History_Audio_2020.json": {"not": "history"},
            "UserAddress.json": "List(Map(street -> Main Street))",
            "SearchQueries.json": [{"searchQuery": "jane@mail.example", "searchTime": "x"}],
            "empty.json": "[]",
        },
    )
    (donation,) = small.load().donations
    assert sorted((member.member, member.kind) for member in donation.members) == [
        ("MyData/StreamingHistory0.json", "music"),
        ("StreamingHistory_podcast_0.json", "podcast"),
        ("a.json", "audiobook"),
        ("renamed by hand.txt", "extended"),
    ]
    assert donation.unlisted_files == 4
    assert small.vault("select occurrences from vault.raw.schema_drift where what = 'file'") == []
    assert small.vault("select unlisted_files from vault.raw.donations") == [(4,)]


def test_the_first_recognisable_row_decides(small: SmallStudy) -> None:
    _, member = load_one(small, [None, {}, {"foo": 1}, account_play(), play(), account_play(title="Other")])
    assert (member.kind, member.rows_in, member.landed) == ("music", 6, 2)
    assert member.reasons == {"missing_time": 2, "not_an_object": 1, "other_kind": 1}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_is_known_by_its_keys(kind: Any) -> None:
    assert recognise([kind.time_key, kind.duration_key, *kind.names]) is kind
    assert recognise([kind.time_key, *kind.names[:2]]) is kind
    assert recognise([kind.time_key]) is None
    assert recognise(["searchTime", "searchQuery", "platform"]) is None


def test_every_usual_file_is_read_by_duckdb_and_not_row_by_row(
    small: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    from loaders.history import HistoryLander

    def never(*_: object) -> None:
        raise AssertionError("the slow path was taken")

    monkeypatch.setattr(HistoryLander, "_salvage", never)
    _, member = load_one(
        small, [play(master_metadata_track_name='7 "rings" [live]'), play(ms_played="5"), play(shuffle=""), None]
    )
    assert member.landed == 3


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(json_values, max_size=6), st.sampled_from([None, 2]))
def test_splitting_finds_the_elements_that_json_finds(values: list[Any], indent: int | None) -> None:
    text = json.dumps(values, indent=indent, ensure_ascii=False).encode("utf-8", "surrogatepass")
    assert [json.loads(row) for row in split_rows(text, "x")] == values


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_splitting_never_raises_anything_but_a_broken_member(tail: bytes) -> None:
    body = b"[" + as_bytes(GOOD) + tail
    try:
        list(split_rows(body, "x"))
    except MemberBroken as broken:
        assert broken.reason in ("cut_off_json", "malformed_json")


@pytest.mark.slow
def test_damaged_histories_account_for_every_row(small: SmallStudy) -> None:
    """200 files with random damage in random fields: landed and rejected add up, by an independent parse."""
    fields = list(GOOD)
    values = [None, "", 0, -1, 1.5, 10**20, True, "x", "2020-01-01T00:00:00Z", {"a": 1}, ["b"], "7", "\ud83d"]
    expected = {}
    for number in range(200):
        draw = random.Random(number)
        rows: list[Any] = []
        for _ in range(draw.randrange(1, 8)):
            row: Any = dict(GOOD)
            for _ in range(draw.randrange(3)):
                row[draw.choice(fields)] = draw.choice(values)
            if draw.random() < 0.2:
                del row[draw.choice(list(row))]
            if draw.random() < 0.1:
                row = draw.choice([None, 5, "x", [], account_play()])
            rows.append(row)
        code = f"R{number:03d}"
        small.admit(code)
        small.donate(code, json.dumps([dict(GOOD), *rows]))
        expected[code] = len(rows) + 1
    for code, donations in small.load().by_participant().items():
        (member,) = donations[0].members
        assert member.rows_in == expected[code] == member.landed + member.rejected, code
        assert sum(member.reasons.values()) == member.rejected
    landed = small.vault(
        "select count(*), count(*) filter (where ts is null or ms_played is null or ms_played < 0) from vault.raw.extended_plays"
    )
    assert landed[0][0] > 400
    assert landed[0][1] == 0


def test_only_arrays_are_worth_reading() -> None:
    assert may_hold_history(b' \n[ {"ts"')
    assert may_hold_history(b"\xef\xbb\xbf[")
    assert may_hold_history(b"\xff\xfe[\x00")
    assert may_hold_history(b'{"ts": 1, "ms_played": 1}')
    assert may_hold_history(b"ts,platform,ms_played")
    assert not may_hold_history(b'{"ts": 1}')
    assert not may_hold_history(b"%PDF-1.4")
    assert not may_hold_history(b"List(Map(")
