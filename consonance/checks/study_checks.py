"""The checks of a study by name. Those of a release candidate are in ``consonance.release.release_checks``."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from consonance.checks.check import Check, CheckResult, Subject
from consonance.checks.leak_scan import scan_for_leaks
from consonance.checks.lineage.policy import check_lineage
from consonance.checks.non_interference import compare_with_paired_rebuild
from consonance.checks.rules import Rule, RuleResult
from consonance.study.folder import Study


def check_rules(study: Study) -> CheckResult:
    """Run the quality rules on the data of the vault and the warehouse."""
    return summed_up("rules", run_rules(study))


def run_rules(
    study: Study,
    rules: Sequence[Rule] | None = None,
    warehouse: Path | None = None,
    beside: Mapping[str, Path] | None = None,
) -> list[RuleResult]:
    """Run ``rules``; for the arguments and errors see ``consonance.checks.checkpoint.run_checkpoint``."""
    from consonance.checks.checkpoint import run_checkpoint  # Great Expectations takes seconds to import

    return run_checkpoint(study, rules, warehouse=warehouse, beside=beside)


def summed_up(name: str, results: Sequence[RuleResult]) -> CheckResult:
    """The results of several rules as the result of one check called ``name``."""
    failed = [result for result in results if not result.passed]
    summary = f"{len(results)} rules, none violated."
    if failed:
        summary = f"{len(failed)} of {len(results)} rules failed: {', '.join(result.rule.name for result in failed)}."
    return CheckResult(
        name,
        not failed,
        summary,
        {"rules": [result.as_json() for result in results]},
        _joined(result.rule.remedy for result in failed),
    )


def check_wall(study: Study, workspace: Path | None = None) -> CheckResult:
    """Follow every released column back to ``staging`` through the SQL that dbt runs.

    ``workspace`` is where dbt writes its files; the project's folder if not given.
    """
    report = check_lineage(study, workspace)
    remedy = _joined(finding.remedy for finding in report.findings)
    return CheckResult("wall", report.passed, report.summary, report.details(), remedy)


def check_non_interference(study: Study, meanwhile: Callable[[], None] = lambda: None) -> CheckResult:
    """Try the declared relations: change what must not matter, build again, and compare the warehouses.

    ``meanwhile`` is called while dbt builds; the stores of ``study`` are not in use then.
    """
    report = compare_with_paired_rebuild(study, meanwhile)
    return CheckResult("non-interference", report.passed, report.summary, report.details(), report.remedy)


def check_non_interference_and(
    others: Sequence[Check[Subject]], study: Study, subject: Subject
) -> dict[str, CheckResult]:
    """The non-interference test of ``study``, and ``others`` on ``subject``, by name: these run while dbt builds the paired
    rebuild and leaves a processor partly idle.
    """
    results: dict[str, CheckResult] = {}

    def meanwhile() -> None:
        results.update({check.name: check.run(subject) for check in others})
        importlib.import_module("consonance.checks.checkpoint")  # the rules need it next

    results["non-interference"] = check_non_interference(study, meanwhile)
    return results


def check_leaks(study: Study, workspace: Path | None = None, beside: Sequence[Path] = ()) -> CheckResult:
    """Search every file of the study, dbt's files and texts, and the folders ``beside``, for secrets and names."""
    report = scan_for_leaks(study, workspace, beside)
    return CheckResult("leaks", report.passed, report.summary, report.details(), report.remedy)


STUDY_CHECKS: tuple[Check[Study], ...] = (
    Check("rules", check_rules),
    Check("wall", check_wall),
    Check("non-interference", check_non_interference),
    Check("leaks", check_leaks),
)
CHECKS = tuple(check.name for check in STUDY_CHECKS)


def run_check(name: str, study: Study) -> CheckResult:
    """Run the check called ``name`` on ``study``.

    Raises:
        KeyError: there is no check of that name.
        ConsonanceError: the study has no warehouse, or a store cannot be opened; the error says which.
    """
    return {check.name: check for check in STUDY_CHECKS}[name].run(study)


def run_checks(study: Study) -> dict[str, CheckResult]:
    """Run every check on ``study``; the results by name, in the order of ``CHECKS``.

    Raises:
        ConsonanceError: see ``run_check``.
    """
    beside = [check for check in STUDY_CHECKS if check.name in ("wall", "leaks")]
    results = check_non_interference_and(beside, study, study)
    return {name: results[name] if name in results else run_check(name, study) for name in CHECKS}


def _joined(remedies: Iterable[str]) -> str:
    """The remedies, each once, in one text."""
    return " ".join(dict.fromkeys(remedies))
