"""The residual re-identification risk on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from consonance.checks.risk.attacks import RiskReport
from consonance.checks.risk.thresholds import Figure


def print_risk(report: RiskReport, out: Console) -> None:
    """Print the figures of each attack, and which thresholds are met."""
    persons = report.find("k", "cells").persons
    if not persons:
        out.print("The marts have no participants: there is nothing to attack.")
        return
    samples = report.parameters["samples"]
    _print_by_points(
        report,
        "unicity",
        "singled_out",
        f"Share of samples that fit one person only ({persons:,} persons, {samples:,} samples each)",
        out,
    )
    _print_by_points(
        report,
        "membership",
        "false_positive",
        "Share of samples that fit another person (the person's own rows are left out)",
        out,
    )
    table = Table("the attacker knows", "measure", "of", "", box=None, title="Other attacks", title_justify="left")
    for figure in report.figures:
        if figure.attack not in ("unicity", "membership"):
            known = figure.knowledge if figure.points is None else f"{figure.points} {figure.knowledge}"
            shown = (
                _share(figure) if figure.low is not None else "–" if figure.value is None else f"{figure.value:,.0f}"
            )
            table.add_row(known, figure.measure.replace("_", " "), f"{figure.persons:,} persons", shown)
    out.print(table)
    for verdict in report.verdicts:
        threshold = verdict.threshold
        if verdict.worst is None:
            told, worst = "[yellow]not measured[/]", "the marts have no data for it"
        else:
            told = "[green]met[/]" if verdict.passed else "[red]not met[/]"
            worst = f"{verdict.worst:g}"
        out.print(
            f"{told}  {threshold.name} ({threshold.tier} tier): {worst}; required: {threshold.wanted}",
            soft_wrap=True,
        )


def _print_by_points(report: RiskReport, attack: str, measure: str, title: str, out: Console) -> None:
    figures = [figure for figure in report.figures if (figure.attack, figure.measure) == (attack, measure)]
    points = sorted({figure.points for figure in figures if figure.points is not None})
    table = Table("known of each play", "wrong points", box=None, title=title, title_justify="left")
    for number in points:
        table.add_column(f"{number} known", justify="right")
    for knowledge, wrong in dict.fromkeys((figure.knowledge, figure.wrong_points) for figure in figures):
        row = {
            figure.points: _share(figure)
            for figure in figures
            if (figure.knowledge, figure.wrong_points) == (knowledge, wrong)
        }
        table.add_row(knowledge, f"{wrong}", *(row.get(number, "–") for number in points))
    out.print(table)


def _share(figure: Figure) -> str:
    return "–" if figure.value is None else f"{100 * figure.value:.1f} %"
