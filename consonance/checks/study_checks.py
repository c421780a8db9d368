"""The guards of a study by name: each answers one question about consent and de-identification.

Whoever asks gets a report that says whether the guard holds and what it looked at, as JSON too.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, Protocol

from consonance.checks.leak_scan import check_traces
from consonance.checks.lineage.policy import check_wall
from consonance.checks.non_interference import check_interference
from consonance.study.folder import Study

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
    from consonance.checks.checkpoint import run_checkpoint  # Great Expectations takes seconds to import

    return RulesReport(tuple(run_checkpoint(study)))


def ask_all(study: Study) -> dict[str, GuardReport]:
    """Let every guard look at ``study``; their reports by name, in the order of ``GUARDS``.

    While dbt builds the twin nobody needs the stores of the study, and one processor is idle at times: the
    wall is checked meanwhile.

    Raises:
        ConsonanceError: see ``ask``.
    """
    reports: dict[str, GuardReport] = {}

    def meanwhile() -> None:
        reports["wall"] = ask("wall", study)
        importlib.import_module("consonance.checks.checkpoint")  # which the rules need next

    reports["interference"] = check_interference(study, meanwhile)
    return {guard: reports.get(guard) or ask(guard, study) for guard in GUARDS}
