"""``consonance export``: data for use outside the study folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from consonance.cli.terminal import json_option, out, print_json, screen, study_option
from consonance.export.openesm import export_openesm
from consonance.export.training import FORMATS, Export, export_training
from consonance.study.folder import Study

YOURS = (
    "These are pseudonymous data of persons, and you answer for every copy. The audit log has an entry of the export."
)


@click.group()
def export() -> None:
    """Write data of the study into a new folder, for use elsewhere.

    \b
    Examples:
      consonance export training ~/model/data --format csv
      consonance export training ~/model/data --from current
      consonance export openesm ~/reports
    """


@export.command()
@click.argument("target", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option(
    "--format", "file_format", type=click.Choice(list(FORMATS)), default="parquet", show_default=True, help="Of the data."
)  # fmt: skip
@click.option("--from", "release", default=None, help="A release (its number, or 'current') instead of the warehouse.")
@study_option
@json_option
def training(target: Path, file_format: str, release: str | None, folder: Path | None, as_json: bool) -> None:
    """Export the training examples to FOLDER: data, data dictionary, permissions, a Frictionless data package.

    FOLDER must not exist yet. Only participants who grant ml_training, emotion_reports and listening_history are in it,
    and only values of sources that permit training.

    \b
    Examples:
      consonance export training ~/model/data --format csv
      consonance export training ~/model/data --from 3
    """
    study = Study.find(folder)
    with screen.status("Exporting …"):
        made = export_training(study, target, file_format, release)
    _print(made, "training examples", as_json)


@export.command()
@click.argument("target", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option(
    "--author",
    default="unnamed",
    show_default=True,
    help="Last name of the first author: it is part of the names of the files.",
)
@study_option
@json_option
def openesm(target: Path, author: str, folder: Path | None, as_json: bool) -> None:
    """Export reports and their codebook to FOLDER, in the shape of the openESM database (https://openesmdata.org).

    FOLDER must not exist yet. Only participants who grant emotion_reports and sharing_controlled are in it. sharing_public
    covers totals alone: put the rows into a public database only if the notice that participants read says so.

    \b
    Example:
      consonance export openesm ~/reports --author weber
    """
    study = Study.find(folder)
    with screen.status("Exporting …"):
        made = export_openesm(study, target, author)
    _print(made, "beeps", as_json)


def _print(made: Export, rows: str, as_json: bool) -> None:
    if as_json:
        print_json(asdict(made))
        return
    out.print(
        f"Exported {made.rows:,} {rows} of {made.persons:,} participants to {made.folder}.",
        soft_wrap=True,
        markup=False,
    )
    out.print(YOURS)
