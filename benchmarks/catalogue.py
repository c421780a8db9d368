"""The open road at true scale, on generated dumps: what loading them costs, and matching a large study with them.

    .venv/bin/python benchmarks/catalogue.py SCRATCH                  # 25 M recordings, 3 x 30 M submissions, 3.2 M plays
    .venv/bin/python benchmarks/catalogue.py SCRATCH --scale 0.04     # a twenty-fifth of everything

For each dump: consonance catalog add of the packed file, against bare DuckDB, which reads the same table unpacked
already (read_csv) into a plain file. Then dbt run of the study: without the dumps, with them for the first time, and
once more with nothing new. Each runs in a process of its own, so that peak memory is its own. The ratios are the result,
the seconds are not: those of processor time (CPU) also hold where others use the machine. Far below true scale the start
of the program weighs on them: what starting alone takes is said.

What is generated lies in SCRATCH, a folder that must not exist yet, and is deleted in the end.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import measuring

PROJECT = Path(__file__).resolve().parents[1]
SEED = 1
PEOPLE, PLAYS, TRACKS = 50, 3_200_000, 200_000
RECORDINGS, SUBMISSIONS = 25_000_000, 30_000_000
GIB_NEEDED = 32  # At scale 1, 2026-11; a part of it for the study alone.
MEMORY_LIMIT_GIB = 8
SOURCES = {
    "canonical_musicbrainz_data": "musicbrainz_canonical",
    "canonical_recording_redirect": "musicbrainz_redirects",
    "rhythm": "acousticbrainz_lowlevel",
    "tonal": "acousticbrainz_lowlevel",
    "lowlevel": "acousticbrainz_lowlevel",
}


@dataclass(frozen=True)
class Scale:
    """How large everything is, as a share of true scale; of tracks there is a multiple of 24, as world.sql needs."""

    share: float

    @property
    def tracks(self) -> int:
        return max(24, int(TRACKS * self.share) // 24 * 24)

    @property
    def plays(self) -> int:
        return int(PLAYS * self.share)

    @property
    def recordings(self) -> int:
        return int(RECORDINGS * self.share)

    @property
    def submissions(self) -> int:
        return int(SUBMISSIONS * self.share)


def make_study(folder: Path, scale: Scale) -> None:
    from consonance.synthetic.study import make_study as make

    make(folder / "study", seed=SEED, people=PEOPLE, plays=scale.plays, tracks=scale.tracks, plain=True)


def make_dump(folder: Path, scale: Scale, table: str) -> None:
    """Write one table, as it is and packed."""
    import duckdb

    from consonance.synthetic.dumps import know_recordings, make_music, pack_tables, write_table

    with duckdb.connect(config={"memory_limit": "6GiB", "temp_directory": str(folder / "spill")}) as connection:
        make_music(connection, SEED, scale.tracks)
        know_recordings(connection, SEED, scale.tracks, scale.recordings, scale.submissions)
        write_table(connection, table, folder / f"{table}.csv")
    pack_tables(folder / f"{table}.tar.zst", {table: folder / f"{table}.csv"}, [table])


def bare_duckdb(folder: Path, _: Scale, table: str) -> None:
    """What DuckDB does by itself with the table unpacked."""
    import duckdb

    with duckdb.connect(str(folder / "bare.duckdb"), config={"memory_limit": "6GiB"}) as connection:
        connection.execute(f"create table dump as from read_csv('{folder / table}.csv')")
    (folder / "bare.duckdb").unlink()


WORK = {"study": make_study, "dump": make_dump, "bare": bare_duckdb}


def run(command: list[str | Path], folder: Path) -> dict[str, float]:
    """What a command on the study of ``folder`` costs. A load that rejects rows ends with 2."""
    return measuring.run(command, folder / "study", accepted=(0, 2), PYTHONPATH=str(PROJECT))


def own(work: str, folder: Path, scale: Scale, *more: str) -> dict[str, float]:
    return run([sys.executable, __file__, folder, "--scale", str(scale.share), "--work", work, *more], folder)


def program(name: str) -> Path:
    return Path(sys.executable).with_name(name)


def free_gib(folder: Path) -> float:
    return shutil.disk_usage(folder).free / 2**30


def compare(folder: Path, scale: Scale) -> None:
    print(f"{scale.tracks:,} tracks in {scale.plays:,} plays of {PEOPLE} people; {scale.recordings:,} recordings; 3 x {scale.submissions:,} submissions", flush=True)  # fmt: skip
    own("study", folder, scale)
    run([program("consonance"), "load"], folder)
    dbt = {"without the dumps": run([program("dbt"), "--quiet", "run"], folder)}
    start = run([program("consonance"), "catalog", "status"], folder)
    print(
        f"\nTo start the program takes {start['seconds']:.1f} s, CPU {start['cpu_s']:.1f} s; below it is counted to loading."
    )
    print(
        f"\n{'dump':<30} {'MiB':>8} {'bare, s':>8} {'load, s':>8} {'ratio':>6} {'CPU: bare':>10} {'load':>6} {'ratio':>6} {'peak, MiB':>10}"
    )
    for table, source in SOURCES.items():
        own("dump", folder, scale, "--table", table)
        bare = own("bare", folder, scale, "--table", table)
        size = (folder / f"{table}.csv").stat().st_size / 2**20
        (folder / f"{table}.csv").unlink()
        packed = folder / f"{table}.tar.zst"
        load = run([program("consonance"), "catalog", "add", source, packed], folder)
        packed.unlink()
        print(f"{table:<30} {size:>8,.0f} {bare['seconds']:>8.1f} {load['seconds']:>8.1f} {bare['seconds'] / load['seconds']:>6.2f} {bare['cpu_s']:>10.1f} {load['cpu_s']:>6.1f} {bare['cpu_s'] / load['cpu_s']:>6.2f} {load['peak_mib']:>10,.0f}", flush=True)  # fmt: skip
    dbt["with them, first"] = run([program("dbt"), "--quiet", "run"], folder)
    dbt["with them, again"] = run([program("dbt"), "--quiet", "run"], folder)
    print(f"\n{'dbt run':<30} {'seconds':>8} {'ratio':>6} {'CPU, s':>8} {'ratio':>6} {'peak, MiB':>10}")
    for name, figures in dbt.items():
        wall, cpu = (figures[one] / dbt["without the dumps"][one] for one in ("seconds", "cpu_s"))
        print(
            f"{name:<30} {figures['seconds']:>8.1f} {wall:>6.2f} {figures['cpu_s']:>8.1f} {cpu:>6.2f} {figures['peak_mib']:>10,.0f}"
        )
    print(f"\nLoading: at least 0.7 of bare DuckDB. Memory: at most {MEMORY_LIMIT_GIB} GiB. Matched:")
    for line in matched(folder):
        print(f"  {line}")


def matched(folder: Path) -> list[str]:
    import duckdb

    with duckdb.connect(str(folder / "study" / "warehouse.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            """
            select coalesce(match_method, 'no recording'), count(*), median(match_confidence)
            from features.feat_track_recordings
            group by all order by 2 desc
            """
        ).fetchall()
    return [
        f"{method:<20} {tracks:>9,} tracks, confidence {confidence or 0:.2f}" for method, tracks, confidence in rows
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="a scratch folder that does not exist yet")
    parser.add_argument("--scale", type=float, default=1.0, help="a share of true scale")
    parser.add_argument("--work", choices=WORK, help=argparse.SUPPRESS)
    parser.add_argument("--table", choices=SOURCES, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    scale = Scale(arguments.scale)
    if arguments.work:
        WORK[arguments.work](*filter(None, (arguments.folder, scale, arguments.table)))
        return
    folder = arguments.folder.resolve()
    if folder.exists():
        sys.exit(f"{folder} exists. Name a folder that does not exist yet.")
    needed, free = 1 + GIB_NEEDED * scale.share, free_gib(folder.parent)
    print(f"Needs {needed:.0f} GiB of disk space at {folder.parent}; {free:.0f} GiB are free.", flush=True)
    if free < needed:
        sys.exit("There is too little free space. Name a folder on another disk, or a smaller --scale.")
    folder.mkdir()
    try:
        compare(folder, scale)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
