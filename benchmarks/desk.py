"""Opens and queries of the desk while runs of dbt, publishes and a withdrawal replace it: none may fail, or see half a build.

    python benchmarks/desk.py FOLDER [--runs 20] [--publishes 4] [--opens 200]

FOLDER must not exist: a synthetic study is made in it. Before each run a donation is added, so that every build differs
from every other. Readers open the desk again and again, query it and close it; one keeps it open all the time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from consonance.erasure.planning import plan
from consonance.erasure.withdrawal import withdraw
from consonance.release.publish import publish
from consonance.study.dbt_command import run_dbt
from consonance.study.folder import Study
from consonance.synthetic.study import make_study
from loaders.load import load_study

# What one build gives, and no other: totals of three marts that were made one after the other.
BUILD = """
    select
        (select count(*) from marts.plays), (select cast(sum(ms_played) as bigint) from marts.plays),
        (select cast(sum(ms_played) as bigint) from marts.participants), (select cast(sum(plays) as bigint) from marts.sessions),
        (select cast(sum(rows) as bigint) from audit.row_accounting), (select count(*) from reference.instruments)
"""
READER = """
import json, sys, time, duckdb
path, query = sys.argv[1:]
print("ready", flush=True)
for line in sys.stdin:
    try:
        with duckdb.connect(path, read_only=True) as desk:
            row = desk.execute(query).fetchone()
            again = desk.execute(query).fetchone()
        print(json.dumps(row if row == again else "two builds at one open"), flush=True)
    except Exception as error:
        print(json.dumps(f"{type(error).__name__}: {error}"), flush=True)
"""


class Readers:
    """A thread that lets another process open, query and close the desk until it is stopped."""

    def __init__(self, study: Study, pause: float) -> None:
        self.found: list[object] = []
        self._pause = pause
        self._process = subprocess.Popen(
            [sys.executable, "-c", READER, study.desk_path, BUILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        while not self._is_over.wait(self._pause):
            self._process.stdin.write("\n")
            self._process.stdin.flush()
            self.found.append(json.loads(self._process.stdout.readline()))

    def stop(self) -> list[object]:
        self._is_over.set()
        self._thread.join()
        self._process.communicate()
        return self.found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    for name, number in (("runs", 20), ("publishes", 4), ("opens", 200)):
        parser.add_argument(f"--{name}", type=int, default=number)
    arguments = parser.parse_args()
    make_study(arguments.folder, seed=5, people=30, plays=9_000)
    study = Study.find(arguments.folder)
    load_study(study)
    run_dbt(study, "run")
    builds = [_build(study)]
    kept = duckdb.connect(str(study.desk_path), read_only=True)
    first = kept.execute(BUILD).fetchone()
    readers = Readers(study, pause=0.05)
    seconds = []
    code = next(path.name for path in sorted(study.inbox.iterdir()) if path.is_dir())
    for run in range(arguments.runs):
        _donate(study, code, run)
        load_study(study)
        begun = time.monotonic()
        run_dbt(study, "run")
        seconds.append(time.monotonic() - begun)
        builds.append(_build(study))
        assert kept.execute(BUILD).fetchone() == first, "the client that kept it open saw another build"
    for _ in range(arguments.publishes):
        publish(study, "controlled")
    withdraw(study, plan(study, code, datetime.now(UTC).replace(tzinfo=None)))
    builds.append(_build(study))
    while len(readers.found) < arguments.opens:
        time.sleep(0.1)
    found = readers.stop()
    assert kept.execute(BUILD).fetchone() == first, "the client that kept it open saw another build"
    failed = [one for one in found if isinstance(one, str)]
    strange = [one for one in found if not isinstance(one, str) and one not in builds]
    print(
        f"{len(found)} opens during {arguments.runs} runs, {arguments.publishes} publishes and a withdrawal: {len(failed)} failed, "
        f"{len(strange)} saw what no build is; {len({str(one) for one in found})} of {len(builds)} builds were seen. "
        f"A run took {min(seconds):.1f} to {max(seconds):.1f} s, with a client that had the desk open."
    )
    for one in {str(one) for one in (*failed, *strange)}:
        print(f"  {one}")
    sys.exit(1 if failed or strange else 0)


def _build(study: Study) -> list[int]:
    with duckdb.connect(str(study.warehouse_path), read_only=True) as connection:
        return list(connection.execute(BUILD).fetchall()[0])


def _donate(study: Study, code: str, run: int) -> None:
    rows = [
        {
            "endTime": f"2019-01-{1 + run:02} 10:{minute:02}",
            "artistName": "An Artist",
            "trackName": f"Song {minute}",
            "msPlayed": 45_000,
        }
        for minute in range(10, 20)
    ]
    folder = study.inbox / code / f"later-{run}"
    folder.mkdir()
    (folder / "StreamingHistory_music_0.json").write_text(json.dumps(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
