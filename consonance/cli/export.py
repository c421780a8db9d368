"""``consonance export``: data for use outside the study folder."""

from __future__ import annotations

from pathlib import Path

import click

from consonance.cli.terminal import out, screen, study_option
from consonance.export.openesm import export_openesm
from consonance.export.training import FORMATS, export_training
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
def training(target: Path, file_format: str, release: str | None, folder: Path | None) -> None:
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
    out.print(f"Exported {made.rows:,} training examples of {made.persons:,} participants to {target}.", soft_wrap=True)
    out.print(YOURS, soft_wrap=True)


@export.command()
@click.argument("target", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option(
    "--author",
    default="unnamed",
    show_default=True,
    help="Last name of the first author: it is part of the names of the files.",
)
@study_option
def openesm(target: Path, author: str, folder: Path | None) -> None:
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
    out.print(f"Exported {made.rows:,} beeps of {made.persons:,} participants to {target}.", soft_wrap=True)
    out.print(YOURS, soft_wrap=True)
