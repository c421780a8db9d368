"""``consonance consent``: the consent ledger."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from consonance.cli.terminal import json_option, out, print_json, study_option
from consonance.consent.form_map import FormMap
from consonance.consent.forms import Tool, import_form
from consonance.consent.notices import register_notice
from consonance.consent.purposes import DESCRIPTIONS
from consonance.consent.receipt import write_receipt
from consonance.consent.status import ConsentStatus, consent_of, consent_states, judged_as_of
from consonance.study.folder import Study
from consonance.study.vault import open_study


@click.group()
def consent() -> None:
    """The consent ledger: register notices, import forms, show what is granted, write receipts.

    \b
    Examples:
      consonance consent status
      consonance consent receipt P001
    """


@consent.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--version",
    "version",
    required=True,
    help="The version of the notice, such as v1. The column form_version of consents.csv uses it.",
)
@click.option("--language", required=True, help="The language of the notice, such as en.")
@click.option("--title", default=None, help="The title of the notice on receipts. Default: the name of the file.")
@study_option
@json_option
def notice(file: Path, version: str, language: str, title: str | None, folder: Path | None, as_json: bool) -> None:
    """Register FILE, the information that participants read, in notices.csv. Safe to repeat.

    A copy of FILE goes into the study folder. Its SHA-256 binds every consent under VERSION to this text.

    \b
    Example:
      consonance consent notice notice.txt --version v1 --language en
    """
    registered = register_notice(Study.find(folder), file, version, language, title)
    if as_json:
        print_json(asdict(registered) | {"version": version})
        return
    what = "Registered" if registered.is_new else "Already registered"
    out.print(
        f"{what}: notice {version}, {registered.path}, SHA-256 {registered.sha256}.", soft_wrap=True, markup=False
    )


@consent.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--from",
    "tool",
    type=click.Choice(["redcap", "qualtrics"]),
    required=True,
    help="The program that FILE was exported from.",
)
@click.option(
    "--map",
    "map_path",
    type=click.Path(path_type=Path),
    required=True,
    help="A YAML file that gives the meaning of each column.",
)
@study_option
@json_option
def import_(file: Path, tool: Tool, map_path: Path, folder: Path | None, as_json: bool) -> None:
    """Add the consents of FILE, the export of a form, to consents.csv. Safe to repeat.

    \b
    Example:
      consonance consent import forms.csv --from redcap --map forms.yml

    \b
    Exit status: 0 every consent is in the ledger; 2 a line could not be used,
    and the others were added; 1 the command failed.
    """
    report = import_form(Study.find(folder), file, tool, FormMap.read(map_path))
    if as_json:
        print_json(report.as_json())
    else:
        out.print(f"{report.added} events added to the ledger, {report.known} were in it before.")
        for reason, lines in sorted(report.left_out.items()):
            out.print(f"{lines} lines were left out: {reason}.")
        for fault in report.faults:
            out.print(f"[yellow]{escape(fault)}[/]", soft_wrap=True)
        for remedy in report.remedies:
            out.print(remedy, soft_wrap=True, markup=False)
    sys.exit(2 if report.faults else 0)


@consent.command()
@click.argument("code", required=False)
@study_option
@json_option
def status(code: str | None, folder: Path | None, as_json: bool) -> None:
    """Show what every participant, or the participant CODE, grants, as of the last load.

    \b
    Examples:
      consonance consent status
      consonance consent status P001
    """
    with open_study(Study.find(folder), read_only=True) as connection:
        states = [consent_of(connection, code)] if code else consent_states(connection)
        as_of = judged_as_of(connection)
    if as_json:
        participants = [state.as_json() for state in states]
        print_json({"as_of": f"{as_of.isoformat(timespec='seconds')}Z", "participants": participants})
        return
    if code:
        _print_status(states[0])
    elif states:
        _print_states(states)
    else:
        out.print("consents.csv and participants.csv list no participant.")
    out.print(f"As of {as_of:%Y-%m-%d %H:%M} UTC.")


@consent.command()
@click.argument("code")
@study_option
@json_option
def receipt(code: str, folder: Path | None, as_json: bool) -> None:
    """Write the receipt of the participant CODE into receipts/, as a page to print and as JSON.

    \b
    Example:
      consonance consent receipt P001
    """
    study = Study.find(folder)
    with open_study(study, read_only=True) as connection:
        page, record = write_receipt(connection, study, code)
    if as_json:
        print_json({"page": page, "record": record})
    else:
        out.print(f"The receipt is at {page}, and as JSON at {record}.", soft_wrap=True, markup=False)


def _print_states(states: list[ConsentStatus]) -> None:
    table = Table("code", "state", *(one.heading for one in DESCRIPTIONS.values()), box=None, padding=(0, 1, 0, 0))
    for state in states:
        ticks = ("x" if purpose in state.purposes else "" for purpose in DESCRIPTIONS)
        table.add_row(state.participant_code, _coloured(state), *ticks)
    out.print(table)
    for state in states:
        for remark in state.remarks:
            out.print(f"[yellow]{state.participant_code}[/]: {remark}")


def _print_status(state: ConsentStatus) -> None:
    out.print(f"{state.participant_code}: {_coloured(state)}")
    if state.occurred_at:
        out.print(f"decided {state.occurred_at:%Y-%m-%d %H:%M} UTC, under notice {state.form_version}")
    if state.state == "active":
        out.print(f"history from {state.history_from or 'the beginning'} to {state.history_to or 'the end'}")
        for purpose in state.purposes:
            out.print(f"  grants {purpose}")
    for remark in state.remarks:
        out.print(f"[yellow]{remark}[/]")


def _coloured(state: ConsentStatus) -> str:
    return f"[{ {'active': 'green', 'withdrawn': 'yellow', 'erased': 'dim'}.get(state.state, 'red') }]{state.state}[/]"
