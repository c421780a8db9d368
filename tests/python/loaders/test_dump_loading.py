"""Dumps of recordings: read packed or plain, row by row accounted for, replaced by newer ones, found by names."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import tarfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from backports import zstd
from commands import consonance
from conftest import SmallStudy

from consonance.study.vault import open_catalogue
from loaders.dumps import add_dump
from loaders.streams import NoTable, chunks, members, piped

SOURCE = "musicbrainz_canonical"
HEADER = (
    "id,artist_credit_id,artist_mbids,artist_credit_name,release_mbid,release_name,recording_mbid,recording_name,"
    "combined_lookup,score"
)  # fmt: skip


def mbid(number: int) -> str:
    return str(uuid.UUID(int=number))


def dump(*rows: tuple[str, str, str, str], header: str = HEADER) -> bytes:
    """Canonical data with rows of (artist, title, release, recording id)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header.split(","))
    for number, (artist, title, release, recording) in enumerate(rows):
        writer.writerow([number, 1, "{}", artist, mbid(9), release, recording, title, "x", number])
    return text.getvalue().encode()


def archive(content: bytes, name: str = "dump/canonical/canonical_musicbrainz_data.csv") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as made:
        for member, data in (("dump/COPYING", b"CC0"), (name, content)):
            entry = tarfile.TarInfo(member)
            entry.size = len(data)
            made.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


CONTENT = dump(
    ("The Lantern Parade", "Paper Boats", "River Songs", mbid(1)),
    ('Nora "Nix" Quist feat. Ben', "Left, Bank", "Harbour", mbid(2)),
    ("夜明けの歌", "夜に駆けだす", "", mbid(3)),
)
WAYS = {
    "canonical.csv": CONTENT,
    "canonical.csv.gz": gzip.compress(CONTENT),
    "canonical.csv.zst": zstd.compress(CONTENT),
    "dump.tar.zst": zstd.compress(archive(CONTENT)),
    "dump.tar": archive(CONTENT),
}


