"""The reports of the guards on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from consonance.checks.leak_scan import LeakScanReport
from consonance.checks.lineage.policy import LineageReport
from consonance.checks.non_interference import NonInterferenceReport
from consonance.checks.study_checks import CheckReport, RulesReport
from consonance.cli.lineage_report import print_lineage
from consonance.study.doctor import Diagnosis


def print_check(report: CheckReport, out: Console, at_length: bool) -> None:
    """Print what a guard found; ``at_length`` for those who asked for this guard alone."""
    if isinstance(report, LineageReport):
        print_lineage(report, out, with_columns=at_length)
    elif isinstance(report, RulesReport):
        _print_rules(report, out)
    elif isinstance(report, NonInterferenceReport):
        _print_non_interference(report, out)
    elif isinstance(report, LeakScanReport):
        _print_leaks(report, out)


def print_diagnosis(diagnosis: Diagnosis, out: Console) -> None:
    """Print what the doctor found."""
    for finding in diagnosis.findings:
        colour = "red" if finding.is_grave else "yellow"
        out.print(
            f"[{colour}]{escape(finding.place)}[/]: {escape(finding.what)} {escape(finding.remedy)}",
            soft_wrap=True,
        )
    if not diagnosis.findings:
        out.print(f"[green]Nothing is wrong[/] ({diagnosis.looked_at} things looked at).")


def _print_rules(report: RulesReport, out: Console) -> None:
    table = Table("rule", "what holds", "", box=None)
    for result in report.results:
        if result.passed:
            verdict = "[green]holds[/]"
        elif result.violations is None:
            verdict = "[red]could not be run[/]"
        else:
            verdict = f"[red]{result.violations:,} violations[/]"
        table.add_row(result.rule.name, result.rule.what, verdict)
    out.print(table)
    for result in report.results:
        if not result.passed:
            out.print(f"[red]{result.rule.name}[/]: {result.rule.why} {result.rule.remedy}")


def _print_non_interference(report: NonInterferenceReport, out: Console) -> None:
    for difference in report.differences:
        place = f"{difference.relation}.{difference.column}" if difference.column else difference.relation
        out.print(f"\n[red]{place}[/] {escape(difference.what)}.")
    if report.passed:
        told = "Under other names, devices and secrets the warehouse is the same"
    else:
        told = "The warehouse depends on who people are, or tells it: look at the models that write these columns"
    out.print(
        f"\n[{'green' if report.passed else 'red'}]{told}: {report.relations} relations, {report.columns} columns, "
        f"{report.rows:,} rows compared.[/]"
    )


def _print_leaks(report: LeakScanReport, out: Console) -> None:
    for trace in report.leaks:
        out.print(f"\n[red]{escape(trace.place)}[/] {escape(trace.what)}.", soft_wrap=True)
    if report.passed:
        out.print(f"\n[green]No secret and no name in {report.files:,} artifacts, logs and pages.[/]")
    else:
        out.print("\n[red]Delete these files, and find out which command wrote them.[/]")
