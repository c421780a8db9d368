"""What the commands share: where they print, and their common options."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text (docs/json.md).")


def print_json(content: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print what a command reports as JSON on one line: paths as texts, moments in ISO 8601, numbers that are none as null."""
    click.echo(json.dumps(_known(content), default=str, allow_nan=False))


def _known(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _known(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_known(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
