"""What a command costs, for the benchmarks that call the program as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


def run(
    command: Sequence[str | Path], study: Path, accepted: Collection[int] = (0,), **environment: str
) -> dict[str, float]:
    """Run a command on ``study``; the benchmark ends if its exit status is not among those ``accepted``.

    Returns:
        ``seconds``, ``cpu_s`` (seconds of the processor, of its children too) and ``peak_mib`` of the largest process.
    """
    variables = {**os.environ, "CONSONANCE_STUDY": str(study), **environment}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        begun = time.perf_counter()
        process = subprocess.Popen(command, cwd=PROJECT, env=variables, stdout=said, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in accepted:
            said.seek(0)
            sys.exit(f"{' '.join(map(str, command))} failed:\n{said.read()[-4000:]}")
    return {"seconds": seconds, "cpu_s": used.ru_utime + used.ru_stime, "peak_mib": used.ru_maxrss / 1024}
