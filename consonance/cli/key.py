"""``consonance key``: the vault's key."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from consonance.cli.terminal import json_option, out, print_json, screen, study_option
from consonance.study.folder import Study
from consonance.study.interrupts import Interrupts
from consonance.study.key_rotation import Rotation, rotate_key


@click.group()
def key() -> None:
    """The key of the vault. Without it nobody can read the vault.

    \b
    Example:
      consonance key rotate
    """


@key.command()
@study_option
@json_option
def rotate(folder: Path | None, as_json: bool) -> None:
    """Encrypt the vault under a new key. If it was interrupted, the old key holds: run it again.

    \b
    Example:
      consonance key rotate
    """
    study = Study.find(folder)
    with Interrupts() as interrupts:
        with screen.status("Writing the vault under a new key …"):
            rotation = rotate_key(study, interrupts.hold)
        if as_json:
            print_json(asdict(rotation) | {"key": study.key_path})
        else:
            _print_rotation(rotation, study)
        if interrupts.came:
            screen.print(
                "The interrupt came when the new key was being put in place: the rotation was completed.",
                soft_wrap=True,
            )


def _print_rotation(rotation: Rotation, study: Study) -> None:
    out.print(f"{rotation.rows:,} rows of {rotation.tables} tables were written again and compared.")
    out.print(
        f"Keep a copy of {study.key_path} in the safe place. Backups of the vault made before today open with the "
        "old key alone, and everyone who has that key can read them: keep both apart, or destroy the backups.",
        soft_wrap=True,
    )
