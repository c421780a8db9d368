"""The checks and the quality rules with the history of their results: of ``check_history.jsonl``, and of the certificates of
releases.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consonance.checks.history import Noted
from consonance.checks.rules import Rule, RuleResult, all_rules, release_rules
from consonance.checks.study_checks import CHECKS
from consonance.release.release_checks import ON_FILES, ON_RELEASE, ON_STUDY

SUITES = {
    "admission": "Admission to the vault",
    "wall": "The privacy wall",
    "marts": "The marts",
    "release": "Releases",
}
TIERS = ("controlled", "public")
OF_CANDIDATES = tuple(check.name for check in (*ON_STUDY, *ON_RELEASE, *ON_FILES))
# It passes whatever it finds: people decide about the figures.
MEASURES = "attacks"
# Of the newest results.
SHOWN = 20


@dataclass(frozen=True)
class State:
    """A check as it was last run.

    Attributes:
        name: Of the check.
        of: On what it ran: the study, or the candidate of a release.
        at: When (UTC); empty if it was never run there.
        passed: How it ended.
        is_measured: Whether it gives figures, and no verdict.
    """

    name: str
    of: str
    at: str
    passed: bool
    is_measured: bool


@dataclass(frozen=True)
class Outcome:
    """How a rule ended once: when (UTC), of what, and whether it passed."""

    at: str
    of: str
    passed: bool


@dataclass(frozen=True)
class Judged:
    """A rule with its results, the newest first; none if it was never run here."""

    rule: Rule
    outcomes: tuple[Outcome, ...]

    @property
    def passed(self) -> bool | None:
        """The newest result."""
        return self.outcomes[0].passed if self.outcomes else None


def states_of_checks(history: Sequence[Noted]) -> list[State]:
    """Each check of a study, as it was last run on the study; then each that was run on candidates of releases, the last time.

    Args:
        history: What was noted, the latest first.
    """
    on_study = {noted.check: noted for noted in reversed(history) if noted.release is None}
    on_candidates = {noted.check: noted for noted in reversed(history) if noted.release is not None}
    return [
        *(_state(name, on_study.get(name)) for name in CHECKS),
        *(_state(name, on_candidates[name]) for name in OF_CANDIDATES if name in on_candidates),
    ]


def _state(name: str, noted: Noted | None) -> State:
    if noted is None:
        return State(name, "the study", "", passed=False, is_measured=False)
    return State(name, noted.of, shown_moment(noted.at), noted.passed, name == MEASURES)


def judged_rules(
    results: Sequence[RuleResult], history: Sequence[Noted], certificates: Iterable[Mapping[str, Any]]
) -> list[Judged]:
    """Every rule of a study and of releases, suite by suite.

    Args:
        results: Of the rules, as they stand now.
        history: What was noted, the latest first.
        certificates: Of the releases that are there.
    """
    found: dict[str, list[Outcome]] = {}
    for noted in history:
        for rule, passed in noted.rules.items():
            of = "the warehouse" if noted.release is None else noted.of
            of += f" of {shown_moment(noted.built)}" if noted.built else ""
            found.setdefault(rule, []).append(Outcome(shown_moment(noted.at), of, passed))
    were_noted = {(noted.release, rule) for noted in history for rule in noted.rules}
    for certificate in certificates:
        of = f"release {certificate['release']} ({certificate['tier']})"
        for check in certificate.get("checks", ()):
            for rule in check.get("rules", ()):
                if (certificate["release"], rule["rule"]) in were_noted:
                    continue
                outcome = Outcome(shown_moment(certificate["created"]), of, rule["passed"])
                found.setdefault(rule["rule"], []).append(outcome)
    now = {result.rule.name: result.passed for result in results}
    of_releases = {rule.name: rule for tier in TIERS for rule in release_rules(tier)}
    return [
        Judged(
            rule,
            tuple(sorted(found.get(rule.name, _now(now, rule)), key=lambda outcome: outcome.at, reverse=True)[:SHOWN]),
        )
        for rule in [*all_rules(), *of_releases.values()]
    ]


def _now(now: Mapping[str, bool], rule: Rule) -> list[Outcome]:
    return [Outcome("", "the warehouse", now[rule.name])] if rule.name in now else []


def shown_moment(moment: str | None) -> str:
    """A moment of the history or of a certificate, to the minute, for people."""
    return (moment or "")[:16].replace("T", " ")
