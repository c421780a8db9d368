"""What a command says of an error: one sentence that names the file, and the remedy."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass

import click
import duckdb
from rich.markup import escape

from consonance.cli.terminal import print_json, screen
from consonance.study.errors import ConsonanceError
from consonance.study.store_errors import store_error
from consonance.study.withheld import unforeseen

# So many lines of what dbt printed are shown.
LAST_LINES = 30
REMEDIES = {
    errno.ENOSPC: "Make room on the disk, then run the command again.",
    errno.EDQUOT: "Make room on the disk, then run the command again.",
    errno.EFBIG: "Make room on the disk, then run the command again.",
    errno.EACCES: "Run the command as the owner of the file, or give yourself the right.",
    errno.EPERM: "Run the command as the owner of the file, or give yourself the right.",
    errno.EROFS: "Use a folder that can be written to.",
    errno.EISDIR: "A file is wanted there: name another, or move the folder away.",
    errno.ENOTDIR: "A folder is wanted there: name another, or move the file away.",
    errno.EEXIST: "Name another, or move away what is there.",
    errno.ENOENT: "Name one that exists, or make it.",
    errno.ELOOP: "Replace the link by the file.",
    errno.ENAMETOOLONG: "Give it a shorter name.",
}
UNUSABLE = "Look at it, and correct or replace it; 'consonance doctor' says what else is wrong."


@dataclass(frozen=True)
class Explained:
    """An error in words.

    Attributes:
        what, remedy: Sentences; neither holds content of participants.
        output: What dbt printed last, if dbt failed.
        is_unforeseen: Whether it is an error of the program rather than of its user.
    """

    what: str
    remedy: str
    output: str = ""
    is_unforeseen: bool = False


def explain(error: BaseException) -> Explained:
    """What to say of ``error``, or of the error that it was made of."""
    for one in _with_causes(error):
        if explained := _foreseen(one):
            return explained
    what, _, remedy = unforeseen(error).partition(". ")
    return Explained(f"{what}.", remedy, is_unforeseen=True)


def _foreseen(error: BaseException) -> Explained | None:
    if isinstance(error, ConsonanceError):
        output = "\n".join(str(getattr(error, "output", "")).splitlines()[-LAST_LINES:])
        return Explained(error.what, error.remedy, output)
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx else "consonance"
        return Explained(error.format_message(), f"See '{command} --help'.")
    if isinstance(error, click.ClickException):
        return Explained(error.format_message(), "")
    if isinstance(error, click.Abort):
        return Explained("Nothing was done: there was no yes.", "Run the command again, and answer y.")
    if isinstance(error, duckdb.Error) and (of_store := store_error(error)):
        return Explained(of_store.what, of_store.remedy)
    if isinstance(error, OSError) and (name := error.filename2 or error.filename):
        return Explained(
            f"{_text(name)} cannot be used: {(error.strerror or 'it cannot be read or written').lower()}.",
            REMEDIES.get(error.errno or 0, UNUSABLE),
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return Explained("A file could not be written: the disk is full.", REMEDIES[errno.ENOSPC])
    return None


def print_error(error: Explained, *, as_json: bool) -> None:
    """Print an error on standard error; as JSON, on standard output."""
    if error.output:
        screen.print(error.output, markup=False, soft_wrap=True)
    if as_json:
        print_json({"error": error.what, "remedy": error.remedy})
    else:
        screen.print(f"[red]Error:[/] {escape(f'{error.what} {error.remedy}'.strip())}", soft_wrap=True)


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _text(name: str | bytes | int) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)
