"""AcousticBrainz' tables and documents, and redirects: true layouts land, and what is broken costs itself."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import signal
import tarfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import duckdb
import fsspec
import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from consonance.study.schema import tables
from loaders import dumps
from loaders.dumps import DumpReport, Progress, add_dump
from loaders.streams import NoTable

RHYTHM = (
    "mbid,submission_offset,bpm,bpm_histogram_first_peak_bpm_mean,bpm_histogram_first_peak_bpm_median,"
    "bpm_histogram_second_peak_bpm_mean,bpm_histogram_second_peak_bpm_median,danceability,onset_rate"
)
TONAL = "mbid,submission_offset,key_key,key_scale,tuning_frequency,tuning_equal_tempered_deviation"
LOWLEVEL = "mbid,submission_offset,average_loudness,dynamic_complexity,mfcc_zero_mean"
REDIRECTS = "recording_mbid,canonical_recording_mbid,canonical_release_mbid"
LOW, HIGH = "acousticbrainz_lowlevel", "acousticbrainz_highlevel"


def mbid(number: int) -> str:
    return str(uuid.UUID(int=number))


def text(header: str, *rows: str) -> bytes:
    return "\n".join((header, *rows, "")).encode()


def archive(**contents: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as made:
        for name, content in contents.items():
            entry = tarfile.TarInfo(f"dump/{name.replace('__', '.')}")
            entry.size = len(content)
            made.addfile(entry, io.BytesIO(content))
    return zstd.compress(packed.getvalue())


def connected(path: str = ":memory:") -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.register_filesystem(fsspec.filesystem("memory"))
    connection.execute(f"attach '{path}' as catalogue; create schema if not exists catalogue.music")
    connection.execute("".join(table.ddl() for table in tables("catalogue.music").values()))
    return connection


@pytest.fixture
def catalogue() -> Iterator[duckdb.DuckDBPyConnection]:
    with connected() as connection:
        yield connection


def add(catalogue: duckdb.DuckDBPyConnection, source: str, path: Path, content: bytes | None = None) -> DumpReport:
    if content is not None:
        path.write_bytes(content)
    report = add_dump(catalogue, source, path)
    assert report.rows_in == report.landed + sum(report.rejected.values())
    return report


def rows(catalogue: duckdb.DuckDBPyConnection, table: str) -> list[tuple[object, ...]]:
    return [
        tuple(str(one) if isinstance(one, uuid.UUID) else one for one in row)
        for row in catalogue.execute(f"from catalogue.music.{table} order by all").fetchall()
    ]


def test_the_three_tables_of_acousticbrainz_are_told_by_their_headers(
    catalogue: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    content = archive(
        COPYING=b"CC0",
        a__csv=text(RHYTHM, f"{mbid(1)},0,120.5,120,120,60,60,1.25,3.5", f"{mbid(1)},1,,,,,,nan,inf"),
        b__csv=text(TONAL, f"{mbid(1)},0,Eb,minor,440.5,0.1", f"{mbid(2)},0,A#,major,,"),
        c__csv=text(LOWLEVEL, f"{mbid(1)},0,0.9,4.5,-700"),
    )
    report = add(catalogue, LOW, tmp_path / "ab.tar.zst", content)
    assert (report.rows_in, report.landed, report.rejected) == (5, 5, {})
    assert rows(catalogue, "acousticbrainz_rhythm") == [
        (mbid(1), 0, 120.5, 1.25, 3.5), (mbid(1), 1, None, None, None),
    ]  # fmt: skip
    assert rows(catalogue, "acousticbrainz_tonal") == [(mbid(1), 0, 3, 0, 440.5), (mbid(2), 0, 10, 1, None)]
    assert rows(catalogue, "acousticbrainz_lowlevel") == [(mbid(1), 0, 0.9, 4.5)]


def test_each_reason_has_its_own_count(catalogue: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    content = text(
        LOWLEVEL,
        f"{mbid(1)},0,0.9,4.5,-700",
        f"{mbid(1)},0,0.8,4.5,-700",
        ",0,0.9,4.5,-700",
        "no-uuid,0,0.9,4.5,-700",
        f"{mbid(2)},,0.9,4.5,-700",
        f"{mbid(3)},0,loud,4.5,-700",
        f"{mbid(4)},0,0.9",
        f"{mbid(5)},0,0.9,4.5,-700,more",
        f'{mbid(6)},0,"0.9"x,4.5,-700',
        f"{mbid(7)},0,,,",
    )
    report = add(catalogue, LOW, tmp_path / "lowlevel.csv", content)
    assert report.rejected == {
        "no_recording_id": 2, "no_submission_offset": 1, "unreadable_average_loudness": 2, "too_few_values": 1,
        "too_many_values": 1, "repeated_submission": 1,
    }  # fmt: skip
    assert rows(catalogue, "acousticbrainz_lowlevel") == [(mbid(1), 0, 0.9, 4.5), (mbid(7), 0, None, None)]


def test_redirects_come_from_the_archive_of_canonical_data(
    catalogue: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    names = "artist_credit_name,recording_mbid,recording_name"
    content = archive(
        names__csv=text(names, f"A,{mbid(1)},One"),
        redirects__csv=text(REDIRECTS, f"{mbid(2)},{mbid(1)},{mbid(9)}", f"{mbid(3)},,{mbid(9)}"),
    )
    assert add(catalogue, "musicbrainz_canonical", tmp_path / "dump.tar.zst", content).landed == 1
    report = add(catalogue, "musicbrainz_redirects", tmp_path / "dump.tar.zst")
    assert (report.landed, report.rejected) == (1, {"no_canonical_recording_id": 1})
    assert rows(catalogue, "recording_redirects") == [(mbid(2), mbid(1))]
    newer = text(REDIRECTS, f"{mbid(4)},{mbid(1)},{mbid(9)}")
    add(catalogue, "musicbrainz_redirects", tmp_path / "newer.csv", newer)
    assert rows(catalogue, "recording_redirects") == [(mbid(4), mbid(1))]
    assert [row[0] for row in rows(catalogue, "dumps")] == ["musicbrainz_canonical", "musicbrainz_redirects"]


# The forms in which documents of AcousticBrainz are had.
def highlevel(happy: float) -> dict[str, object]:
    return {
        "mood_happy": {"all": {"happy": happy, "not_happy": 1 - happy}, "value": "happy", "probability": happy},
        "danceability": {"value": "not_danceable", "probability": 0.75},
        "genre_rosamerica": {"all": {"jaz": happy, "roc": "much"}, "value": "jaz", "probability": happy},
        "voice_instrumental": {"all": {"instrumental": "much", "voice": 1}, "value": "voice", "probability": 0.875},
    }


def lowlevel(bpm: float | None) -> dict[str, object]:
    return {
        "lowlevel": {"average_loudness": 0.5, "dynamic_complexity": 3.5},
        "rhythm": {"bpm": bpm, "danceability": 1.5, "onset_rate": 2.5},
        "tonal": {"key_key": "F#", "key_scale": "minor", "tuning_frequency": 440.0},
    }


TAGS = {"tags": {"musicbrainz_recordingid": [mbid(3)]}}


def test_documents_land_in_every_form(catalogue: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    for name, document in {
        f"{mbid(1)}-2.json": {"highlevel": highlevel(0.1), "metadata": {}},
        f"{mbid(2)}_models.json": highlevel(0.2),
        "by tags.json": {"highlevel": highlevel(0.3), "metadata": TAGS},
        "of the API.json": {
            mbid(4): {"0": {"highlevel": highlevel(0.4)}, "5": {"highlevel": highlevel(0.5)}},
            "mbid_mapping": {},
        },
        f"{mbid(6)}-0.json": lowlevel(100),
        "nobody.json": {"highlevel": highlevel(0.6)},
    }.items():
        (folder / name).write_text(json.dumps(document, indent=1), encoding="utf-8")
    (folder / "broken.json").write_text('{"highlevel": ')
    report = add(catalogue, HIGH, folder)
    assert (report.rows_in, report.landed) == (8, 5)
    assert report.rejected == {"no_json": 1, "no_recording_id": 1, "no_value": 1}
    assert catalogue.execute(
        "select recording_mbid::varchar, submission_offset, mood_happy, danceable, instrumental from catalogue.music.acousticbrainz_highlevel order by all"
    ).fetchall() == [
        (mbid(1), 2, 0.1, 0.25, 0.125), (mbid(2), 0, 0.2, 0.25, 0.125), (mbid(3), 0, 0.3, 0.25, 0.125),
        (mbid(4), 0, 0.4, 0.25, 0.125), (mbid(4), 5, 0.5, 0.25, 0.125),
    ]  # fmt: skip
    assert catalogue.execute(
        "select submission_offset, rosamerica_jaz, rosamerica_roc, dortmund_jazz from catalogue.music.acousticbrainz_genres order by recording_mbid, 1"
    ).fetchall() == [
        (2, 0.1, None, None),
        (0, 0.2, None, None),
        (0, 0.3, None, None),
        (0, 0.4, None, None),
        (5, 0.5, None, None),
    ]


def test_a_shard_and_low_level_documents(catalogue: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    shard = archive(
        **{
            f"{mbid(number)}-0__json": json.dumps({"highlevel": highlevel(number / 100)}).encode()
            for number in range(1, 60)
        }
    )
    assert add(catalogue, HIGH, tmp_path / "shard.tar.zst", shard).landed == 59
    document = json.dumps(lowlevel(99.5)).encode()
    report = add(catalogue, LOW, tmp_path / f"{mbid(1)}.json", document)
    assert (report.landed, report.rejected) == (1, {})
    assert rows(catalogue, "acousticbrainz_rhythm") == [(mbid(1), 0, 99.5, 1.5, 2.5)]
    assert rows(catalogue, "acousticbrainz_tonal") == [(mbid(1), 0, 6, 0, 440.0)]
    assert rows(catalogue, "acousticbrainz_lowlevel") == [(mbid(1), 0, 0.5, 3.5)]


def test_files_are_added_to_each_other_and_the_same_submission_lands_once(
    catalogue: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    one = text(LOWLEVEL, f"{mbid(1)},0,0.1,1,0", f"{mbid(1)},1,0.2,1,0")
    two = text(LOWLEVEL, f"{mbid(1)},1,0.9,9,0", f"{mbid(2)},0,0.3,1,0")
    assert add(catalogue, LOW, tmp_path / "one.csv", one).is_new
    assert not add(catalogue, LOW, tmp_path / "copy.csv", one).is_new
    assert add(catalogue, LOW, tmp_path / "two.csv", two).rejected == {"repeated_submission": 1}
    assert rows(catalogue, "acousticbrainz_lowlevel") == [
        (mbid(1), 0, 0.1, 1.0), (mbid(1), 1, 0.2, 1.0), (mbid(2), 0, 0.3, 1.0),
    ]  # fmt: skip


def test_what_is_repeated_is_counted_in_each_table_of_an_archive(
    catalogue: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    content = archive(
        a__csv=text(RHYTHM, *2 * [f"{mbid(1)},0,120.5,120,120,60,60,1.25,3.5"]),
        b__csv=text(TONAL, *2 * [f"{mbid(1)},0,Eb,minor,440.5,0.1"], f"{mbid(2)},0,Eb,minor,440.5,0.1"),
    )
    report = add(catalogue, LOW, tmp_path / "ab.tar.zst", content)
    assert (report.landed, report.rejected) == (3, {"repeated_submission": 2})


def test_a_submission_of_which_something_is_new_is_not_called_repeated(
    catalogue: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Earlier versions read no genres: the same shard, once more, lands them."""
    documents = {f"{mbid(number)}-0__json": json.dumps(highlevel(number / 10)).encode() for number in (1, 2, 3)}
    no_genres = json.dumps({"mood_sad": {"all": {"sad": 0.5}}}).encode()
    shard = archive(**documents, **{f"{mbid(4)}-0__json": no_genres})
    assert add(catalogue, HIGH, tmp_path / "shard.tar.zst", shard).landed == 4
    catalogue.execute("delete from catalogue.music.dumps; delete from catalogue.music.acousticbrainz_genres")
    again = add(catalogue, HIGH, tmp_path / "shard.tar.zst")
    assert (again.landed, again.rejected) == (3, {"repeated_submission": 1})
    assert [len(rows(catalogue, table)) for table in ("acousticbrainz_highlevel", "acousticbrainz_genres")] == [4, 3]


