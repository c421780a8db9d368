"""The report of the wall check on a terminal: each released column, what chooses rows and values, the findings."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table


def print_columns(columns: list[dict[str, Any]], uses: list[dict[str, Any]], out: Console) -> None:
    """Print every released column with where it comes from, and what chooses rows and values; for 80 to 120 columns."""
    for relation, rows in groupby(columns, key=lambda row: row["relation"]):
        out.print(f"\n[bold]{relation}[/]")
        out.print(_columns(rows))
    out.print("\n[bold]What chooses rows and values[/]")
    for reason, together in groupby(sorted(uses, key=_by_reason), key=lambda use: use["reason"]):
        _print_uses(reason, list(together), out)


def print_findings(findings: list[dict[str, Any]], out: Console) -> None:
    """Print each finding with its place and its remedy."""
    for finding in findings:
        out.print(f"\n[red]{finding['kind']}[/] {escape(finding['place'])}", soft_wrap=True)
        out.print(f"  {escape(finding['what'])} {escape(finding['remedy'])}")


def _columns(rows: Iterable[dict[str, Any]]) -> Table:
    """For each column the nearest source of each class (open ones where there are no others), and its way."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("column", no_wrap=True)
    table.add_column("functions", no_wrap=True)
    table.add_column("made of, and the way")
    for row in rows:
        classes = [privacy for privacy in row["classes"] if privacy != "open"] or row["classes"]
        sources = [_sources(privacy, row["sources"]) for privacy in classes]
        models = dict.fromkeys(hop.rpartition(".")[0] for hop in row["path"][1:-1])
        if models:
            sources[0] += f" [dim]> {' > '.join(models)}[/]"
        table.add_row(
            row["column"], "\n".join(row["declassifiers"]), "\n".join(sources) or "[dim]counted or constant[/]"
        )
    return table


def _sources(privacy: str, sources: list[dict[str, Any]]) -> str:
    """The nearest source of a class, and how many more there are."""
    names = list(dict.fromkeys(source["column"] for source in sources if source["class"] == privacy))
    return f"{privacy} {names[0]}" + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def _by_reason(use: dict[str, Any]) -> tuple[str, str, str]:
    return (use["reason"] or "", use["column"], use["model"])


def _print_uses(reason: str | None, uses: list[dict[str, Any]], out: Console) -> None:
    columns = ", ".join(dict.fromkeys(use["column"] for use in uses))
    models: dict[str, dict[str, None]] = {}
    for use in uses:
        models.setdefault(use["model"], {})[use["use"]] = None
    where = "; ".join(f"{model} ({', '.join(kinds)})" for model, kinds in models.items())
    out.print(f"\n{columns}\n  [dim]in[/] {where}\n  {escape(reason) if reason else '[red]not reviewed[/]'}")
