"""The parameters that a release is made with: the variables of ``dbt_project.yml``."""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml

from consonance.study.dbt_command import PROJECT


def parameters() -> dict[str, Any]:
    """Every variable with its value."""
    return dict(yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"])


@cache
def small_group() -> int:
    """The largest number of persons that is a small group: the public tier has no cell of so few (``small_group_persons``)."""
    return int(parameters()["small_group_persons"])
