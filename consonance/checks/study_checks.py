"""The guards of a study by name: each answers one question about consent and de-identification.

Whoever asks gets a report that says whether the guard holds and what it looked at, as JSON too.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, Protocol

from consonance.checks.leak_scan import scan_for_leaks
from consonance.checks.lineage.policy import check_lineage
from consonance.checks.non_interference import check_non_interference
from consonance.study.folder import Study

CHECKS = ("rules", "wall", "non-interference", "leaks")


class CheckReport(Protocol):
    """What a guard found."""

    @property
    def passed(self) -> bool: ...

    def as_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class RulesReport:
    """How the quality rules turned out."""

    results: tuple[Any, ...]

    @property
    def passed(self) -> bool:
        return all(result.passed for result in self.results)

    def as_json(self) -> dict[str, Any]:
        return {"passed": self.passed, "rules": [result.as_json() for result in self.results]}


def run_check(guard: str, study: Study) -> CheckReport:
    """Let the guard of that name look at ``study``.

    Raises:
        ConsonanceError: the study has no warehouse, or a store cannot be opened; each says which.
    """
    if guard == "wall":
        return check_lineage(study)
    if guard == "non-interference":
        return check_non_interference(study)
    if guard == "leaks":
        return scan_for_leaks(study)
    from consonance.checks.checkpoint import run_checkpoint  # Great Expectations takes seconds to import

    return RulesReport(tuple(run_checkpoint(study)))


def run_checks(study: Study) -> dict[str, CheckReport]:
    """Let every guard look at ``study``; their reports by name, in the order of ``CHECKS``.

    While dbt builds the twin nobody needs the stores of the study, and one processor is idle at times: the
    wall is checked meanwhile.

    Raises:
        ConsonanceError: see ``run_check``.
    """
    reports: dict[str, CheckReport] = {}

    def meanwhile() -> None:
        reports["wall"] = run_check("wall", study)
        importlib.import_module("consonance.checks.checkpoint")  # which the rules need next

    reports["non-interference"] = check_non_interference(study, meanwhile)
    return {guard: reports.get(guard) or run_check(guard, study) for guard in CHECKS}
