"""``consonance vault``: the vault, for machines other than this one."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from consonance.cli.terminal import json_option, out, print_json, screen, study_option
from consonance.export.vault import export_vault
from consonance.study.folder import Study


@click.group()
def vault() -> None:
    """Everything that participants gave, identified and encrypted.

    \b
    Example:
      consonance vault export /secure/export
    """


@vault.command()
@click.argument("target", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask whether identified data may leave the vault.")
@study_option
@json_option
def export(target: Path, yes: bool, folder: Path | None, as_json: bool) -> None:
    """Export the raw tables and the catalogue to FOLDER as Parquet, for Spark. They are identified data, not encrypted.

    FOLDER must not exist yet. It is made for its owner alone, and refused where others could reach it. docs/spark.md says
    how Spark builds the marts of it.

    \b
    Example:
      consonance vault export /secure/export
    """
    study = Study.find(folder)
    if not yes:
        question = "This writes user names, codes, true times and secrets, not encrypted. May they leave the vault?"
        click.confirm(question, abort=True, err=True)
    with screen.status("Exporting …"):
        made = export_vault(study, target)
    if as_json:
        print_json(asdict(made))
        return
    out.print(
        f"Exported {made.rows:,} rows of {made.persons:,} participants to {made.folder}: identified data, not encrypted.",
        soft_wrap=True,
        markup=False,
    )
    out.print(
        f"Entry {made.entry} of the audit log says so. Delete the folder when the marts are built, and what Spark keeps of it "
        "left of the wall. If a participant withdraws, export and build again.",
        soft_wrap=True,
    )
