"""Running dbt on a study, as from a shell."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from consonance.study.child_processes import children_group, ending_with_this
from consonance.study.errors import ConsonanceError
from consonance.study.files import replace_file
from consonance.study.folder import STUDY_VARIABLE, Study

PROJECT = Path(__file__).resolve().parents[2]
# The project as dbt last parsed it; dbt parses again only what has changed since.
PARSED = "partial_parse.msgpack"
# The project's name in dbt's artifacts, and which files those are: another project's may be beside them.
NAME = "consonance"
ARTIFACTS = (
    "manifest.json", "run_results.json", "catalog.json", "sources.json", "semantic_manifest.json", "graph.gpickle",
    "graph_summary.json", "static_index.html", "index.html",
)  # fmt: skip
LOG = "dbt.log"
# The line that dbt writes into its log above each run; one log may have runs of several projects.
BEGINNING = re.compile(rb"(?m)^(?==+ [0-9:.]+ \| [0-9a-f-]{36} =+$)")


class DbtFailed(ConsonanceError):
    """A dbt command ended with an error; ``output`` is what it printed. ``is_logged``: whether ``logs/dbt.log`` has the rest."""

    def __init__(self, command: str, output: str, is_logged: bool) -> None:
        # A traceback says nothing to who runs a study.
        is_told = "Traceback" not in output
        log = "; all of them are in logs/dbt.log" if is_logged else ""
        where = "see logs/dbt.log" if is_logged else "run 'dbt run', and see logs/dbt.log"
        told = f"Its last lines are printed above{log}." if is_told else f"It met an error of its own: {where}."
        super().__init__(f"'dbt {command}' failed.", told)
        self.output = output if is_told else ""


def target_folder(workspace: Path | None = None) -> Path:
    """Where dbt leaves what it compiled: in ``workspace``, else where ``DBT_TARGET_PATH`` says, else in the project."""
    return workspace / "target" if workspace else PROJECT / os.environ.get("DBT_TARGET_PATH", "target")


def log_folder(workspace: Path | None = None) -> Path:
    """Where dbt writes its logs: in ``workspace``, else where ``DBT_LOG_PATH`` says, else in the project."""
    return workspace / "logs" if workspace else PROJECT / os.environ.get("DBT_LOG_PATH", "logs")


def clear_artifacts() -> None:
    """Delete what dbt compiled, ran and logged of this project. What it parsed has no data of participants, and stays.

    ``DBT_TARGET_PATH`` and ``DBT_LOG_PATH`` may name folders with files of other projects: these stay too.
    """
    target, log = target_folder(), log_folder()
    mark = f'"{NAME}"'.encode(), f".{NAME}.".encode()
    for name in ARTIFACTS:
        _remove_if_marked(target / name, mark)
    for folder in ("compiled", "run"):
        if not (target / folder).is_symlink():
            shutil.rmtree(target / folder / NAME, ignore_errors=True)
    for path in log.glob(f"{LOG}*"):
        _remove_marked_runs(path, mark)


def _remove_if_marked(path: Path, marks: Iterable[bytes]) -> None:
    if path.is_file() and not path.is_symlink():
        content = path.read_bytes()
        if any(mark in content for mark in marks):
            path.unlink()


def _remove_marked_runs(path: Path, marks: Iterable[bytes]) -> None:
    """Remove the runs with a mark from a log of dbt; a log without other runs is deleted."""
    if not path.is_file() or path.is_symlink():
        return
    runs = BEGINNING.split(path.read_bytes())
    others = [run for run in runs if not any(mark in run for mark in marks)]
    if not b"".join(others).strip():
        path.unlink()
    elif len(others) < len(runs):
        replace_file(path, b"".join(others), path.stat().st_mode & 0o777)


def run_dbt(study: Study, *arguments: str, workspace: Path | None = None) -> str:
    """Run ``dbt`` with ``arguments`` on ``study`` in the project's folder; returns what it printed. It ends with this process.

    Args:
        study: Whose warehouse to build.
        arguments: As on the command line.
        workspace: Where dbt's ``target`` goes, without a log; the project's folder if not given.

    Raises:
        DbtFailed: it ended with an error.
    """
    environment = {**os.environ, STUDY_VARIABLE: str(study.root.resolve()), "DO_NOT_TRACK": "1"}
    environment.pop("DBT_TARGET", None)  # an analyst's desk is no place for what this program makes
    if workspace is not None:
        environment |= {"DBT_TARGET_PATH": str(target_folder(workspace)), "DBT_LOG_PATH": str(log_folder(workspace))}
        # The log of a workspace goes with it, unread. To write one takes a twentieth of dbt's time.
        environment["DBT_LOG_LEVEL_FILE"] = "none"
        parsed = [
            folder / PARSED for folder in (target_folder(workspace), target_folder()) if (folder / PARSED).exists()
        ]
        if parsed:
            environment["DBT_PARTIAL_PARSE_FILE_PATH"] = str(parsed[0])
    dbt = Path(sys.executable).with_name("dbt")
    with ending_with_this():
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
        raise DbtFailed(arguments[0], done.stdout + done.stderr, is_logged=workspace is None)
    return done.stdout
