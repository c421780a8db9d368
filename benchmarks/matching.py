"""How well names are matched: precision and recall by case, on the labelled pairs of tests/python/name_pairs.py.

.venv/bin/python benchmarks/matching.py
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import duckdb

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT), str(PROJECT / "tests" / "python")]

from name_pairs import matched, pairs  # noqa: E402

from loaders.matching import THRESHOLD  # noqa: E402


def wilson(hits: int, of: int) -> str:
    """A 95 % interval in percent (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
    z = 1.96
    centre = (hits + z * z / 2) / (of + z * z)
    half = z * math.sqrt(hits * (of - hits) / of + z * z / 4) / (of + z * z)
    return f"{100 * (centre - half):.1f} to {100 * (centre + half):.1f}"


def main() -> None:
    labelled = list(pairs())
    found = matched(duckdb.connect(), labelled, THRESHOLD)
    print("| case | pairs | matched | share, 95 % interval |\n|---|---|---|---|")
    for is_same in (True, False):
        print(f"| *{'one recording' if is_same else 'two recordings'}* | | | |")
        cases = sorted({pair.case for pair in labelled if pair.is_same == is_same})
        for case in [*cases, "all"]:
            of = [n for n, pair in enumerate(labelled) if pair.is_same == is_same and case in (pair.case, "all")]
            hits = len(found & set(of))
            print(f"| {case} | {len(of):,} | {hits:,} | {wilson(hits, len(of))} % |")
    right = sum(labelled[pair].is_same for pair in found)
    print(f"\nPrecision {right / len(found):.4f} ({wilson(right, len(found))} %).")


if __name__ == "__main__":
    main()
