"""Windows around emotion reports: what dbt run costs with them, and without.

    python benchmarks/windows.py                                 # 3 million plays, 100,000 reports
    python benchmarks/windows.py --plays 300000 --reports 10000

Three runs of dbt on the same study and reports, each in a process of its own: with everything, without what models are
trained on, and without the windows either. All write the desk, of the tables that they have: dbt does so after a complete
run alone, so that after the others it is done here. The reports are of the people who listen, at random moments of their
histories. With windows it may take at most twice as long as without them, and 6 GiB; what the training examples cost on
top is told too.
Machines are noisy: the ratio is the result, the seconds are not. That of processor time hardly depends on what else the
machine does.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from consonance.study.memory import MEMORY_VARIABLE

PROJECT = Path(__file__).resolve().parents[1]
MOST_RATIO, MOST_GIB = 2.0, 6.0
# What DuckDB does not count comes on top.
MEMORY_LIMIT = "4GiB"
TRAINING = ("feat_training_window_features", "training_examples")
WINDOWS = ("feat_emotion_report_plays", "emotion_windows", "emotion_window_features")
# What a run leaves out. Training examples are made of windows: without these there are none.
LEFT_OUT: dict[str, tuple[str, ...]] = {"nothing": (), "training": TRAINING, "windows": (*WINDOWS, *TRAINING)}

# Both items of the affect grid at each moment: one report.
REPORTS = """
insert into vault.raw.survey_answers
with listeners as (
    select keyring.participant_code, plays.ts as moment, row_number() over (order by hash(plays.member_id, plays.row_no), plays.member_id, plays.row_no) as place
    from vault.raw.extended_plays as plays
    inner join vault.raw.keyring on keyring.participant_no = plays.participant_no
),
moments as (
    select participant_code, cast(moment as timestamp) + to_minutes(cast(hash(place) % 240 as integer)) - interval 2 hour as answered_at, place
    from listeners
    where place <= $reports
)
select participant_code, answered_at, 'affect_grid', item, 1 + hash(place, item) % 9, 'reports.csv', place
from moments
cross join (values ('valence'), ('arousal')) as items (item)
"""

WRITE_DESK = """
import sys
import duckdb
from consonance.study.desk import write_desk
from consonance.study.folder import Study
from consonance.study.vault import session_settings

study = Study.find(sys.argv[1])
with duckdb.connect(str(study.warehouse_path), config=session_settings()) as connection:
    tables = connection.execute("select schema_name || '.' || table_name, table_name from duckdb_tables()").fetchall()
    write_desk(connection, study, [table for table, name in tables if name not in sys.argv[2:]])
"""


def prepare(folder: Path, people: int, plays: int) -> None:
    """A study that is loaded."""
    from consonance.study.folder import Study
    from consonance.synthetic.study import make_study
    from loaders.load import load_study

    make_study(folder / "study", people=people, plays=plays, plain=True)
    load_study(Study.find(folder / "study"))


def set_reports(folder: Path, reports: int) -> int:
    """Replace all reports by so many. Returns how many there are: two may fall on one moment."""
    from consonance.study.folder import Study
    from consonance.study.vault import open_study

    with open_study(Study.find(folder / "study")) as connection:
        connection.execute("delete from vault.raw.survey_answers")
        connection.execute(REPORTS, {"reports": reports})
        ((there,),) = connection.execute(
            "select count(distinct (participant_code, answered_at)) from vault.raw.survey_answers"
        ).fetchall()
    return int(there)


def dbt_run(folder: Path, without: tuple[str, ...]) -> None:
    """Print seconds and peak memory of one run without some models: their tables are those of the run before."""
    environment = {**os.environ, "CONSONANCE_STUDY": str(folder / "study"), MEMORY_VARIABLE: MEMORY_LIMIT}
    begun = time.perf_counter()
    command = [Path(sys.executable).with_name("dbt"), "--quiet", "run", *(["--exclude", *without] if without else [])]
    subprocess.run(command, cwd=PROJECT, env=environment, check=True)
    if without:
        command = [sys.executable, "-c", WRITE_DESK, folder / "study", *without]
        subprocess.run(command, cwd=PROJECT, env=environment, check=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    figures = {"seconds": time.perf_counter() - begun, "processor_seconds": used.ru_utime + used.ru_stime}
    print(json.dumps(figures | {"peak_gib": used.ru_maxrss / 1024**2}))


def measured(folder: Path, left_out: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--run-without", left_out, "--folder", folder],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"dbt run failed:\n{done.stdout}{done.stderr}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--plays", type=int, default=3_200_000)
    parser.add_argument("--reports", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="keep the generated study here and use it again")
    parser.add_argument("--prepare", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--run-without", choices=LEFT_OUT, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.prepare:
        prepare(arguments.folder, arguments.people, arguments.plays)
        return
    if arguments.run_without:
        dbt_run(arguments.folder, LEFT_OUT[arguments.run_without])
        return
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="consonance-windows-"))
    try:
        compare(folder, arguments)
    finally:
        if arguments.folder is None:
            shutil.rmtree(folder)


def compare(folder: Path, arguments: argparse.Namespace) -> None:
    if not (folder / "study").exists():
        print(f"Generating {arguments.plays:,} plays of {arguments.people} people …", flush=True)
        command = [sys.executable, __file__, "--prepare", "--folder", folder, "--people", str(arguments.people)]
        # In a process of its own: a child inherits its parent's peak memory.
        subprocess.run([*command, "--plays", str(arguments.plays)], cwd=PROJECT, check=True)
    reports = set_reports(folder, arguments.reports)
    everything, windows, without = (measured(folder, left_out) for left_out in LEFT_OUT)
    print(
        f"\n{reports:,} reports: {everything['seconds']:.0f} s; {windows['seconds']:.0f} s without training examples; ",
        end="",
    )
    print(f"{without['seconds']:.0f} s without windows either")

    def ratios(run: dict[str, float]) -> str:
        names = "seconds", "processor_seconds"
        return "{:.2f} (of processor time {:.2f})".format(*(run[name] / without[name] for name in names))

    peak = max(everything["peak_gib"], windows["peak_gib"])
    print(f"windows       {ratios(windows)}; at most {MOST_RATIO}")
    print(f"everything    {ratios(everything)}")
    print(f"peak memory   {peak:.1f} GiB; at most {MOST_GIB}")
    if windows["seconds"] > MOST_RATIO * without["seconds"] or peak > MOST_GIB:
        sys.exit(1)


if __name__ == "__main__":
    main()
