"""How well names are matched: precision and recall by case, on the labelled pairs of tests/python/loaders/name_pairs.py.

.venv/bin/python benchmarks/matching.py
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import duckdb

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT), str(PROJECT / "tests" / "python"), str(PROJECT / "tests" / "python" / "loaders")]

from name_pairs import pairs  # noqa: E402

from loaders.matching import THRESHOLD  # noqa: E402
from loaders.track_names import with_track_names  # noqa: E402


def wilson(hits: int, of: int) -> str:
    """A 95 % interval in percent (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
    z = 1.96
    centre = (hits + z * z / 2) / (of + z * z)
    half = z * math.sqrt(hits * (of - hits) / of + z * z / 4) / (of + z * z)
    return f"{100 * (centre - half):.1f} to {100 * (centre + half):.1f}"


def main() -> None:
    labelled = list(pairs())
    connection = duckdb.connect()
    connection.execute("create table names (pair integer, artist varchar, title varchar, album varchar)")
    for side in ("left", "right"):
        connection.execute("delete from names")
        connection.executemany(
            "insert into names values (?, ?, ?, ?)",
            [[number, *getattr(pair, side)] for number, pair in enumerate(labelled)],
        )
        # Each pair is a catalogue of its own: its number is part of the keys by which candidates are found.
        keys = with_track_names("{{ with_name_keys('names', 'pair', 'artist', 'title', 'album') }}")
        connection.execute(
            f"""
            create table {side}_keys as
            select
                pair, list_transform(artist_keys, lambda key: pair || '~' || key) as artist_keys,
                pair || '~' || first_artist_key as first_artist_key, pair || '~' || title_key as title_key,
                pair || '~' || exact_title_key as exact_title_key, album_key, null::bigint as length_ms
            from ({keys})
            """
        )
    asked = "(select *, pair as asked_id from left_keys)"
    recordings = "(select *, pair as recording_mbid, 0.0 as score from right_keys)"
    found = connection.execute(with_track_names(f"{{{{ matched_by_names('{asked}', '{recordings}') }}}}")).fetchall()
    matched = {pair for pair, recording, _, sure, _ in found if pair == recording and sure >= THRESHOLD}
    print("| case | pairs | matched | share, 95 % interval |\n|---|---|---|---|")
    for is_same in (True, False):
        print(f"| *{'one recording' if is_same else 'two recordings'}* | | | |")
        cases = sorted({pair.case for pair in labelled if pair.is_same == is_same})
        for case in [*cases, "all"]:
            of = [n for n, pair in enumerate(labelled) if pair.is_same == is_same and case in (pair.case, "all")]
            hits = len(matched & set(of))
            print(f"| {case} | {len(of):,} | {hits:,} | {wilson(hits, len(of))} % |")
    right = sum(labelled[pair].is_same for pair in matched)
    print(f"\nPrecision {right / len(matched):.4f} ({wilson(right, len(matched))} %).")


if __name__ == "__main__":
    main()
