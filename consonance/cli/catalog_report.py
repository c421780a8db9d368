"""The catalogue on a terminal: the progress bar while a dump is read, what landed of it, and what there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from loaders.catalogue_status import LoadedFile
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


def print_status(files: Sequence[LoadedFile], sources: Sequence[Mapping[str, Any]], tracks: int, out: Console) -> None:
    """Print the files of each source, and below them what its licence permits and how many tracks it covers."""
    table = Table(box=None)
    table.add_column("source", no_wrap=True)
    table.add_column("file", overflow="fold")
    for heading in ("rows", "loaded (UTC)", "SHA-256"):
        table.add_column(heading, justify="right", no_wrap=True)
    for file in files:
        moment = f"{file.loaded_at:%Y-%m-%d %H:%M}" if file.loaded_at else ""
        table.add_row(file.source_id, escape(file.file), f"{file.rows:,}", moment, file.sha256[:12])
    out.print(table)
    licences = Table(box=None)
    licences.add_column("source", no_wrap=True)
    for heading in ("licence", "may train models", "may be passed on", "tracks covered"):
        licences.add_column(heading, overflow="fold")
    for source in sources:
        share = f"{source['covers']:,} of {tracks:,}" if source["covers"] is not None else ""
        uses = ("yes" if source[use] else "no" for use in ("may_train_models", "may_redistribute"))
        licences.add_row(source["source_id"], source["licence"], *uses, share)
    out.print()
    out.print(licences)
