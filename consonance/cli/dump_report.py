"""A dump on a terminal: the progress bar while it is read, and the report of what landed."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from loaders.dumps import DumpReport
from loaders.dumps import Progress as ReadingProgress


class DumpProgress(ReadingProgress):
    """A bar on the terminal while dumps are read: bytes of the file as it is packed, and rows; silent elsewhere."""

    def __init__(self, screen: Console) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TextColumn("{task.fields[rows]:,} rows"),
            TimeRemainingColumn(),
            console=screen,
            transient=True,
            disable=not screen.is_terminal,
        )

    def __enter__(self) -> DumpProgress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def starts(self, path: Path) -> None:
        """The next file is read."""
        files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
        total = sum(one.stat().st_size for one in files)
        self._task = self._bar.add_task(f"Reading {escape(path.name)}", total=total, rows=0)

    def read(self, size: int) -> None:
        self._bar.advance(self._task, size)

    def landed(self, rows: int) -> None:
        self._bar.update(self._task, rows=rows)


def print_dump(report: DumpReport, out: Console) -> None:
    """Print how many rows of a dump landed, and why others did not."""
    if not report.is_new:
        out.print(f"{escape(report.file)}: this dump is loaded already.", soft_wrap=True)
        return
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in report.rejected.items())
    out.print(
        f"{escape(report.file)}: {report.landed:,} of {report.rows_in:,} rows landed"
        + (f" ({escape(reasons)})" if reasons else ""),
        soft_wrap=True,
    )
