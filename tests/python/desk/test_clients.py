"""Clients in a terminal of their own: from a built study to a first answer, DuckDB's shell."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from conftest import SmallStudy

from consonance.desk.clients import NoClient, client_command

PROGRAMS = Path(sys.executable).parent
CONTROLS = re.compile(
    r"\x1b(?:\[[0-9;?<>=$ ]*[A-Za-z]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()=>][0-9A-Za-z]?|[PX^_].*?\x1b\\)", re.DOTALL
)
# What programs ask a terminal, and what one says: where the cursor is, what it is, how dark it is.
ASKED = {"\x1b[6n": "\x1b[1;1R", "\x1b[c": "\x1b[?62c", "\x1b]11;?": "\x1b]11;rgb:0000/0000/0000\x1b\\"}
PATIENCE_S = 60.0


class Terminal:
    """What a program shows in a terminal of 80 columns, and the keys that are pressed in it."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self.shown = ""

    def press(self, keys: str) -> None:
        os.write(self._handle, keys.encode())

    def wait_for(self, pattern: str) -> str:
        """Everything shown up to ``pattern``; what came before is forgotten."""
        until = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, CONTROLS.sub("", self.shown))):
            assert time.monotonic() < until, self.shown[-2000:]
            if not self._reads():
                pytest.fail(f"the program ended: {self.shown[-2000:]}")
        text, self.shown = CONTROLS.sub("", self.shown)[: found.end()], ""
        return text

    def read_to_the_end(self) -> None:
        """Read until the program has closed the terminal."""
        until = time.monotonic() + PATIENCE_S
        while self._reads():
            assert time.monotonic() < until, self.shown[-2000:]

    def _reads(self) -> bool:
        """Read what is there, and answer what is asked. False if the program has closed the terminal."""
        if select.select([self._handle], [], [], 0.2)[0]:
            try:
                read = os.read(self._handle, 65536).decode("utf-8", "replace")
            except OSError:
                return False
            self.shown += read
            for asked, answer in ASKED.items():
                if asked in read:
                    self.press(answer)
        return True


@contextmanager
def terminal(
    *command: str, home: Path, study: Path | None = None
) -> Iterator[tuple[Terminal, subprocess.Popen[bytes]]]:
    """A program in a terminal, with a home folder of its own."""
    outer, inner = pty.openpty()
    environment = {
        **os.environ,
        "HOME": str(home),
        "TERM": "xterm-256color",
        "COLUMNS": "80",
        "LINES": "24",
        "PS1": "$ ",
    }
    environment |= {"CONSONANCE_STUDY": str(study)} if study else {}
    program = subprocess.Popen(
        command, stdin=inner, stdout=inner, stderr=inner, env=environment, cwd=home, start_new_session=True
    )
    os.close(inner)
    try:
        yield Terminal(outer), program
    finally:
        # The client is a child of the program: both are killed.
        with suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        program.wait()
        os.close(outer)


def needs(program: str) -> None:
    if not (PROGRAMS / program).exists():
        pytest.skip(f"the program {program} is not installed")


def test_from_a_built_study_to_the_first_answer_in_two_commands(demo: SmallStudy, tmp_path: Path) -> None:
    """As a person types it: the environment is activated, the question is asked."""
    activate = PROGRAMS / "activate"
    if not activate.exists():
        pytest.skip("the tests do not run in an environment of Python")
    with terminal("bash", "--norc", "-i", home=tmp_path) as (shell, _):
        shell.wait_for(r"\$ ")
        shell.press(f". {shlex.quote(str(activate))}\n")
        shell.wait_for(r"\$ $")
        shell.press(
            f'consonance sql --study {shlex.quote(str(demo.root))} "select count(*) as sessions from sessions"\n'
        )
        answer = shell.wait_for(r"┘\s")
    ((sessions,),) = demo.warehouse("select count(*) from marts.sessions")
    assert re.search(rf"\b{sessions}\b", answer), answer
    assert "Traceback" not in answer


def test_the_shell_of_duckdb_opens_the_marts_for_reading(demo: SmallStudy, tmp_path: Path) -> None:
    needs("duckdb")
    with terminal(str(PROGRAMS / "consonance"), "sql", "--plain", home=tmp_path, study=demo.root) as (shell, program):
        shell.wait_for(r"D ")
        shell.press(
            "select 6 * 7 as answer, readonly from duckdb_databases() where database_name = 'analysis' and exists (from plays);\n"
        )
        assert "true" in shell.wait_for(r"42[^┘]*┘")
        shell.wait_for(r"D $")
        shell.press(".exit\n")
        shell.read_to_the_end()
        assert program.wait(PATIENCE_S) == 0


def test_harlequin_opens_the_marts_for_reading_where_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "analysis.duckdb"
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoClient, match="duckdb-cli"):
        client_command(database, plain=False)
    for name in ("duckdb", "harlequin"):
        program = tmp_path / name
        program.touch(mode=0o700)
        command = client_command(database, plain=False)
        assert (command[0], command[-1]) == (str(program), str(database))
        assert {"-readonly", "--read-only"} & set(command)
    assert client_command(database, plain=True)[0] == str(tmp_path / "duckdb")


def test_without_a_terminal_there_is_no_client(demo: SmallStudy, tmp_path: Path) -> None:
    done = subprocess.run(
        [PROGRAMS / "consonance", "sql", "--study", demo.root], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 1
    assert "A client needs a terminal." in done.stderr and "Traceback" not in done.stderr
