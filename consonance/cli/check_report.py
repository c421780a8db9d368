"""The reports of the guards on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from consonance.checks.leak_scan import TraceReport
from consonance.checks.lineage.policy import WallReport
from consonance.checks.non_interference import TwinReport
from consonance.checks.study_checks import GuardReport, RulesReport
from consonance.cli.lineage_report import print_wall
from consonance.study.doctor import Diagnosis


def print_guard(report: GuardReport, out: Console, at_length: bool) -> None:
    """Print what a guard found; ``at_length`` for those who asked for this guard alone."""
    if isinstance(report, WallReport):
        print_wall(report, out, with_columns=at_length)
    elif isinstance(report, RulesReport):
        _print_rules(report, out)
    elif isinstance(report, TwinReport):
        _print_twin(report, out)
    elif isinstance(report, TraceReport):
        _print_traces(report, out)


def print_diagnosis(diagnosis: Diagnosis, out: Console) -> None:
    """Print what the doctor found."""
    for complaint in diagnosis.complaints:
        colour = "red" if complaint.is_grave else "yellow"
        out.print(
            f"[{colour}]{escape(complaint.place)}[/]: {escape(complaint.what)} {escape(complaint.remedy)}",
            soft_wrap=True,
        )
    if not diagnosis.complaints:
        out.print(f"[green]Nothing is wrong[/] ({diagnosis.looked_at} things looked at).")


def _print_rules(report: RulesReport, out: Console) -> None:
    table = Table("rule", "what holds", "", box=None)
    for result in report.results:
        if result.holds:
            verdict = "[green]holds[/]"
        elif result.violations is None:
            verdict = "[red]could not be run[/]"
        else:
            verdict = f"[red]{result.violations:,} violations[/]"
        table.add_row(result.rule.name, result.rule.what, verdict)
    out.print(table)
    for result in report.results:
        if not result.holds:
            out.print(f"[red]{result.rule.name}[/]: {result.rule.why} {result.rule.remedy}")


def _print_twin(report: TwinReport, out: Console) -> None:
    for difference in report.differences:
        place = f"{difference.relation}.{difference.column}" if difference.column else difference.relation
        out.print(f"\n[red]{place}[/] {escape(difference.what)}.")
    if report.holds:
        told = "Under other names, devices and secrets the warehouse is the same"
    else:
        told = "The warehouse depends on who people are, or tells it: look at the models that write these columns"
    out.print(
        f"\n[{'green' if report.holds else 'red'}]{told}: {report.relations} relations, {report.columns} columns, "
        f"{report.rows:,} rows compared.[/]"
    )


def _print_traces(report: TraceReport, out: Console) -> None:
    for trace in report.traces:
        out.print(f"\n[red]{escape(trace.place)}[/] {escape(trace.what)}.", soft_wrap=True)
    if report.holds:
        out.print(f"\n[green]No secret and no name in {report.files:,} artifacts, logs and pages.[/]")
    else:
        out.print("\n[red]Delete these files, and find out which command wrote them.[/]")
