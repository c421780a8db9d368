"""The quality rules with the history of their results: of ``check_history.jsonl``, and of the certificates of releases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consonance.checks.history import Noted
from consonance.checks.rules import Rule, RuleResult, all_rules, release_rules

SUITES = {
    "admission": "Admission to the vault",
    "wall": "The privacy wall",
    "marts": "The marts",
    "release": "Releases",
}
TIERS = ("controlled", "public")
# Of the newest results.
SHOWN = 20


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
            of = f"the warehouse of {shown_moment(noted.built)}" if noted.built else "the warehouse"
            found.setdefault(rule, []).append(Outcome(shown_moment(noted.at), of, passed))
    for certificate in certificates:
        of = f"release {certificate['release']} ({certificate['tier']})"
        for check in certificate.get("checks", ()):
            for rule in check.get("rules", ()):
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
