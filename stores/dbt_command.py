"""Calling dbt on a study, as anyone would from a shell."""

from __future__ import annotations

import os
import subprocess
import sys
from contextvars import ContextVar
from pathlib import Path

from stores.errors import ConsonanceError
from stores.study import STUDY_VARIABLE, Study

PROJECT = Path(__file__).resolve().parents[1]
# What dbt remembers of the project as it last parsed it; it parses again whatever has changed since.
PARSED = "partial_parse.msgpack"

# The process group that dbt's processes belong to while a release is made, so that they end with it.
children_group: ContextVar[int | None] = ContextVar("children_group", default=None)


class DbtFailed(ConsonanceError):
    """A dbt command ended with an error; ``output`` is what it said."""

    def __init__(self, command: str, output: str, log: str) -> None:
        super().__init__(f"'dbt {command}' failed.", f"Its last lines stand above{log}.")
        self.output = output


def target_folder(workspace: Path | None = None) -> Path:
    """Where dbt leaves what it compiled: in ``workspace``, else where ``DBT_TARGET_PATH`` says, else in the project."""
    return workspace / "target" if workspace else PROJECT / os.environ.get("DBT_TARGET_PATH", "target")


def log_folder(workspace: Path | None = None) -> Path:
    """Where dbt writes its logs: in ``workspace``, else where ``DBT_LOG_PATH`` says, else in the project."""
    return workspace / "logs" if workspace else PROJECT / os.environ.get("DBT_LOG_PATH", "logs")


def run_dbt(study: Study, *arguments: str, workspace: Path | None = None) -> str:
    """Run ``dbt`` with ``arguments`` on ``study`` in the project's folder; returns what it said.

    Args:
        study: Whose warehouse to build.
        arguments: As on the command line.
        workspace: Where dbt's ``target`` and ``logs`` go; the project's folder if not given.

    Raises:
        DbtFailed: it ended with an error.
    """
    environment = {**os.environ, STUDY_VARIABLE: str(study.root.resolve()), "DO_NOT_TRACK": "1"}
    if workspace is not None:
        environment |= {"DBT_TARGET_PATH": str(target_folder(workspace)), "DBT_LOG_PATH": str(log_folder(workspace))}
        parsed = [
            folder / PARSED for folder in (target_folder(workspace), target_folder()) if (folder / PARSED).exists()
        ]
        if parsed:
            environment["DBT_PARTIAL_PARSE_FILE_PATH"] = str(parsed[0])
    dbt = Path(sys.executable).with_name("dbt")
    done = subprocess.run(
        [dbt, "--no-use-colors", *arguments],
        cwd=PROJECT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        process_group=children_group.get(),
    )
    if done.returncode:
        log = "" if workspace else "; the whole is in logs/dbt.log"
        raise DbtFailed(arguments[0], done.stdout + done.stderr, log)
    return done.stdout
