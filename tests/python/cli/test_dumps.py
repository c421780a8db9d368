"""The generated dumps: in the true layouts, the same each time, and of the music that the synthetic study hears."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import duckdb
import pytest
from backports import zstd

from consonance.synthetic.dumps import know_recordings, make_music, write_dumps
from consonance.synthetic.study import RECORDINGS, SUBMISSIONS, TRACKS
from loaders.matching import THRESHOLD
from loaders.track_names import with_track_names

FEATURES = "acousticbrainz-lowlevel-features-20220623/acousticbrainz-lowlevel-features-20220623"
HEADERS = {
    "musicbrainz-canonical-dump-20260703-080003/canonical/canonical_musicbrainz_data.csv": "id,artist_credit_id,artist_mbids,artist_credit_name,release_mbid,release_name,recording_mbid,recording_name,combined_lookup,score",
    "musicbrainz-canonical-dump-20260703-080003/canonical/canonical_recording_redirect.csv": "recording_mbid,canonical_recording_mbid,canonical_release_mbid",
    f"{FEATURES}-rhythm.csv": "mbid,submission_offset,bpm,bpm_histogram_first_peak_bpm_mean,bpm_histogram_first_peak_bpm_median,bpm_histogram_second_peak_bpm_mean,bpm_histogram_second_peak_bpm_median,danceability,onset_rate",
    f"{FEATURES}-tonal.csv": "mbid,submission_offset,key_key,key_scale,tuning_frequency,tuning_equal_tempered_deviation",
    f"{FEATURES}-lowlevel.csv": "mbid,submission_offset,average_loudness,dynamic_complexity,mfcc_zero_mean",
}


def music(tracks: int, recordings: int, submissions: int) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    make_music(connection, 1, tracks)
    know_recordings(connection, 1, tracks, recordings, submissions)
    return connection


@pytest.fixture(scope="module")
def known() -> duckdb.DuckDBPyConnection:
    return music(TRACKS, RECORDINGS, SUBMISSIONS)


def unpacked(path: Path) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(zstd.decompress(path.read_bytes()))) as archive:
        return {entry.name: content.read() for entry in archive if (content := archive.extractfile(entry))}


def test_every_file_has_its_true_layout_and_the_same_bytes_each_time(tmp_path: Path) -> None:
    dumps = write_dumps(music(1200, 2000, 3000), tmp_path / "one")
    again = write_dumps(music(1200, 2000, 3000), tmp_path / "two")
    files = {path for paths in dumps.values() for path in paths}
    contents: dict[str, bytes] = {}
    for path in files:
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
        contents |= unpacked(path)
    assert {name: path.name for name, (path, *_) in dumps.items()} == {
        name: path.name for name, (path, *_) in again.items()
    }
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == sorted(path.name for path in files)
    for name, header in HEADERS.items():
        lines = contents[name].decode().splitlines()
        assert lines[0] == header
        assert len(lines) - 1 == 2000 if "canonical_musicbrainz" in name else len(lines) > 300
    name, document = next((name, content) for name, content in contents.items() if name.endswith(".json"))
    mbid = name.rsplit("/", 1)[1][:36]
    assert name.startswith(f"acousticbrainz-highlevel-json-20220623/highlevel/{mbid[:2]}/{mbid[2]}/{mbid}-")
    happy = json.loads(document)["highlevel"]["mood_happy"]
    assert set(happy) == {"all", "value", "probability"} and set(happy["all"]) == {"happy", "not_happy"}
    assert happy["probability"] == max(happy["all"].values()) == happy["all"][happy["value"]]


def test_rarely_heard_music_is_missing_more_often(known: duckdb.DuckDBPyConnection) -> None:
    ((common, rare),) = known.execute(
        """
        select
            avg((song_no in (select song_no from known_submissions))::int) filter (where rarity = 0),
            avg((song_no in (select song_no from known_submissions))::int) filter (where rarity = 1)
        from tracks
        """
    ).fetchall()
    assert common > 0.75 and rare < 0.45


def test_submissions_belong_to_recordings_through_the_redirects(known: duckdb.DuckDBPyConnection) -> None:
    ((rows, merged, unknown, most),) = known.execute(
        """
        with canonical as (select recording_mbid as mbid from canonical_musicbrainz_data)
        select
            count(*), count(redirect.recording_mbid),
            count(*) filter (where coalesce(redirect.canonical_recording_mbid, rhythm.mbid) not in (from canonical)),
            max(submission_offset) + 1
        from rhythm
        left join canonical_recording_redirect as redirect on redirect.recording_mbid = rhythm.mbid
        """
    ).fetchall()
    assert (rows, unknown) == (SUBMISSIONS, 0)
    assert merged > rows / 20 and most >= 9
    (unequal,) = known.execute("select count(*) - count(distinct (mbid, submission_offset)) from tonal").fetchall()
    assert unequal == (0,)


def test_names_are_matched_with_the_right_recordings(known: duckdb.DuckDBPyConnection) -> None:
    """A version that sounds different is never taken for the song, and the song never for it."""
    asked = "(select *, track_no as asked_id, 'musicbrainz_canonical' as source_id, null::bigint as length_ms from tracks) as t"
    keys = f"""with_name_keys("{asked}", 'asked_id, source_id, length_ms', 'artist_name', 'track_name', 'album_name')"""
    known.execute("create table asked as " + with_track_names(f"{{{{ {keys} }}}}"))
    known.execute(
        """
        create table recordings as
        select recording_mbid, artist_credit_name as artist, recording_name as title, release_name as album, score
        from canonical_musicbrainz_data
        """
    )
    ctes = with_track_names(
        """
        {{ likely_recordings('asked', 'recordings') }},
        matches as ({{ matched_by_names('asked', recordings_as_named('likely_recordings')) }})
        """
    )
    ((there, found, correct),) = known.execute(
        f"""
        with {ctes}
        select
            count(truth.recording_mbid),
            count(matches.named_id),
            count(*) filter (where matches.named_id = truth.recording_mbid)
        from tracks
        inner join songs on songs.song_no = tracks.song_no
        left join matches on matches.asked_id = tracks.track_no and matches.confidence >= $threshold
        left join known_recordings as truth
            on truth.song_no = songs.song_no and truth.kind = case when songs.is_version then 'version' else 'song' end
        """,
        {"threshold": THRESHOLD},
    ).fetchall()
    assert correct > 0.99 * found and correct > 0.9 * there
