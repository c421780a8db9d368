"""``consonance key``: the vault's key."""

from __future__ import annotations

from pathlib import Path

import click

from consonance.cli.terminal import out, screen, study_option
from consonance.study.folder import Study
from consonance.study.key_rotation import rotate_key


@click.group()
def key() -> None:
    """The vault's key. Without it nobody can read the vault, and neither can we."""


@key.command()
@study_option
def rotate(folder: Path | None) -> None:
    """Re-encrypt the vault under a new key. Run it again if it was interrupted."""
    study = Study.find(folder)
    with screen.status("Writing the vault under a new key …"):
        rotation = rotate_key(study)
    out.print(f"{rotation.rows:,} rows of {rotation.tables} tables were written anew and compared.")
    out.print(
        f"Keep a copy of {study.key_path} in the safe place. Backups of the vault made before today open with the "
        "old key alone, and whoever has that key can read them: keep both apart, or destroy the backups.",
        soft_wrap=True,
    )