@pytest.mark.parametrize("name", WAYS)
def test_a_dump_is_read_as_it_was_downloaded(small: SmallStudy, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(WAYS[name])
    with open_catalogue(small.study) as connection:
        report = add_dump(connection, SOURCE, tmp_path / name)
        assert (report.rows_in, report.landed, report.rejected, report.is_new) == (3, 3, {}, True)
        again = add_dump(connection, SOURCE, tmp_path / name)
        assert (again.landed, again.is_new) == (3, False)
        # Where the operator keeps the file is no fact about music.
        assert report.file == name
        assert str(tmp_path) not in str(connection.execute("from catalogue.music.dumps").fetchall())
        assert connection.execute(
            "select artist, title, album from catalogue.music.recordings order by recording_mbid"
        ).fetchall()[1] == ('Nora "Nix" Quist feat. Ben', "Left, Bank", "Harbour")


def test_every_row_is_landed_or_rejected_with_its_reason(small: SmallStudy, tmp_path: Path) -> None:
    content = dump(
        ("A", "One", "", mbid(1)),
        ("A", "Two", "", "no-uuid"),
        ("", "Three", "", mbid(3)),
        ("A", " ", "", mbid(4)),
        ("A", "One again", "", mbid(1)),
    )
    (tmp_path / "canonical.csv").write_bytes(content + b"6,1,{},A,x\n")
    with open_catalogue(small.study) as connection:
        report = add_dump(connection, SOURCE, tmp_path / "canonical.csv")
        assert report.rows_in == 6 and report.landed == 1
        assert report.rejected == {
            "no_recording_id": 1, "no_artist": 1, "no_title": 1, "too_few_values": 1, "repeated_recording": 1,
        }  # fmt: skip
        assert connection.execute("select title from catalogue.music.recordings").fetchall() == [("One",)]


def test_a_newer_dump_takes_the_place_of_the_older_one(small: SmallStudy, tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_bytes(CONTENT)
    (tmp_path / "new.csv").write_bytes(
        dump(("A", "One", "", mbid(7)), header=HEADER + ",year").replace(b",0\n", b",0,1999\n")
    )
    with open_catalogue(small.study) as connection:
        add_dump(connection, SOURCE, tmp_path / "old.csv")
        add_dump(connection, SOURCE, tmp_path / "new.csv")
        assert connection.execute("select title from catalogue.music.recordings").fetchall() == [("One",)]
        assert connection.execute("select count(*) from catalogue.music.dumps").fetchall() == [(1,)]


BAD = {
    "another table": ("x.csv", b"a,b\n1,2\n", "has no column recording_mbid"),
    "another archive": ("x.tar", archive(b"a,b\n1,2\n", "redirects.csv"), "has nothing of musicbrainz_canonical"),
    "cut off": ("x.csv.zst", zstd.compress(CONTENT * 50)[:-9], "cannot be unpacked"),
    "no archive": ("x.tar.zst", b"nothing packed", "has no column recording_mbid"),
    "empty": ("x.csv", b"", "has no column recording_mbid"),
    "no lines": ("x.csv", HEADER.encode(), "has no lines"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_dump_that_cannot_be_read_changes_nothing(small: SmallStudy, tmp_path: Path, case: str) -> None:
    name, content, said = BAD[case]
    (tmp_path / "good.csv").write_bytes(CONTENT)
    (tmp_path / name).write_bytes(content)
    with open_catalogue(small.study) as connection:
        add_dump(connection, SOURCE, tmp_path / "good.csv")
        with pytest.raises(NoTable, match=said):
            add_dump(connection, SOURCE, tmp_path / name)
        assert connection.execute("select count(*) from catalogue.music.recordings").fetchall() == [(3,)]


def test_a_table_is_read_in_chunks_of_whole_lines(tmp_path: Path) -> None:
    content = b"h\n" + b"".join(b"%d\n" % number for number in range(1000)) + b"last"
    (tmp_path / "t.csv").write_bytes(content)
    found = [chunk for name, file in members(tmp_path / "t.csv") for chunk in chunks(file, name, size=64)]
    assert len(found) > 50 and all(chunk.endswith(b"\n") for chunk in found[:-1])
    assert b"".join(found) == content


def test_a_pipe_ends_with_its_reader(tmp_path: Path) -> None:
    """Whoever stops reading is not waited for, and what goes wrong while a table is made is said."""
    endless = itertools.repeat(b"1,2\n" * 100_000)
    with piped(endless) as address, Path(address).open("rb") as file:
        assert file.read(4) == b"1,2\n"

    def cut_off() -> Iterator[bytes]:
        yield b"a,b\n"
        raise EOFError("cut off")

    with pytest.raises(EOFError, match="cut off"), piped(cut_off()) as address:
        assert Path(address).read_bytes() == b"a,b\n"


def test_songs_are_matched_from_the_command_line(small: SmallStudy, tmp_path: Path) -> None:
    (tmp_path / "dump.tar.zst").write_bytes(WAYS["dump.tar.zst"])
    (tmp_path / "names.csv").write_text(
        "query_id,artist,title,album,duration_ms\n"
        "a,Lantern Parade,Paper Boats - Remastered 2011,,\n"
        'b,Nora "Nix" Quist,"Left, Bank (feat. Ben)",Harbour,180000\n'
        "c,夜明けの歌,夜に駆けだす - Live,,\n"
        "d,,,,\n"
    )
    missing = consonance("catalog", "match", tmp_path / "names.csv", "--study", small.root)
    assert missing.returncode == 1 and "catalog add musicbrainz_canonical" in missing.stderr
    added = consonance("catalog", "add", "musicbrainz_canonical", tmp_path / "dump.tar.zst", "--study", small.root)
    assert added.returncode == 0 and "3 of 3 rows landed" in added.stdout, added.stderr
    status = consonance("catalog", "status", "--study", small.root)
    assert "musicbrainz_canonical" in status.stdout and "dump.tar.zst" in status.stdout
    done = consonance("catalog", "match", tmp_path / "names.csv", "--study", small.root)
    assert done.returncode == 0, done.stderr
    header, *lines = done.stdout.splitlines()
    assert header == "query_id,recording_mbid,method,confidence"
    assert [line.split(",")[:3] for line in lines] == [
        ["a", mbid(1), "names"], ["b", mbid(2), "names"], ["c", "", ""], ["d", "", ""],
    ]  # fmt: skip
    told = json.loads(consonance("catalog", "match", tmp_path / "names.csv", "--json", "--study", small.root).stdout)
    assert [one["equals"] for one in told] == [1, 1, None, None]
