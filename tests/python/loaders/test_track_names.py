"""Names of tracks: what names one recording has one key, what sounds different does not, in six scripts and more."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import duckdb
import fsspec
import pytest
from name_pairs import Pair, matched, pairs

from loaders.matching import THRESHOLD, BadNames, NoRecordings, match_names
from loaders.track_names import with_track_names

PAIRS = list(pairs())


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    made.register_filesystem(fsspec.filesystem("memory"))
    made.execute("attach ':memory:' as catalogue; create schema catalogue.music")
    return made


@pytest.fixture(scope="module")
def is_matched(connection: duckdb.DuckDBPyConnection) -> list[bool]:
    """Whether each of ``PAIRS`` is matched, the right side being all that the catalogue has."""
    sure = matched(connection, PAIRS, 0.75)
    return [number in sure for number in range(len(PAIRS))]


def test_there_are_pairs_of_every_kind() -> None:
    assert len(PAIRS) >= 2000
    assert len({pair.script for pair in PAIRS}) >= 6
    assert min(Counter(pair.is_same for pair in PAIRS).values()) >= 800


def test_what_sounds_different_is_never_matched(is_matched: list[bool]) -> None:
    wrong = [pair for pair, found in zip(PAIRS, is_matched, strict=True) if found and not pair.is_same]
    assert wrong == []


def test_another_spelling_is_matched_in_every_case(is_matched: list[bool]) -> None:
    missed = Counter(pair.case for pair, found in zip(PAIRS, is_matched, strict=True) if pair.is_same and not found)
    # Of errors of typing a few are too many: what is exchanged beside a blank, say.
    assert missed.keys() <= {"typing error in the title"}, missed
    assert missed["typing error in the title"] <= 3, missed


# One recording unless said otherwise: what is written wrongly, in another order, another script or elsewhere.
HARD = {
    "letters wrong in both": (("Lantern Parde", "Paper Botas", ""), ("The Lantern Parade", "Paper Boats", ""), True),
    "words in another order": (("Nora Quist", "Boats on the River, The", ""), ("Nora Quist", "The Boats on the River", ""), True),
    "a live take, remastered": (("Nora Quist", "Paper Boats - Live - Remastered 2011", ""), ("Nora Quist", "Paper Boats (Live)", ""), True),
    "a remaster of what is live": (("Nora Quist", "Paper Boats - Live - Remastered 2011", ""), ("Nora Quist", "Paper Boats", ""), False),
    "two parts the other way round": (("Nora Quist", "Sonata in C: Allegro", ""), ("Nora Quist", "Allegro (Sonata in C)", ""), True),
    "a number turned round": (("Nora Quist", "Etude No. 12", ""), ("Nora Quist", "Etude No. 21", ""), False),
    "another year of the tour": (("Nora Quist", "Summer Tour 2012", ""), ("Nora Quist", "Summer Tour 2021", ""), False),
    "the same letters": (("Nora Quist", "Listen Now", ""), ("Nora Quist", "Silent Now", ""), False),
    "numbers that change places": (("Nora Quist", "Opus 12 in C", ""), ("Nora Quist", "Opus 21 in C", ""), False),
    "a short title, and the album": (("Nora Quist", "Gonr", "Attic Tapes"), ("Nora Quist", "Gone", "Attic Tapes"), True),
    "a short title alone": (("Nora Quist", "Gonr", ""), ("Nora Quist", "Gone", ""), False),
    "a short artist, and the album": (("Quits", "Paper Boats", "Attic"), ("Quist", "Paper Boats", "Attic"), True),
    "a comma in the artist": (("Quist The Maker", "Paper Boats", ""), ("Quist, The Maker", "Paper Boats", ""), True),
    "signs for letters": (("Ke$ho", "Tick Tock", ""), ("Kesho", "Tick Tock", ""), True),
    "another script": (("Земляника", "Ночной поезд", ""), ("Zemlyanika", "Nochnoi poezd", ""), True),
    "a number as a word": (("Nora Quist", "Two Become One", ""), ("Nora Quist", "2 Become 1", ""), True),
    "another number": (("Nora Quist", "Chapter Two of the Book", ""), ("Nora Quist", "Chapter Ten of the Book", ""), False),
    "a compilation": (("Various Artists", "Paper Boats", "Summer Hits"), ("Nora Quist", "Paper Boats", "Summer Hits"), True),
    "another compilation": (("Various Artists", "Paper Boats", "Summer Hits"), ("Nora Quist", "Paper Boats", "Winter Hits"), False),
    "a live album": (("Nora Quist", "Paper Boats - Live", "Live in Rome"), ("Nora Quist", "Paper Boats", "Live in Rome"), True),
    "a live take": (("Nora Quist", "Paper Boats - Live", "River Songs"), ("Nora Quist", "Paper Boats", "River Songs"), False),
    "a band's longer name": (("Nora Quist Band", "Paper Boats", "Attic"), ("Nora Quist", "Paper Boats", "Attic"), True),
    "an intro of another album": (("Nora Quist", "Intro", "Attic Tapes"), ("Nora Quist", "Intro", "River Songs"), False),
}  # fmt: skip


def test_hard_cases_are_decided_by_what_else_agrees() -> None:
    cases = [Pair(name, "", left, right, is_same) for name, (left, right, is_same) in HARD.items()]
    found = matched(duckdb.connect(), cases, THRESHOLD)
    assert {case.case for number, case in enumerate(cases) if number in found} == {
        case.case for case in cases if case.is_same
    }


def test_what_a_song_is_does_not_depend_on_what_else_is_sought() -> None:
    """What is remembered of a song stays right, whatever songs come after."""
    with duckdb.connect() as made:
        made.execute("create table songs (asked_id integer, artist varchar, title varchar, album varchar)")
        made.execute(
            "create table recordings (recording_mbid integer, artist varchar, title varchar, album varchar, score double)"
        )
        # In the second half each artist is also sought by the name that the catalogue has.
        rows = [*HARD.values(), *((right, right, True) for _, right, _ in HARD.values())]
        for number, (left, right, _) in enumerate(rows):
            made.execute("insert into songs values (?, ?, ?, ?)", [number, *left])
            made.execute("insert into recordings values (?, ?, ?, ?, 0)", [number, *right])
            made.execute("insert into recordings values (?, ?, ?, ?, 0)", [100 + number, right[0], left[1], left[2]])
        statement = with_track_names(
            """
            with asked as (
                {{ with_name_keys("(select *, 'a' as source_id, null::bigint as length_ms from songs where asked_id between $first and $last) as named", 'asked_id, source_id, length_ms', 'artist', 'title', 'album') }}
            ),

            {{ likely_recordings('asked', 'recordings') }},

            named as (select *, 'a' as source_id, recording_mbid as named_id, null::bigint as length_ms from likely_recordings)

            select * from ({{ matched_by_names('asked', 'named') }}) as matches
            """
        )
        together = made.execute(statement, {"first": 0, "last": 1000}).fetchall()
        alone = [
            row
            for number in range(len(rows))
            for row in made.execute(statement, {"first": number, "last": number}).fetchall()
        ]
        assert sorted(alone) == sorted(together)
        assert len(together) > len(HARD)


@pytest.mark.parametrize(
    ("left", "right", "is_same"),
    [
        ("Track - 2011 - Remaster", "Track", True),
        ("Track (Live / Remastered)", "Track (Live)", True),
        ("Track (2014 Remastered Version)", "Track", True),
        ("Track - Group X dub", "Track (Group X dub)", True),
        ("Track (feat. Guest) - Artist Remix", "Track", False),
        ("Track (Super Cool Version)", "Track", False),
        ("Track, Pt. 2", "Track Part II", True),
        ("Track Live", "Track", False),
        ("Rock ’n’ Roll", "Rock and Roll", True),
        ("Ｔｒａｃｋ　Ｔｉｔｌｅ", "track title", True),
        ("!!!", "???", False),
        ("かき", "がき", False),
        ("Straße", "STRASSE", True),
        ("Can&#039;t Kill Us", "Can't Kill Us", True),
    ],
)
def test_titles_case_by_case(connection: duckdb.DuckDBPyConnection, left: str, right: str, is_same: bool) -> None:
    connection.execute("create or replace table two (n integer, artist varchar, title varchar, album varchar)")
    connection.executemany("insert into two values (?, 'An Artist', ?, '')", [[1, left], [2, right]])
    keys = connection.execute(
        with_track_names("select title_key from ({{ with_name_keys('two', 'n', 'artist', 'title', 'album') }})")
    ).fetchall()
    assert (keys[0] == keys[1]) is is_same, keys


def test_a_list_that_cannot_be_used_is_named_with_the_remedy(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    connection.execute("create or replace table catalogue.music.recordings (recording_mbid uuid)")
    with pytest.raises(NoRecordings, match="consonance catalog add musicbrainz_canonical"):
        match_names(connection, tmp_path / "names.csv")
    connection.execute("insert into catalogue.music.recordings values (uuid())")
    with pytest.raises(BadNames, match="cannot be read"):
        match_names(connection, tmp_path / "names.csv")
    (tmp_path / "names.csv").write_text("query_id,artist\n1,An Artist\n")
    with pytest.raises(BadNames, match="has no column title"):
        match_names(connection, tmp_path / "names.csv")


def test_the_pairs_are_the_same_every_time() -> None:
    assert list(pairs()) == PAIRS and all(isinstance(pair, Pair) for pair in PAIRS)
