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

(h) floor.sql: the marts of listening from the vault in one hand-written script, into a plain file
(i) dbt run of exactly these marts and what they need, from the begin of its first model to the end of its last: without
    dbt's own start. Matching tracks with sources of features is in neither. Both must have made the same rows
(j) dbt run of one small view: what dbt's own start takes of the processor

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
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

PROJECT = Path(__file__).resolve().parents[1]
TARGET = PROJECT / "target"

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


def dbt_run(folder: Path, *arguments: str) -> int:
    """(d) The whole warehouse, from the vault to the marts."""
    environment = {**os.environ, "CONSONANCE_STUDY": str(folder / "study"), "DBT_TARGET_PATH": str(TARGET)}
    dbt = Path(sys.executable).with_name("dbt")
    subprocess.run([dbt, "--quiet", "run", *arguments], cwd=PROJECT, env=environment, check=True)
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


# What floor.sql makes, and what dbt selects for it: everything that these marts need, but for the features of tracks.
FLOOR_MARTS = ("plays", "sessions", "daily_listening", "tracks", "participants")
FLOOR_MODELS = ("+anon_tracks", "+ses_plays", "+anon_participants", *FLOOR_MARTS)


def _open_floor(folder: Path) -> duckdb.DuckDBPyConnection:
    """The floor's file, with the study's vault as ``vault`` and its warehouse as ``built``."""
    import duckdb

    from consonance.study.folder import Study
    from consonance.study.vault import attach_study, attach_to_read, session_settings

    study = Study.find(folder / "study")
    connection = duckdb.connect(str(folder / "floor.duckdb"), config=session_settings())
    attach_study(connection, study, read_only=True)
    attach_to_read(connection, study.warehouse_path, "built")
    return connection


def floor(folder: Path) -> int:
    """(h) The marts of listening, from one script."""
    (folder / "floor.duckdb").unlink(missing_ok=True)
    with _open_floor(folder) as connection:
        connection.execute(Path(__file__).with_name("floor.sql").read_text(encoding="utf-8"))
        return int(connection.execute("select count(*) from marts.plays").fetchall()[0][0])


def listening_run(folder: Path) -> int:
    """(i) The same marts by dbt."""
    return dbt_run(folder, "--select", *FLOOR_MODELS)


def start_of_dbt(folder: Path) -> int:
    """(j) Hardly more than dbt itself."""
    return dbt_run(folder, "--select", "stg_study")


def seconds_of_models() -> float:
    """From the begin of the first model of the last run of dbt to the end of the last one."""
    results = json.loads((TARGET / "run_results.json").read_text(encoding="utf-8"))["results"]
    spans = [span for result in results for span in result["timing"] if result["unique_id"].startswith("model.")]
    moments = [datetime.fromisoformat(span[when]) for span in spans for when in ("started_at", "completed_at")]
    return (max(moments) - min(moments)).total_seconds()


def compare_with_floor(folder: Path) -> int:
    """Every mart of the floor is dbt's: the same rows, ids included, in the same order."""
    with _open_floor(folder) as connection:
        rows = 0
        for mart in FLOOR_MARTS:
            columns = [name for name, *_ in connection.execute(f"describe built.marts.{mart}").fetchall()]
            named = ", ".join(columns)
            of_dbt, of_floor = (
                f"select rowid, {named} from {database}.marts.{mart}" for database in ("built", "floor")
            )
            for one, other in ((of_dbt, of_floor), (of_floor, of_dbt)):
                ((differ,),) = connection.execute(f"select count(*) from ({one} except all {other})").fetchall()
                if differ:
                    sys.exit(f"marts.{mart}: {differ:,} rows of dbt and of floor.sql differ.")
            rows += int(connection.execute(f"select count(*) from floor.marts.{mart}").fetchall()[0][0])
        return rows


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
    # Last: after a run of a part, the warehouse is not complete.
    "h": floor,
    "i": listening_run,
    "j": start_of_dbt,
    "equal": compare_with_floor,
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
    seconds = seconds_of_models() if step == "i" else time.perf_counter() - begun
    who = resource.RUSAGE_CHILDREN if step in ("d", "i", "j") else resource.RUSAGE_SELF
    used = [resource.getrusage(one) for one in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    processor = sum(one.ru_utime + one.ru_stime for one in used)
    peak_mib = resource.getrusage(who).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "processor": processor, "rows": rows, "peak_mib": peak_mib}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--plays", type=int, default=3_200_000)
    parser.add_argument("--rounds", type=int, default=3)
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
        compare(folder, arguments.people, arguments.plays, arguments.rounds)
    finally:
        if arguments.folder is None:
            shutil.rmtree(folder)


