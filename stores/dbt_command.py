"""Calling dbt on a study, as anyone would from a shell."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from stores.errors import ConsonanceError
from stores.study import STUDY_VARIABLE, Study

PROJECT = Path(__file__).resolve().parents[1]


class DbtFailed(ConsonanceError):
    """A dbt command ended with an error; ``output`` is what it said."""

    def __init__(self, command: str, output: str) -> None:
        super().__init__(f"'dbt {command}' failed.", "Its last lines stand above; the whole is in logs/dbt.log.")
        self.output = output


def run_dbt(study: Study, *arguments: str) -> str:
    """Run ``dbt`` with ``arguments`` on ``study`` in the project's folder; returns what it said.

    Raises:
        DbtFailed: it ended with an error.
    """
    environment = {**os.environ, STUDY_VARIABLE: str(study.root.resolve()), "DO_NOT_TRACK": "1"}
    dbt = Path(sys.executable).with_name("dbt")
    done = subprocess.run(
        [dbt, "--no-use-colors", *arguments], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise DbtFailed(arguments[0], done.stdout + done.stderr)
    return done.stdout
