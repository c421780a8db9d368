"""Where a study stands, on a terminal."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from consonance.study.status import StudyStatus


def print_status(status: StudyStatus, out: Console) -> None:
    """Print where a study stands, and what to run next."""
    people, loaded = status.participants, status.loaded
    lines = {
        "Participants": f"{people['enrolled']:,} enrolled, {people['active']:,} with a consent, {people['withdrawn']:,} withdrawn",
        "Last load": _moment(status.loaded_at) or "none yet",
        "Vault": f"{loaded['donations']:,} donations, {loaded['plays']:,} plays, {loaded['answers']:,} answers, {loaded['prompts']:,} prompts",
        "Catalogue": f"{loaded['feature_files']:,} files of features",
        "Held": f"{sum(status.held.values()):,} donations",
        "Not in the vault": f"{status.not_loaded:,} donations: new, or refused by the last load",
        "Desk": (_moment(status.desk_written_at) or "none yet") + " (analysis.duckdb)",
        "Release": f"{status.release} is current" if status.release else "none",
        "Doctor": f"{status.findings} findings: 'consonance doctor'" if status.findings else "nothing is wrong",
    }
    table = Table(title=escape(status.title), title_justify="left", box=None, show_header=False)
    for name, what in lines.items():
        table.add_row(f"[bold]{name}[/]", what)
        if name == "Held":
            for reason, donations in status.held.items():
                table.add_row("", f"{donations} {reason.replace('_', ' ')}: {status.advice[reason]}")
    out.print(table)
    out.print("\n[bold]Next[/]")
    steps = Table(box=None, show_header=False)
    steps.add_column(no_wrap=True)
    for command, why in status.next.items():
        steps.add_row(f"  {command}", why)
    out.print(steps)


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else ""
