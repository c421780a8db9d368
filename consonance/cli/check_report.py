"""The results of checks on a terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from consonance.checks.check import CheckResult
from consonance.cli.lineage_report import print_columns, print_findings
from consonance.study.doctor import Diagnosis

# So many places of a rule are printed; --json has all of them.
FINDINGS = 5
NO_FILE = "No file of the project makes it."


def print_check(result: CheckResult, out: Console, at_length: bool) -> None:
    """Print what a check found; ``at_length`` for those who asked for this check alone."""
    details = result.details
    if "rules" in details:
        _print_rules(details["rules"], out)
    if "columns" in details and "uses" in details:
        if at_length:
            print_columns(details["columns"], details["uses"], out)
        print_findings(details["findings"], out)
    for difference in details.get("differences", ()):
        place = ".".join(part for part in (difference["relation"], difference["column"]) if part)
        out.print(
            f"\n[red]{place}[/] {escape(difference['what'])}. Look at {escape(difference['file'])}.", soft_wrap=True
        )
    if at_length:
        for relation in details.get("relations", ()):
            verdict = "[green]passed[/]" if relation["passed"] else "[red]failed[/]"
            out.print(f"{relation['name']} {verdict}: {escape(relation['what'])}", soft_wrap=True)
    for leak in details.get("leaks", ()):
        out.print(f"\n[red]{escape(leak['place'])}[/] {escape(leak['what'])}.", soft_wrap=True)
    colour, word = ("green", "passed") if result.passed else ("red", "failed")
    out.print(f"\n[{colour}]{result.name} {word}[/]: {escape(result.summary)}")
    if result.remedy and not ("rules" in details or "findings" in details):
        out.print(escape(result.remedy))


def print_diagnosis(diagnosis: Diagnosis, out: Console) -> None:
    """Print what the doctor found."""
    for finding in diagnosis.findings:
        colour = "red" if finding.is_grave else "yellow"
        out.print(
            f"[{colour}]{escape(finding.place)}[/]: {escape(finding.what)} {escape(finding.remedy)}",
            soft_wrap=True,
        )
    if not diagnosis.findings:
        out.print(f"[green]Nothing is wrong[/] ({diagnosis.looked_at} checks).")


def _print_rules(rules: list[dict[str, Any]], out: Console) -> None:
    table = Table("rule", "what is checked", "", box=None)
    for rule in rules:
        if rule["passed"]:
            verdict = "[green]passed[/]"
        elif rule["violations"] is None:
            verdict = "[red]could not be run[/]"
        else:
            verdict = f"[red]{rule['violations']:,} violations[/]"
        table.add_row(rule["rule"], rule["what"], verdict)
    out.print(table)
    for rule in rules:
        if not rule["passed"]:
            out.print(f"\n[red]{rule['rule']}[/]: {escape(rule['why'])}")
            for finding in rule["findings"][:FINDINGS]:
                look = f"Look at {finding['file']}, line {finding['line']}." if finding["file"] else NO_FILE
                out.print(escape(f"  {finding['what']} {look}"), soft_wrap=True)
            if (more := len(rule["findings"]) - FINDINGS) > 0:
                out.print(f"  And {more} more places, most of them made of these.")
            out.print(f"  {escape(rule['remedy'])}", soft_wrap=True)
