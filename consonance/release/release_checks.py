"""The checks that a release must pass before it is published.

Those of ``ON_STUDY`` look at the study that the release is made of, before files are written: so what they
measure can be released too. Those of ``ON_RELEASE`` look at the rows of the release, those of ``ON_FILES`` at every file,
the certificate with the results of all others too. Most are the checks of a study, run on the studies of the candidate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from consonance.checks.check import Check, CheckResult
from consonance.checks.risk.attacks import run_attacks
from consonance.checks.risk.recording import record
from consonance.checks.rule_tables import MADE
from consonance.checks.rules import all_rules, release_rules
from consonance.checks.study_checks import (
    check_leaks,
    check_non_interference_and,
    check_wall,
    run_rules,
    summed_up,
)
from consonance.release.contents import DATABASE
from consonance.release.contents_check import check_contents
from consonance.release.files_agree import check_files_agree
from consonance.release.linkage import check_nothing_links
from consonance.study.folder import Study


@dataclass(frozen=True)
class Candidate:
    """A release that is not published yet.

    Attributes:
        number: The number that it will have.
        tier: ``controlled`` or ``public``.
        before: A copy of the study as it was when the release was begun. Its vault says what is true, and
            knows the release already.
        made: The study that the release is made of: those who agree, with new secrets, built by dbt.
        folder: Becomes ``published/<number>``; it does not exist yet for the checks of ``ON_STUDY``.
        earlier: The databases of earlier releases, by number.
        workspace: Where a check may write; it is deleted when the publish ends.
        done: Results of checks that ran beside another one, by name.
    """

    number: int
    tier: str
    before: Study
    made: Study
    folder: Path
    earlier: dict[int, Path]
    workspace: Path
    done: dict[str, CheckResult] = field(default_factory=dict)


def _rules_of_the_study(candidate: Candidate) -> CheckResult:
    """Admission on the vault as it was; the wall and the marts on what dbt built for the release."""
    admission = [rule for rule in all_rules() if rule.suite == "admission"]
    others = [rule for rule in all_rules() if rule.suite != "admission"]
    return summed_up("rules of the study", run_rules(candidate.before, admission) + run_rules(candidate.made, others))


def _rules_of_the_release(candidate: Candidate) -> CheckResult:
    """The rules of releases, and those on texts and on the order of rows, on the file to be published.

    The vault is the one as it was.
    """
    texts_and_order = [rule for rule in all_rules() if rule.relation in ("strings", "unordered")]
    beside = {"before": candidate.before.warehouse_path, MADE: candidate.made.warehouse_path}
    beside |= {f"release_{number}": path for number, path in candidate.earlier.items()}
    rules = release_rules(candidate.tier) + texts_and_order
    return summed_up("rules of the release", run_rules(candidate.before, rules, candidate.folder / DATABASE, beside))


def _non_interference(candidate: Candidate) -> CheckResult:
    """The non-interference test; what the checks of ``MEANWHILE`` find, which run beside it, is kept for ``_found_by``."""
    candidate.done.update(check_non_interference_and(MEANWHILE, candidate.made, candidate))
    return candidate.done["non-interference"]


def _found_by(check: Check[Candidate]) -> Callable[[Candidate], CheckResult]:
    """Run ``check``, if it has not run beside the non-interference test."""
    return lambda candidate: candidate.done.get(check.name) or check.run(candidate)


def _wall(candidate: Candidate) -> CheckResult:
    """The check of the wall, with less detail: of each column only the functions that its values passed."""
    result = check_wall(candidate.made, candidate.workspace)
    columns = {f"{row['relation']}.{row['column']}": row["declassifiers"] for row in result.details["columns"]}
    return replace(result, details={"columns": columns, "findings": result.details["findings"]})


def _attacks(candidate: Candidate) -> CheckResult:
    """Measure the residual re-identification risk and report it. This always passes: people decide about it."""
    if candidate.tier == "public":
        return CheckResult("attacks", True, "Nothing to attack: no row of a person is released.")
    report = run_attacks(candidate.made)
    record(report, candidate.made)
    unmet = [
        verdict.threshold.name
        for verdict in report.verdicts
        if verdict.passed is False and verdict.threshold.tier == candidate.tier
    ]
    return CheckResult(
        "attacks",
        True,
        f"{len(report.figures)} figures measured." + (f" Thresholds not met: {', '.join(unmet)}." if unmet else ""),
        {"parameters": report.parameters, "thresholds": [verdict.as_json() for verdict in report.verdicts]},
    )


def _no_key_links(candidate: Candidate) -> CheckResult:
    """No column of a controlled release has the values of a key of the warehouse or of an earlier release."""
    if candidate.tier == "public":
        return CheckResult("no key links", True, "Nothing to link: no row of a person is released.")
    elsewhere = {"the warehouse": candidate.before.warehouse_path}
    elsewhere |= {f"release {number}": path for number, path in candidate.earlier.items()}
    return check_nothing_links(candidate.folder / DATABASE, elsewhere)


def _contents(candidate: Candidate) -> CheckResult:
    """The release has what the list of its tier names, and no file says where it was made."""
    places = (candidate.workspace, candidate.workspace.parent.parent)
    return check_contents(candidate.folder, candidate.tier, places)


def _leaks(candidate: Candidate) -> CheckResult:
    """What dbt wrote, and what is to be published, holds no secret and no name."""
    return check_leaks(candidate.before, candidate.workspace, beside=(candidate.folder,))


MEANWHILE: tuple[Check[Candidate], ...] = (Check("wall", _wall), Check("attacks", _attacks))
ON_STUDY: tuple[Check[Candidate], ...] = (
    Check("rules of the study", _rules_of_the_study),
    Check("non-interference", _non_interference),
    *(Check(check.name, _found_by(check)) for check in MEANWHILE),
)
# What these find lies in the models, for whoever is in the data: of two releases of one command the second one, with the
# same persons or fewer, need not repeat them.
OF_EVERYBODY = ("wall", "non-interference")
ON_RELEASE: tuple[Check[Candidate], ...] = (
    Check("rules of the release", _rules_of_the_release),
    Check(
        "files agree",
        lambda candidate: check_files_agree(candidate.folder, candidate.made.warehouse_path, candidate.tier),
    ),
    Check("no key links", _no_key_links),
)
ON_FILES: tuple[Check[Candidate], ...] = (
    Check("contents", _contents),
    Check("leaks", _leaks),
)
