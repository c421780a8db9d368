"""``consonance consent``: the consent ledger."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from rich.console import Console

from loaders.consent_forms import FormMap, Tool, import_form
from stores.study import Study

out = Console(highlight=False)
study_option = click.option(
    "--study",
    "folder",
    type=click.Path(path_type=Path),
    default=None,
    help="The study folder. Default: $CONSONANCE_STUDY, else ./study.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of the table.")


@click.group()
def consent() -> None:
    """The consent ledger: import forms."""


@consent.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--from", "tool", type=click.Choice(["redcap", "qualtrics"]), required=True, help="Where FILE is from.")
@click.option(
    "--map", "map_path", type=click.Path(path_type=Path), required=True, help="YAML: which column means what."
)
@study_option
@json_option
def import_(file: Path, tool: Tool, map_path: Path, folder: Path | None, as_json: bool) -> None:
    """Add the consents of FILE, the export of a form, to consents.csv. Safe to repeat.

    \b
    Exit status: 0 every consent is in the ledger; 2 a line could not be used, the rest was added;
    1 the command itself failed.
    """
    report = import_form(Study.find(folder), file, tool, FormMap.read(map_path))
    if as_json:
        click.echo(json.dumps(report.as_json()))
    else:
        out.print(f"{report.added} events added to the ledger, {report.known} were in it already.")
        for reason, lines in sorted(report.left_out.items()):
            out.print(f"{lines} lines left out: {reason}.")
        for fault in report.faults:
            out.print(f"[yellow]{fault}[/]", soft_wrap=True)
    sys.exit(2 if report.faults else 0)
