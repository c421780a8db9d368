"""``consonance audit``: the log of everything that was done to a study."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from consonance.cli.terminal import json_option, out, print_json, screen, study_option
from consonance.study.audit_verification import AuditReport, export_log, verify
from consonance.study.folder import Study
from consonance.study.vault import open_study


@click.group()
def audit() -> None:
    """The audit log: every load, consent event, publication, withdrawal and key change, as a chain of hashes.

    \b
    Examples:
      consonance audit verify
      consonance audit export log.json
    """


@audit.command("verify")
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    default=None,
    help="An earlier export of the log. The log must still contain its entries.",
)
@study_option
@json_option
def verify_(against: Path | None, folder: Path | None, as_json: bool) -> None:
    """Find entries that were changed, removed, moved or cut off. Exit status 1 if there are any.

    \b
    Examples:
      consonance audit verify
      consonance audit verify --against board/log-2026-05.json
    """
    study = Study.find(folder)
    with screen.status("Reading the log …"), open_study(study, read_only=True) as connection:
        report = verify(connection, study, against)
    if as_json:
        print_json(report.as_json())
    else:
        _print_report(report)
    sys.exit(0 if report.passed else 1)


@audit.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@study_option
@json_option
def export(file: Path, folder: Path | None, as_json: bool) -> None:
    """Write the log to FILE as JSON, for an ethics board to keep. Exit status 1 if the log is not intact.

    \b
    Example:
      consonance audit export log-2026-05.json
    """
    study = Study.find(folder)
    with screen.status("Reading the log …"), open_study(study, read_only=True) as connection:
        report = export_log(connection, study, file)
    if as_json:
        print_json(report.as_json() | {"file": file})
    else:
        _print_report(report)
    sys.exit(0 if report.passed else 1)


def _print_report(report: AuditReport) -> None:
    out.print(f"{report.entries:,} entries; the last has the hash {report.head}", soft_wrap=True)
    for fault in report.faults:
        out.print(f"[red]{fault}[/]")
    if report.passed:
        out.print("[green]The log is intact.[/]")
    else:
        out.print(
            "Somebody changed the vault without consonance, or restored an older vault or audit.head. "
            "Compare with the last export that the board keeps: 'consonance audit verify --against FILE'.",
            soft_wrap=True,
        )
