"""The quality rules: each is an SQL file whose rows are violations, with what, example, why and remedy.

A rule reads the vault and the warehouse itself; it does not trust the models that it checks, nor the macros that they are
written with. Which consent event counts (``rules/shared/what_the_ledger_grants.sql``), and which texts name somebody
(``D1_nothing_the_vault_knows``), is written here once more, so that a mistake in a macro shows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consonance.checks.sources import source_of, upstream_first
from consonance.consent.rules import with_rules
from consonance.study.errors import ConsonanceError

FOLDER = Path(__file__).with_name("rules")
SUITES = ("admission", "wall", "marts")
RELEASE_SUITE = "release"
# Queries that several rules read, each as a relation by the name of its file: {name}.
SHARED = FOLDER / "shared"
HEADINGS = ("relation", "what", "example", "why", "remedy")


class NothingToCheck(ConsonanceError):
    """The study has no warehouse yet."""


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        suite: What it checks: admission to the vault, the privacy wall, the marts, or a release.
        name: The file's name without suffix; it begins with the rule's id.
        relation: What is checked: a relation of a store, or the name of one that
            ``consonance.checks.rule_relations`` makes.
        what, example, why, remedy: For people.
        query: SQL that returns a row for each violation, shared queries and macros written out. ``{strings}`` and
            the like stand for relations of ``consonance.checks.rule_relations``. Its columns ``place``
            (``schema.table.column``), ``detail`` (what is wrong, in a few words) and, of a seed, ``line`` are reported;
            without ``place`` it is the relation.
        tier: The tier of releases that the rule is for; ``None`` for all, and for rules of a study.
    """

    suite: str
    name: str
    relation: str
    what: str
    example: str
    why: str
    remedy: str
    query: str
    tier: str | None = None

    @property
    def id(self) -> str:
        return self.name.split("_", 1)[0]


@dataclass(frozen=True)
class Violations:
    """The violations of a rule in one place.

    Attributes:
        place: ``schema.table.column``, or ``schema.table``.
        detail: What is wrong there, in a few words that the rule has for it; never a value.
        row: Of a seed, the line of its file; else ``None``.
        count: How many there are.
    """

    place: str
    detail: str
    row: int | None
    count: int

    @property
    def what(self) -> str:
        """One sentence: where, what and how often."""
        times = f"{self.count:,} {'violation' if self.count == 1 else 'violations'}"
        return f"{self.place} {self.detail}: {times}." if self.detail else f"{self.place}: {times}."

    def as_json(self) -> dict[str, Any]:
        source = source_of(self.place, self.detail)
        line = self.row or (source.line if source else None)
        file = source.file if source else None
        return {"place": self.place, "what": self.what, "violations": self.count, "file": file, "line": line}


@dataclass(frozen=True)
class RuleResult:
    """The result of a rule: ``violations`` is ``None`` if the rule could not be run, ``places`` says where they are."""

    rule: Rule
    violations: int | None
    places: tuple[Violations, ...] = ()

    @property
    def passed(self) -> bool:
        return self.violations == 0

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule.name,
            "suite": self.rule.suite,
            "what": self.rule.what,
            "passed": self.passed,
            "violations": self.violations,
            "findings": [found.as_json() for found in sorted(self.places, key=lambda one: upstream_first(one.place))],
            "why": None if self.passed else self.rule.why,
            "remedy": None if self.passed else self.rule.remedy,
        }


def all_rules() -> list[Rule]:
    """Every rule of a study, suite by suite, in order of letter and number."""
    return [rule for suite in SUITES for rule in _suite(suite)]


def release_rules(tier: str) -> list[Rule]:
    """The rules that a release of ``tier`` must meet besides those of a study."""
    return [rule for rule in _suite(RELEASE_SUITE) if rule.tier in (None, tier)]


def _suite(name: str) -> list[Rule]:
    return [read_rule(path) for path in sorted((FOLDER / name).glob("*.sql"), key=_place_of)]


def _place_of(path: Path) -> tuple[str, int, str]:
    """Letter, number and words of a rule's name: A2 comes before A10."""
    number, _, words = path.stem.partition("_")
    return number[:1], int(number[1:]), words


def read_rule(path: Path) -> Rule:
    """The rule in an SQL file that begins with its headings as comments.

    Raises:
        ValueError: a heading is missing.
    """
    text = path.read_text(encoding="utf-8")
    headings = dict(re.findall(r"^-- (\w+): (.+)$", text, re.MULTILINE))
    if missing := [heading for heading in HEADINGS if heading not in headings]:
        raise ValueError(f"{path} lacks '-- {missing[0]}: …'")
    query = _without_headings(text)
    # A shared query may name those that come after it.
    for shared in sorted(SHARED.glob("*.sql")):
        query = query.replace(f"{{{shared.stem}}}", f"(\n{_without_headings(shared.read_text(encoding='utf-8'))}\n)")
    return Rule(
        path.parent.name,
        path.stem,
        **{heading: headings[heading] for heading in HEADINGS},
        query=with_rules(query),
        tier=headings.get("tier"),
    )


def _without_headings(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith("-- "))
