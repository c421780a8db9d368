"""A load on a terminal: the progress bar while donations are read, and the report by participant."""

from __future__ import annotations

import threading
from collections import Counter

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from consonance.erasure.amendment import Narrowed
from loaders.history_doubts import REMEDY
from loaders.inbox import Donation
from loaders.load import LoadProgress
from loaders.load_report import ROWS, DonationReport, FileReport, LoadReport, participant_status


class ProgressBar(LoadProgress):
    """A bar on the terminal while donations are read; silent elsewhere."""

    def __init__(self, screen: Console) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=screen,
            transient=True,
            disable=not screen.is_terminal,
        )
        self._lock = threading.Lock()

    def __enter__(self) -> ProgressBar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def starts(self, donations: list[Donation]) -> None:
        self._task = self._bar.add_task("Reading donations", total=len(donations))

    def done(self, donation: Donation, report: DonationReport) -> None:
        with self._lock:
            self._bar.advance(self._task)

    def reads(self, file: str) -> None:
        self._bar.update(self._task, description=f"Reading {escape(file)}", total=None)


def print_load(report: LoadReport, out: Console) -> None:
    """Print for each participant what was landed, rejected or held, with the exclusion reasons, and the totals."""
    table = Table(box=None, padding=(0, 1, 0, 0))
    for heading in ("participant", "status"):
        table.add_column(heading, no_wrap=True)
    for heading in ("files", "rows", "landed", "rejected", "already", "held"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("exclusion reasons", overflow="fold")
    for code, donations in report.by_participant().items():
        held = sum(donation.status == "held" for donation in donations)
        counts = [sum(donation.rows(what) for donation in donations) for what in ROWS]
        status = participant_status(donations)
        colour = {"refused": "red", "partly": "yellow", "held": "yellow"}.get(status, "green")
        table.add_row(
            escape(code) or "(no participant)",
            f"[{colour}]{status}[/]",
            f"{len(donations)}",
            *(f"{count:,}" for count in counts),
            f"{held}",
            _why(donations),
        )
    out.print(table)
    for donation in report.donations:
        if donation.advice:
            out.print(f"[yellow]{escape(donation.file)}[/]: {escape(donation.advice)}", soft_wrap=True)
    for file in [*report.instruments, *report.surveys, *report.catalogue]:
        print_file(file, out)
    if report.closed:
        out.print(
            f"[yellow]Other users of this machine could read {escape(', '.join(report.closed))}.[/] Now only you can.",
            soft_wrap=True,
        )
    for code in report.not_read_again:
        out.print(
            f"[yellow]{escape(code)}[/] grants again what was erased, but not all donations that were loaded are in the inbox"
            " as they were: the history stays as it is. Put them back, and load again.",
            soft_wrap=True,
        )
    for doubt in report.undecided:
        out.print(f"[yellow]{escape(doubt.what)}[/]", soft_wrap=True)
    if report.undecided:
        out.print(REMEDY, soft_wrap=True)
    for permission in report.feature_permissions:
        if permission.is_expired:
            out.print(f"[yellow]{escape(permission.what)}[/]", soft_wrap=True)
    totals = report.as_json()["totals"]
    out.print(
        f"[bold]{totals['rows_in']:,} rows = {totals['landed']:,} landed + {totals['rejected']:,} rejected[/]"
        + (f", {totals['rows_already']:,} had been landed before" if totals["rows_already"] else "")
        + "; "
        + ", ".join(
            f"{totals[status]:,} {status}"
            for status in ("loaded", "already", "partly", "refused", "held")
            if totals[status]
        )
    )


def print_file(file: FileReport, out: Console, landed: str = "landed") -> None:
    """Print what was landed (or, in other words, would be) of a table of instruments, a questionnaire file or a feature archive."""
    if file.not_read:
        out.print(f"[red]{escape(file.file)}: not read[/] ({file.not_read})", soft_wrap=True)
    else:
        counts = {**file.reasons, **file.doubts, **file.remarks}
        told = [*file.decided, *(f"{what} {count:,}" for what, count in counts.items())]
        told += [f"prompts {what} {count:,}" for what, count in file.prompts.items()]
        out.print(
            f"{escape(file.file)}: {file.landed:,} of {file.rows_in:,} lines {landed}"
            + (f" ({escape(', '.join(told))})" if told else ""),
            soft_wrap=True,
        )
    for advice in file.advice:
        out.print(f"[yellow]{escape(file.file)}[/]: {escape(advice)}", soft_wrap=True)


def print_amendments(amendments: list[Narrowed], out: Console) -> None:
    """Print what was taken back and erased."""
    for one in amendments:
        what = [*one.purposes, *(["a part of the window"] if one.is_window_narrower else [])]
        out.print(
            f"[yellow]{escape(one.participant_code)}[/] took back {', '.join(what)}: {one.plays:,} plays were erased.",
            soft_wrap=True,
        )
    if any(one.plays for one in amendments):
        out.print(
            "The vault was written again and the warehouse was rebuilt. Delete backups that are older than today."
        )


def _why(donations: list[DonationReport]) -> str:
    reasons: Counter[str] = Counter()
    for donation in donations:
        if donation.status in ("refused", "held") and donation.reason:
            reasons[donation.reason] += 1
        for member in donation.members:
            reasons.update(member.reasons)
            if member.reason:
                reasons[member.reason] += 1
    return ", ".join(f"{reason} {count:,}" if count > 1 else reason for reason, count in sorted(reasons.items()))
