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
    """Open ``database`` in a client until the person leaves it.

    Args:
        database: A file of marts.
        plain: DuckDB's own shell; else harlequin, if it is installed.

    Returns:
        The exit status of the client.

    Raises:
        NoClient: see there.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise NoClient(
            "A client needs a terminal.", "Give a query, or '-' to read one from standard input: consonance sql QUERY"
        )
    return subprocess.run(client_command(database, plain=plain), check=False).returncode


def client_command(database: Path, *, plain: bool) -> list[str]:
    """The command that opens ``database``: see ``open_client``.

    Raises:
        NoClient: there is no client.
    """
    if not plain and (harlequin := _program("harlequin")):
        return [harlequin, "--read-only", "--init-path", str(START), str(database)]
    if shell := _program("duckdb"):
        return [shell, "-readonly", "-init", str(START), str(database)]
    raise NoClient(
        "The program duckdb is not installed.",
        "Install the package duckdb-cli of requirements.lock, or give a query: consonance sql QUERY",
    )


def _program(name: str) -> str | None:
    """The path of a program: beside this Python, else on the path."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name)
