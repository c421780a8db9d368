"""The guards of a study by name: each answers one question about consent and de-identification.

Whoever asks gets a report that says whether the guard holds and what it looked at, as JSON too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from quality.traces import check_traces
from quality.twin import check_interference
from quality.wall.checker import check_wall
from stores.study import Study

GUARDS = ("rules", "wall", "interference", "traces")


class GuardReport(Protocol):
    """What a guard found."""

    @property
    def holds(self) -> bool: ...

    def as_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class RulesReport:
    """How the quality rules turned out."""

    results: tuple[Any, ...]

    @property
    def holds(self) -> bool:
        return all(result.holds for result in self.results)

    def as_json(self) -> dict[str, Any]:
        return {"holds": self.holds, "rules": [result.as_json() for result in self.results]}


def ask(guard: str, study: Study) -> GuardReport:
    """Let the guard of that name look at ``study``.

    Raises:
        ConsonanceError: the study has no warehouse, or a store cannot be opened; each says which.
    """
    if guard == "wall":
        return check_wall(study)
    if guard == "interference":
        return check_interference(study)
    if guard == "traces":
        return check_traces(study)
    from quality.checkpoint import run_checkpoint  # Great Expectations takes seconds to import

    return RulesReport(tuple(run_checkpoint(study)))
