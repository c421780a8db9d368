"""Loading and rebuilding against bare DuckDB and pandas, on one generated set, in one run.

    make bench                     # 50 people, 3 million plays
    python benchmarks/bench.py --plays 300000

(a) bare DuckDB: read_json of the already unzipped files, columns declared, into a plain file
(b) consonance load: from the zips into the encrypted vault
(c) pandas: the loader a researcher would write, into the same kind of file
(d) dbt run on what (b) loaded
(e) every check on what (d) built: rules, wall, non-interference (with a paired rebuild), leaks, attacks

(f) one rewrite of the vault into a fresh file: the least by which deleted rows leave it
(g) consonance withdraw of one participant: everything but a release; at most 1.3 times (d) and (f) together

Each runs in a process of its own, so that peak memory is its own. Machines are noisy: the ratios are
the result, the seconds are not.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
REPEATS = 3

BARE_COLUMNS = {
    "ts": "TIMESTAMP", "endTime": "VARCHAR", "username": "VARCHAR", "platform": "VARCHAR", "ms_played": "BIGINT", "msPlayed": "BIGINT",
    "conn_country": "VARCHAR", "ip_addr_decrypted": "VARCHAR", "user_agent_decrypted": "VARCHAR", "ip_addr": "VARCHAR",
    "master_metadata_track_name": "VARCHAR", "master_metadata_album_artist_name": "VARCHAR", "master_metadata_album_album_name": "VARCHAR",
    "spotify_track_uri": "VARCHAR", "episode_name": "VARCHAR", "episode_show_name": "VARCHAR", "spotify_episode_uri": "VARCHAR",
    "audiobook_title": "VARCHAR", "audiobook_uri": "VARCHAR", "audiobook_chapter_uri": "VARCHAR", "audiobook_chapter_title": "VARCHAR",
    "reason_start": "VARCHAR", "reason_end": "VARCHAR", "shuffle": "BOOLEAN", "skipped": "BOOLEAN", "offline": "BOOLEAN",
    "offline_timestamp": "BIGINT", "incognito_mode": "BOOLEAN", "city": "VARCHAR", "region": "VARCHAR", "metro_code": "VARCHAR",
    "longitude": "VARCHAR", "latitude": "VARCHAR",
}  # fmt: skip


def bare_duckdb(folder: Path) -> int:
    """(a) The floor: DuckDB reads what is unzipped already, and judges nothing."""
    import duckdb

    files = sorted(str(path) for path in (folder / "unzipped").rglob("*.json"))
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in BARE_COLUMNS.items())
    (folder / "bare.duckdb").unlink(missing_ok=True)
    with duckdb.connect(str(folder / "bare.duckdb")) as connection:
        connection.execute(
            f"create table plays as from read_json($files, format = 'array', filename = true, columns = {{{columns}}})",
            {"files": files},
        )
        return int(connection.execute("select count(*) from plays").fetchall()[0][0])


def consonance_load(folder: Path) -> int:
    """(b) Everything: unzip, hash, recognise, judge every value, account, encrypt."""
    from consonance.study.folder import Study
    from loaders.load import load_study

    study = Study.find(folder / "study")
    return int(load_study(study).as_json()["totals"]["landed"])


def pandas_load(folder: Path) -> int:
    """(c) As one would write it: read each file of each zip, put the frames together, save them."""
    import zipfile

    import duckdb
    import pandas as pd

    frames = []
    for path in sorted((folder / "study" / "inbox").rglob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(".json"):
                    frame = pd.read_json(io.BytesIO(archive.read(name)))
                    frame["participant"] = path.parent.name
                    frames.append(frame)
    plays = pd.concat(frames, ignore_index=True)
    plays["ts"] = pd.to_datetime(plays["ts"], format="ISO8601")
    for column in plays.select_dtypes("object"):  # true, false and nothing in one column, say
        plays[column] = plays[column].astype("string")
    (folder / "pandas.duckdb").unlink(missing_ok=True)
    with duckdb.connect(str(folder / "pandas.duckdb")) as connection:
        connection.execute("create table plays as from plays")
    return len(plays)


def dbt_run(folder: Path) -> int:
    """(d) The whole warehouse, from the vault to the marts."""
    environment = {**os.environ, "CONSONANCE_STUDY": str(folder / "study")}
    subprocess.run([Path(sys.executable).with_name("dbt"), "--quiet", "run"], cwd=PROJECT, env=environment, check=True)
    return 0


def checks(folder: Path) -> int:
    """(e) What is asked before a release goes out."""
    from consonance.checks.risk.attacks import run_attacks
    from consonance.checks.study_checks import run_checks
    from consonance.study.folder import Study

    study = Study.find(folder / "study")
    begun = time.perf_counter()
    for name, result in run_checks(study).items():
        if not result.passed:
            sys.exit(f"The check {name} failed.")
    asked = time.perf_counter()
    run_attacks(study)
    print(f"checks: {asked - begun:.1f} s, attacks: {time.perf_counter() - asked:.1f} s", file=sys.stderr)
    return 0


def rewrite(folder: Path) -> int:
    """(f) DuckDB's own copy of the vault, encrypted."""
    import duckdb

    from consonance.study.folder import Study
    from consonance.study.key import read_key
    from consonance.study.vault import attach_under_key, attach_vault, prepare, session_settings

    study = Study.find(folder / "study")
    copy = folder / "vault.copy"
    copy.unlink(missing_ok=True)
    with duckdb.connect(config=session_settings()) as connection:
        prepare(connection, study)
        attach_vault(connection, study, "old", read_only=True)
        attach_under_key(connection, copy, "vault", read_key(study))
        connection.execute("copy from database old to vault")
        connection.execute("checkpoint vault")
    copy.unlink()
    return 0


