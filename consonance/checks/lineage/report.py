"""The report of the check of the wall: released columns, implicit uses, findings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from consonance.checks.lineage.flow import PRIVACY_CLASSES, Origin
from consonance.checks.lineage.project import Model


@dataclass(frozen=True)
class Finding:
    """Something that breaks the wall, or that cannot be followed.

    Attributes:
        kind: unresolved, leak, declassifier, layer, staging, implicit, review, permission or project.
        where: The model, function, analysis or macro.
        file, compiled, line: The source, the compiled SQL and the line in that; 0 where none is meant.
    """

    kind: str
    where: str
    file: str
    compiled: str
    line: int
    what: str
    remedy: str

    @property
    def place(self) -> str:
        return f"{self.file} ({self.compiled}, line {self.line})" if self.line else self.file


@dataclass(frozen=True)
class LineageRow:
    """A column right of the wall.

    Attributes:
        relation: ``schema.name`` as analysts see it.
        ways: Each origin with the columns it went through, the last of them this one.
    """

    relation: str
    column: str
    ways: tuple[tuple[Origin, tuple[str, ...]], ...]

    @property
    def sources(self) -> list[str]:
        return [origin.column for origin, _ in self.ways]

    @property
    def classes(self) -> list[str]:
        """The classes of the sources, the most identifying first."""
        return sorted({origin.privacy for origin, _ in self.ways}, key=PRIVACY_CLASSES.index, reverse=True)

    def of_class(self, privacy: str) -> list[str]:
        """The sources of a class, the nearest first."""
        ways = sorted((len(way), way, origin.column) for origin, way in self.ways if origin.privacy == privacy)
        return list(dict.fromkeys(column for _, _, column in ways))

    @property
    def declassifiers(self) -> list[str]:
        return sorted({name for origin, _ in self.ways for name in origin.declassifiers})

    @property
    def path(self) -> tuple[str, ...]:
        """The way of its most identifying source."""
        if not self.ways:
            return ()
        return min(self.ways, key=lambda way: (-PRIVACY_CLASSES.index(way[0].privacy), len(way[1]), way[1]))[1]

    def as_json(self) -> dict[str, Any]:
        return {
            "relation": self.relation,
            "column": self.column,
            "sources": [
                {
                    "column": origin.column,
                    "class": origin.privacy,
                    "declassifiers": list(origin.declassifiers),
                    "path": list(way),
                }
                for origin, way in sorted(self.ways, key=lambda each: (len(each[1]), each[1], each[0].column))
            ],
            "classes": self.classes,
            "declassifiers": self.declassifiers,
            "path": list(self.path),
        }


@dataclass(frozen=True)
class ImplicitUse:
    """A model's use of a column in a condition, a grouping or an order that chooses values or rows, and why it may."""

    column: str
    use: str
    model: str
    line: int
    privacy: str
    kinds: tuple[str, ...]
    reason: str | None


@dataclass
class LineageReport:
    """How the check turned out.

    Attributes:
        rows: Every column right of the wall with where it comes from.
        uses: What chooses values and rows right of the wall, and no function accepts.
        findings: What breaks the wall, or cannot be followed; none if the check passed.
        staged: Every column of ``staging``, ``model.column``, with the columns of the stores that it is made of,
            ``schema.table.column``.
    """

    rows: list[LineageRow] = field(default_factory=list)
    uses: list[ImplicitUse] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    staged: dict[str, list[str]] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return not self.findings

    @property
    def unresolved(self) -> int:
        return sum(finding.kind == "unresolved" for finding in self.findings)

    @property
    def summary(self) -> str:
        """One sentence."""
        counts = f"{len(self.rows)} released columns, {len(self.uses)} uses that choose rows or values"
        if self.passed:
            return (
                f"In the SQL, columns of persons reach a released column only through functions/: {counts}, each reviewed. "
                "That classes, functions and reviews are right is not proven here."
            )
        return f"{len(self.findings)} findings in {counts}, {self.unresolved} unresolved."

    def details(self) -> dict[str, Any]:
        """The report as JSON."""
        return {
            "unresolved": self.unresolved,
            "columns": [row.as_json() for row in self.rows],
            "uses": [vars(use) for use in self.uses],
            "findings": [{**vars(finding), "place": finding.place} for finding in self.findings],
        }


class Findings:
    """Findings as they are collected."""

    def __init__(self) -> None:
        self._found: dict[Finding, None] = {}

    def of_model(self, kind: str, model: Model, line: int, what: str, remedy: str) -> None:
        """Add a finding about a model, an analysis or a test; ``line`` of its compiled SQL, 0 for all of it."""
        self._found[Finding(kind, model.name, model.file, model.compiled, line, what, remedy)] = None

    def of_file(self, kind: str, where: str, file: str, what: str, remedy: str) -> None:
        """Add a finding about something else in a file."""
        self._found[Finding(kind, where, file, file, 0, what, remedy)] = None

    def add(self, finding: Finding) -> None:
        """Add a finding; the same one counts once."""
        self._found[finding] = None

    def in_order(self) -> list[Finding]:
        """All findings, by file and line."""
        return sorted(self._found, key=lambda finding: (finding.file, finding.line))