GOOD = text(LOWLEVEL, f"{mbid(1)},0,0.9,4.5,-700")
REFUSED = {
    "wrong delimiter": (LOW, "x.csv", GOOD.replace(b",", b";"), "has no column mbid.*separated by commas"),
    "no key": (LOW, "x.csv", GOOD.replace(b"submission_offset", b"offset"), "has no column submission_offset"),
    "of another source": (HIGH, "x.csv", GOOD, "has nothing of acousticbrainz_highlevel.*catalog add acousticbrainz_lowlevel"),
    "other documents": (HIGH, f"{mbid(1)}-0.json", json.dumps(lowlevel(1)).encode(), "none of its 1 rows.*catalog add acousticbrainz_lowlevel"),
    "an archive of something else": (LOW, "x.tar.zst", archive(README=b"hello"), "has no column mbid"),
    "all garbage": (LOW, "x.csv", text(LOWLEVEL, "a,b,c,d,e", "f,g"), r"none of its 2 rows can be read \(no_recording_id 2\)"),
    "cut off": (LOW, "x.tar.zst", archive(a__csv=GOOD * 2000)[:-20], "cannot be unpacked"),
    "cut off within a tar": (LOW, "x.tar", zstd.decompress(archive(a__csv=GOOD * 2000))[:9000], "cannot be unpacked"),
    "a zip that is cut off": (LOW, "x.zip", b"PK\x03\x04" + bytes(40), "cannot be unpacked"),
    "no file": (LOW, "nowhere.csv", None, "does not exist"),
    "nothing in it": (HIGH, "x.json", b"", "has nothing of acousticbrainz_highlevel"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused_with_the_remedy_and_changes_nothing(
    catalogue: duckdb.DuckDBPyConnection, tmp_path: Path, case: str
) -> None:
    source, name, content, said = REFUSED[case]
    add(catalogue, LOW, tmp_path / "good.csv", GOOD)
    with pytest.raises(NoTable, match=said) as refusal:
        add(catalogue, source, tmp_path / name, content)
    assert name in str(refusal.value) and refusal.value.remedy
    assert len(rows(catalogue, "acousticbrainz_lowlevel")) == len(rows(catalogue, "dumps")) == 1


GARBAGE = st.lists(
    st.one_of(
        st.binary(max_size=60).map(lambda one: one.replace(b"\n", b" ").replace(b"\r", b" ")),
        st.text(alphabet=',;0.-x "', max_size=40).map(str.encode),
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(garbage=GARBAGE, every=st.integers(1, 5))
def test_lines_of_garbage_cost_themselves(garbage: list[bytes], every: int) -> None:
    lines = [f"{mbid(number + 1)},0,0.5,{number},0".encode() for number in range(len(garbage) * every)]
    mixed = [*lines]
    for place, one in enumerate(garbage):
        mixed.insert(place * every, one)
    mixed.append(f"{mbid(10**9)},0,0.5,1,0".encode())
    path = Path("/dev/shm" if Path("/dev/shm").is_dir() else "/tmp") / f"garbage-{os.getpid()}.csv"
    path.write_bytes(b"\n".join([LOWLEVEL.encode(), *mixed, b""]))
    try:
        with connected() as catalogue:
            report = add(catalogue, LOW, path)
            assert report.landed == len(lines) + 1
            assert report.rows_in <= len(mixed)
    finally:
        path.unlink()


def test_tables_that_were_written_again_with_quotation_marks_are_read(
    catalogue: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    quoted = '"' + LOWLEVEL.replace(",", '","') + '"'
    content = text(quoted, f'"{mbid(1)}",0,0.5,4.5,-700', f'"{mbid(2)}","1","0.25",4.5,-700')
    assert add(catalogue, LOW, tmp_path / "by R.csv", content).rejected == {}
    assert rows(catalogue, "acousticbrainz_lowlevel") == [(mbid(1), 0, 0.5, 4.5), (mbid(2), 1, 0.25, 4.5)]


def killed(path: Path, source: str, dump: Path) -> None:
    class Kill(Progress):
        def landed(self, rows: int) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

    with connected(str(path)) as catalogue:
        add_dump(catalogue, source, dump, Kill())


def test_after_a_kill_what_was_done_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_bytes(GOOD)
    two.write_bytes(text(LOWLEVEL, *(f"{mbid(number)},0,0.9,4.5,-700" for number in range(2, 500))))
    store = tmp_path / "catalog.duckdb"
    with connected(str(store)) as catalogue:
        add(catalogue, LOW, one)
    child = multiprocessing.get_context("spawn").Process(target=killed, args=(store, LOW, two))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    with connected(str(store)) as catalogue:
        assert len(rows(catalogue, "acousticbrainz_lowlevel")) == 1
        assert not add(catalogue, LOW, one).is_new
        assert add(catalogue, LOW, two).landed == 498
        assert len(rows(catalogue, "acousticbrainz_lowlevel")) == 499


def test_documents_are_read_in_batches(
    catalogue: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dumps, "BATCH", 1000)
    monkeypatch.setattr(dumps, "LARGEST_DOCUMENT", 2000)
    shard = archive(
        **{f"{mbid(number)}-0__json": json.dumps({"highlevel": highlevel(0.5)}).encode() for number in range(1, 20)},
        large__json=b"{" + b" " * 3000 + b"}",
    )
    report = add(catalogue, HIGH, tmp_path / "shard.tar.zst", shard)
    assert (report.landed, report.rejected) == (19, {"too_large": 1})
