"""The program ``consonance``: runs a command, and says in a sentence how it ended if it did not end well.

Nothing of the commands is imported before ``main`` runs: whoever interrupts the program while it starts gets a sentence too.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

WRONG = 2  # the invocation, not the study
INTERRUPTED = 130
JSON_OPTION = "--json"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command of ``arguments``, else of ``sys.argv``, and end the process.

    Exit status: that of the command; 1 for an error, 2 for a wrong invocation, 130 if it was interrupted. Errors are
    sentences on standard error. With ``--json`` they are an object on standard output instead: ``error``, ``remedy``.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    for stream in (sys.stdout, sys.stderr):
        # A terminal or pipe that lacks a letter of some file's name gets its number instead.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = _run(given)
        sys.stdout.flush()
    except BrokenPipeError:  # who read the output wanted no more of it
        _discard_output()
        status = 1
    except BaseException as error:  # while something was imported, or an error was printed
        if not is_interrupt(error):
            raise
        status = _interrupted()
    if arguments is None:
        # The command has ended, and said how: nothing is left that an interrupt could stop.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(status)


def _run(arguments: Sequence[str]) -> int:
    from consonance.cli.commands import cli

    command = partial(cli.main, arguments, prog_name="consonance", standalone_mode=False)
    return status_of(command, as_json=JSON_OPTION in arguments)


def status_of(command: Callable[[], Any], *, as_json: bool = False) -> int:
    """Run ``command``, print its error if there is one, and say with which exit status it ended."""
    import click

    from consonance.cli.errors import explain, print_error
    from consonance.study.withheld import shows_messages

    try:
        ended = command()
    except BrokenPipeError:
        raise
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return WRONG
    except BaseException as error:
        if is_interrupt(error):
            return _interrupted()
        explained = explain(error)
        if explained.is_unforeseen and shows_messages():
            raise
        print_error(explained, as_json=as_json)
        return WRONG if isinstance(error, click.UsageError) else 1
    return ended if isinstance(ended, int) else 0


def is_interrupt(error: BaseException | None) -> bool:
    """Whether ``error`` came of Ctrl-C: DuckDB, click and imports make errors of their own of it."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _interrupted() -> int:
    sys.stderr.write("Interrupted. What was finished is kept. Run the command again.\n")
    return INTERRUPTED


def _discard_output() -> None:
    """What is still to be written goes nowhere, so that Python does not complain about the pipe when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