def withdrawal(folder: Path) -> int:
    """(g) One of the participants goes."""
    from datetime import UTC, datetime

    from consonance.erasure.planning import plan
    from consonance.erasure.withdrawal import withdraw
    from consonance.study.folder import Study

    study = Study.find(folder / "study")
    begun = time.perf_counter()

    def progress(what: str) -> None:
        print(f"withdrawal, after {time.perf_counter() - begun:.1f} s: {what}", file=sys.stderr)

    planned = plan(study, "D025", datetime.now(UTC).replace(tzinfo=None))
    withdraw(study, planned, progress=progress)
    return planned.rows["vault"]["raw.extended_plays"]


def generate(folder: Path, people: int, plays: int) -> None:
    from consonance.synthetic.study import make_study

    make_study(folder / "study", people=people, plays=plays, unzipped=folder / "unzipped", plain=True)


STEPS = {
    "a": bare_duckdb,
    "b": consonance_load,
    "c": pandas_load,
    "d": dbt_run,
    "e": checks,
    "f": rewrite,
    "g": withdrawal,
}


def measure(step: str, folder: Path) -> dict[str, float]:
    """Run one step in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--step", step, "--folder", folder],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    if step in ("e", "g"):
        print(done.stderr, end="")
    if done.returncode:
        sys.exit(f"({step}) failed:\n{done.stdout}{done.stderr}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def run_step(step: str, folder: Path) -> None:
    begun = time.perf_counter()
    rows = STEPS[step](folder)
    seconds = time.perf_counter() - begun
    who = resource.RUSAGE_CHILDREN if step == "d" else resource.RUSAGE_SELF
    print(json.dumps({"seconds": seconds, "rows": rows, "peak_mib": resource.getrusage(who).ru_maxrss / 1024}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--plays", type=int, default=3_200_000)
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--generate", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help="keep the generated set here and use it again")
    arguments = parser.parse_args()
    if arguments.generate:
        generate(arguments.folder, arguments.people, arguments.plays)
        return
    if arguments.step:
        run_step(arguments.step, arguments.folder)
        return
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="consonance-bench-"))
    try:
        compare(folder, arguments.people, arguments.plays)
    finally:
        if arguments.folder is None:
            shutil.rmtree(folder)


def compare(folder: Path, people: int, plays: int) -> None:
    if not (folder / "study").exists():
        print(f"Generating {plays:,} plays of {people} people …", flush=True)
        # In a process of its own: a child inherits its parent's peak memory.
        command = [sys.executable, __file__, "--generate", "--people", str(people), "--plays", str(plays)]
        subprocess.run([*command, "--folder", str(folder)], cwd=PROJECT, check=True)
        shutil.copytree(folder / "study", folder / "fresh")
    best: dict[str, dict[str, float]] = {}
    ratios: dict[str, list[float]] = {"b/a": [], "b/c": [], "d/a": [], "e/d": [], "g/df": []}
    for repeat in range(REPEATS):
        shutil.rmtree(folder / "study")
        shutil.copytree(folder / "fresh", folder / "study")
        told = {step: measure(step, folder) for step in STEPS if step != "c" or repeat == 0}
        best |= {
            step: figures
            for step, figures in told.items()
            if step not in best or figures["seconds"] < best[step]["seconds"]
        }
        told["c"] = best["c"]
        assert told["a"]["rows"] == told["b"]["rows"] == told["c"]["rows"], "every loader found every row"
        ratios["b/a"].append(told["a"]["seconds"] / told["b"]["seconds"])
        ratios["b/c"].append(told["c"]["seconds"] / told["b"]["seconds"])
        ratios["d/a"].append(told["d"]["seconds"] / told["a"]["seconds"])
        ratios["e/d"].append(told["e"]["seconds"] / told["d"]["seconds"])
        ratios["g/df"].append(told["g"]["seconds"] / (told["d"]["seconds"] + told["f"]["seconds"]))
    print(f"\n{int(best['a']['rows']):,} plays, {REPEATS} rounds (pandas once); each ratio within one round\n")
    print(f"(b) consonance load, rows/s against bare DuckDB   {_spread(ratios['b/a'])}   (at least 0.6)")
    print(f"(b) consonance load, rows/s against pandas        {_spread(ratios['b/c'])}   (at least 4)")
    print(f"(d) dbt run, time against bare DuckDB             {_spread(ratios['d/a'])}   (at most 4)")
    print(f"(e) every check, time against dbt run             {_spread(ratios['e/d'])}   (at most 2)")
    print(f"(g) withdrawal, time against (d) and (f) together {_spread(ratios['g/df'])}   (at most 1.3)")
    for step, name in (
        ("a", "bare DuckDB"),
        ("b", "consonance load"),
        ("c", "pandas"),
        ("d", "dbt run"),
        ("e", "every check"),
        ("f", "vault rewritten"),
        ("g", "withdrawal"),
    ):
        print(
            f"({step}) {name:<16} peak memory {best[step]['peak_mib']:>7,.0f} MiB   best {best[step]['seconds']:.1f} s"
        )


def _spread(values: list[float]) -> str:
    ordered = sorted(values)
    return f"{ordered[len(ordered) // 2]:5.2f}  ({ordered[0]:.2f} to {ordered[-1]:.2f})"


if __name__ == "__main__":
    main()
