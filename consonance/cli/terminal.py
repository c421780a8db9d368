"""What the commands share: where they print, and their common options."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

# Answers go to standard output; progress and errors to the other one.
out = Console(highlight=False)
screen = Console(stderr=True, highlight=False)

study_option = click.option(
    "--study",
    "folder",
    type=click.Path(path_type=Path),
    default=None,
    help="The study folder. Default: $CONSONANCE_STUDY, else ./study.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