def compare(folder: Path, people: int, plays: int, rounds: int) -> None:
    if not (folder / "study").exists():
        print(f"Generating {plays:,} plays of {people} people …", flush=True)
        # In a process of its own: a child inherits its parent's peak memory.
        command = [sys.executable, __file__, "--generate", "--people", str(people), "--plays", str(plays)]
        subprocess.run([*command, "--folder", str(folder)], cwd=PROJECT, check=True)
        shutil.copytree(folder / "study", folder / "fresh")
    best: dict[str, dict[str, float]] = {}
    ratios: dict[str, list[float]] = {"b/a": [], "b/c": [], "d/a": [], "e/d": [], "g/df": [], "i/h": []}
    of_processor: dict[str, list[float]] = {"b/a": [], "e/d": [], "i/h": []}
    for repeat in range(rounds):
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
        of_processor["b/a"].append(told["a"]["processor"] / told["b"]["processor"])
        of_processor["e/d"].append(told["e"]["processor"] / told["d"]["processor"])
        models = told["i"]["processor"] - told["j"]["processor"]
        of_processor["i/h"].append(models / told["h"]["processor"])
        ratios["i/h"].append(told["i"]["seconds"] / told["h"]["seconds"])
    print(f"\n{int(best['a']['rows']):,} plays, {rounds} rounds (pandas once); each ratio within one round\n")
    print(f"(b) consonance load, rows/s against bare DuckDB   {_spread(ratios['b/a'])}   (at least 0.9)")
    print(f"    in processor time, with the start of Python   {_spread(of_processor['b/a'])}")
    print(f"(b) consonance load, rows/s against pandas        {_spread(ratios['b/c'])}   (at least 4)")
    print(f"(d) dbt run, time against bare DuckDB             {_spread(ratios['d/a'])}   (at most 4)")
    print(f"(e) every check, time against dbt run             {_spread(ratios['e/d'])}   (at most 1.5)")
    print(f"    in processor time, with the start of Python   {_spread(of_processor['e/d'])}")
    print(f"(g) withdrawal, time against (d) and (f) together {_spread(ratios['g/df'])}   (at most 1.3)")
    print(f"(i) dbt's models, time against floor.sql          {_spread(ratios['i/h'])}   (at most 1.5)")
    print(f"    in processor time, less (j)                   {_spread(of_processor['i/h'])}")
    print(f"    both made marts.{', '.join(FLOOR_MARTS)}: the same rows in the same order")
    for step, name in (
        ("a", "bare DuckDB"),
        ("b", "consonance load"),
        ("c", "pandas"),
        ("d", "dbt run"),
        ("e", "every check"),
        ("f", "vault rewritten"),
        ("g", "withdrawal"),
        ("h", "floor.sql"),
        ("i", "its models by dbt"),
    ):
        print(
            f"({step}) {name:<17} peak memory {best[step]['peak_mib']:>7,.0f} MiB   best {best[step]['seconds']:.1f} s"
        )


def _spread(values: list[float]) -> str:
    ordered = sorted(values)
    return f"{ordered[len(ordered) // 2]:5.2f}  ({ordered[0]:.2f} to {ordered[-1]:.2f})"


if __name__ == "__main__":
    main()
