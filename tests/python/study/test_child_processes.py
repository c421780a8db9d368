"""A check that is killed leaves no paired rebuild and no child process, however it is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from consonance.study.child_processes import children_group, in_background
from consonance.study.dbt_command import PROJECT
from consonance.study.folder import Study
from consonance.study.work_folders import PAIRED_REBUILD, work_folder

# As the non-interference test works: dbt builds in another thread, in a folder of the study.
CHECK = """
import signal, subprocess, sys
from pathlib import Path
from consonance.study.work_folders import PAIRED_REBUILD, work_folder
from consonance.study.child_processes import children_group, in_background
from consonance.study.folder import Study

# A shell starts programs in the background so that they ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)

def build():
    subprocess.run(["sleep", "60"], process_group=children_group.get())

with work_folder(Study(Path(sys.argv[1])), PAIRED_REBUILD) as root:
    root.mkdir()
    (root / "vault.duckdb").write_text("")
    with in_background(build) as building:
        print("builds", flush=True)
        building.result()
"""


def _eventually(is_so: Callable[[], bool]) -> bool:
    until = time.monotonic() + 20
    while not is_so() and time.monotonic() < until:
        time.sleep(0.02)
    return is_so()


def _runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_killed_check_leaves_no_folder_and_no_process(tmp_path: Path, how: signal.Signals) -> None:
    check = subprocess.Popen(
        [sys.executable, "-c", CHECK, tmp_path],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert check.stdout is not None and check.stdout.readline() == "builds\n"
    # The guardian, and what builds.
    assert _eventually(lambda: len(psutil.Process(check.pid).children(recursive=True)) == 2)
    children = psutil.Process(check.pid).children(recursive=True)
    assert len(list(tmp_path.iterdir())) == 1
    check.send_signal(how)
    assert check.wait(20) == -how
    assert _eventually(lambda: not any(map(_runs, children)))
    assert _eventually(lambda: not list(tmp_path.iterdir()))


def test_what_is_started_after_the_interrupt_is_ended_too(tmp_path: Path) -> None:
    def build() -> None:
        time.sleep(0.3)
        subprocess.run(["sleep", "60"], process_group=children_group.get(), check=False)

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt), work_folder(Study(tmp_path), PAIRED_REBUILD), in_background(build):
        raise KeyboardInterrupt
    assert time.monotonic() - begun < 30
