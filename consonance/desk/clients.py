"""Clients in the terminal: harlequin, and DuckDB's own shell. Both open a file of marts for reading, and send nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from consonance.study.errors import ConsonanceError

START = Path(__file__).with_name("start.sql")


class NoClient(ConsonanceError):
    """The client is not installed, or there is no terminal."""


def open_client(database: Path, *, plain: bool) -> int:
    """Open ``database`` in harlequin, or in DuckDB's own shell if ``plain``, until the person leaves it.

    Returns:
        The exit status of the client.

    Raises:
        NoClient: see there.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise NoClient(
            "A client needs a terminal.", "Give a query, or '-' to read one from standard input: consonance sql QUERY"
        )
    if plain:
        command = [_program("duckdb", "duckdb-cli"), "-readonly", "-init", str(START), str(database)]
    else:
        command = [_program("harlequin", "harlequin"), "--read-only", "--init-path", str(START), str(database)]
    return subprocess.run(command, check=False).returncode


def _program(name: str, package: str) -> str:
    """The path of a program: beside this Python, else on the path."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise NoClient(
            f"The program {name} is not installed.",
            f"Install the package {package}, or give a query: consonance sql QUERY",
        )
    return found
