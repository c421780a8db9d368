"""Python commands without the time that they take to start: each is a fork of a process that has imported what they need.

Of the project itself that process imports nothing: a command imports it from where ``PYTHONPATH`` says.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

# Nothing that imports DuckDB: it starts a thread at once, and a fork without that thread ends in an abort.
IMPORTED = (
    "dbt.cli.main",
    "dbt.adapters.sql.impl",
    "great_expectations",
    "rich.table",
    "isal.igzip",
    "sqlalchemy.dialects.postgresql",
)

DBT = "from dbt.cli.main import cli; cli()"


class Forks:
    """A process that forks for every command, for one after the other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # A publish in another thread may put temporary files elsewhere, and take that place away.
        self._place = tempfile.gettempdir()

    @cached_property
    def _parent(self) -> subprocess.Popen[str]:
        # Great Expectations reads this when it is imported; threads do not survive a fork.
        environment = {**os.environ, "GX_ANALYTICS_ENABLED": "false", "OPENBLAS_NUM_THREADS": "1"}
        return subprocess.Popen(
            [sys.executable, __file__], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run ``python -c`` with ``command``: the code and its arguments."""
        with self._lock, tempfile.TemporaryDirectory(dir=self._place) as place:
            assert self._parent.stdin is not None and self._parent.stdout is not None
            request = {"command": command, "folder": str(folder), "environment": dict(environment), "place": place}
            self._parent.stdin.write(json.dumps(request) + "\n")
            self._parent.stdin.flush()
            status = int(self._parent.stdout.readline())
            said = [(Path(place) / name).read_text(encoding="utf-8") for name in ("1", "2")]
        return subprocess.CompletedProcess(command, status, *said)

    def close(self) -> None:
        if "_parent" in self.__dict__:
            self._parent.communicate()


def _become(request: Mapping[str, Any]) -> NoReturn:
    """In a fork: be what the request says."""
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    for stream in ("0", "1", "2"):
        place = os.devnull if stream == "0" else str(Path(request["place"]) / stream)
        handle = os.open(place, os.O_RDWR | os.O_CREAT)
        os.dup2(handle, int(stream))
        os.close(handle)
    # A short life needs no garbage collector; it would take a sixth of the time.
    gc.disable()
    code, *arguments = request["command"]
    sys.path[0] = os.environ.get("PYTHONPATH", request["folder"])
    sys.argv = ["-c", *arguments]
    try:
        exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})
        status: int | None = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int | None) else 1
    except BaseException:
        traceback.print_exc()
        status = 1
    # To take thousands of modules apart would take longer than most commands.
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status or 0)


def _serve() -> None:
    for name in IMPORTED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    while line := sys.stdin.readline():
        fork = os.fork()
        if fork == 0:
            _become(json.loads(line))
        _, status = os.waitpid(fork, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    _serve()
