"""The quality rules: each an SQL file whose rows are violations, with what, example, why and remedy.

A rule asks the vault and the warehouse independently of the models it checks. Which consent event counts, and which
texts are private, is defined once for both (``consonance.consent.rules``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from consonance.consent.rules import with_rules

FOLDER = Path(__file__).with_name("rules")
SUITES = ("admission", "wall", "marts")
RELEASE_SUITE = "release"
HEADINGS = ("relation", "what", "example", "why", "remedy")


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        suite: What it guards: raw admission, the privacy wall, the marts, or a release.
        name: File name without suffix; it begins with the rule's id.
        relation: What is checked: a relation, or one assembled for the purpose (``{strings}``,
            ``{persons}``, ``{times}``, ``{ids}``, ``{ids_elsewhere}``, ``{unordered}`` in the query).
        what, example, why, remedy: For people.
        query: SQL that returns a row for each violation; the rules it shares with the models are written out in it.
        tier: The tier of releases that it is for; ``None`` for all, and for rules of a study.
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


def all_rules() -> list[Rule]:
    """Every rule of a study, suite by suite, in order of name."""
    return [rule for suite in SUITES for rule in _suite(suite)]


def release_rules(tier: str) -> list[Rule]:
    """The rules that a release of ``tier`` must meet besides those of a study."""
    return [rule for rule in _suite(RELEASE_SUITE) if rule.tier in (None, tier)]


def _suite(name: str) -> list[Rule]:
    return [read_rule(path) for path in sorted((FOLDER / name).glob("*.sql"))]


def read_rule(path: Path) -> Rule:
    """The rule in an SQL file that begins with its headings as comments.

    Raises:
        ValueError: a heading is missing.
    """
    text = path.read_text(encoding="utf-8")
    headings = dict(re.findall(r"^-- (\w+): (.+)$", text, re.MULTILINE))
    if missing := [heading for heading in HEADINGS if heading not in headings]:
        raise ValueError(f"{path} lacks '-- {missing[0]}: …'")
    query = "\n".join(line for line in text.splitlines() if not line.startswith("-- "))
    return Rule(
        path.parent.name,
        path.stem,
        **{heading: headings[heading] for heading in HEADINGS},
        query=with_rules(query),
        tier=headings.get("tier"),
    )
