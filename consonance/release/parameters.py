"""The parameters that a release is made with: the variables of ``dbt_project.yml``; and how weak a threshold may be."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import yaml

from consonance.study.dbt_command import PROJECT
from consonance.study.errors import ConsonanceError

PARAMETERS = "dbt_project.yml"
# An ethics board may ask for stricter thresholds, not for weaker ones: at least (+1) or at most (-1) so much.
# small_group_persons: the publication rule of the All of Us Research Program. The others: docs/privacy.md, "Releases".
WEAKEST = {
    "small_group_persons": (+1, 20),
    "withheld_at_most": (-1, 0.05),
    "smallest_cell": (+1, 5),
    "smallest_l": (+1, 2),
    "singled_out": (-1, 0.05),
}


class WeakThreshold(ConsonanceError):
    """A threshold of the study is weaker than the project accepts; ``file`` has it."""

    def __init__(self, name: str, value: float, file: str) -> None:
        sign, weakest = WEAKEST[name]
        wanted = f"at {'least' if sign > 0 else 'most'} {weakest:g}"
        super().__init__(
            f"{name} is {value:g} in {file}; the privacy rules ask for {wanted}.", f"Write {wanted} into {file}."
        )
        self.name, self.file = name, file


def parameters() -> dict[str, Any]:
    """Every variable with its value."""
    return dict(yaml.safe_load((PROJECT / PARAMETERS).read_text(encoding="utf-8"))["vars"])


def strict_enough(name: str, value: float, file: str) -> float:
    """``value``, which ``file`` gives to the threshold ``name``.

    Raises:
        WeakThreshold: see there.
    """
    sign, weakest = WEAKEST[name]
    if sign * value < sign * weakest:
        raise WeakThreshold(name, value, file)
    return value


@cache
def small_group() -> int:
    """The largest number of persons that is a small group: the public tier has no cell of so few (``small_group_persons``).

    Raises:
        WeakThreshold: see there.
    """
    return int(strict_enough("small_group_persons", parameters()["small_group_persons"], PARAMETERS))


def withheld_at_most() -> float:
    """The largest share of persons whose demographics a controlled release may withhold.

    Raises:
        WeakThreshold: see there.
    """
    return float(strict_enough("withheld_at_most", parameters()["withheld_at_most"], PARAMETERS))


def weak_thresholds(*others: Callable[[], object]) -> list[WeakThreshold]:
    """The thresholds that are too weak: of ``dbt_project.yml``, and those that ``others`` read."""
    found = []
    thresholds: list[Callable[[], object]] = [small_group, withheld_at_most, *others]
    for read in thresholds:
        try:
            read()
        except WeakThreshold as error:
            found.append(error)
    return found
