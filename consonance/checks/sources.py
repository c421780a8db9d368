"""Where in the project a column of the database is made: the file and the line that a finding sends people to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from consonance.study.dbt_command import PROJECT

# From left to right, as data move.
SCHEMAS = (
    "raw",
    "music",
    "reference",
    "staging",
    "intermediate",
    "anonymized",
    "sessionized",
    "features",
    "marts",
    "audit",
)
STORES = "consonance/study/stores.yml"
RISK = "consonance/checks/risk/privacy_risk.sql"
REF = re.compile(r"\bref\('(\w+)'\)")
# What a table itself is wrong about, wherever it has its columns from.
OF_THE_TABLE = ("declares no purpose", "is in a table without persons")
PURPOSE = re.compile(r"^needs (\w+)")


@dataclass(frozen=True)
class Source:
    """A line of a file of the project, numbered from 1."""

    file: str
    line: int


def source_of(place: str, detail: str = "") -> Source | None:
    """The line that makes ``place``, which is ``schema.table.column`` or ``schema.table``.

    A column that a model takes over unchanged is looked for in the models that it reads. For a table that lacks a
    consent (``detail`` says which), it is the last line of the model that asks for it, or that chooses its rows.

    Returns:
        ``None`` if no file of the project makes the table.
    """
    schema, table, column = [*place.split("."), "", ""][:3]
    if schema in ("raw", "music"):
        return _first(PROJECT / STORES, rf"^  {table}:", within=rf"^ +{column}:" if column else None)
    if schema == "reference":
        seed = PROJECT / "seeds" / f"{table}.csv"
        return Source(_named(seed), 1) if seed.exists() else None
    if place.startswith("audit.privacy_risk"):
        return _first(PROJECT / RISK, rf"\b{column}\b")
    path = _models().get(table)
    if path is None:
        return None
    if detail.startswith(OF_THE_TABLE):
        return _line_of(path, column)
    if purpose := PURPOSE.match(detail):
        return (
            _last(path, rf"grants_{purpose[1]}|grants_training")
            or _last(path, r"\b(where|join)\b")
            or _line_of(path, column)
        )
    return next(_made_in(path, column, frozenset()), None) or _line_of(path, column)


def upstream_first(place: str) -> tuple[int, str]:
    """A key that sorts places from left to right: what is wrong in one table is wrong in those that are made of it."""
    schema = place.partition(".")[0]
    return (SCHEMAS.index(schema) if schema in SCHEMAS else len(SCHEMAS), place)


def _made_in(path: Path, column: str, seen: frozenset[Path]) -> Iterator[Source]:
    """The lines that give ``column`` its value, in the model ``path`` or, where it is only taken over, in those it reads."""
    if found := column and _first(path, rf"\bas {column}\b"):
        yield found
        return
    for name in dict.fromkeys(REF.findall(path.read_text(encoding="utf-8"))):
        read = _models().get(name)
        if read and read not in seen and re.search(rf"\b{column}\b", read.read_text(encoding="utf-8")):
            yield from _made_in(read, column, seen | {path})


def _line_of(path: Path, column: str) -> Source:
    return (column and _first(path, rf"\b{column}\b")) or Source(_named(path), 1)


def _first(path: Path, pattern: str, within: str | None = None) -> Source | None:
    """The first line that matches ``pattern``; or of those that follow it, the first that matches ``within``."""
    found = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if found is None and re.search(pattern, line):
            found = Source(_named(path), number)
            if within is None:
                return found
        elif found and within and re.search(within, line):
            return Source(_named(path), number)
    return found


def _last(path: Path, pattern: str) -> Source | None:
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [number for number, line in enumerate(lines, start=1) if re.search(pattern, line)]
    return Source(_named(path), found[-1]) if found else None


def _named(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


@cache
def _models() -> dict[str, Path]:
    return {path.stem: path for path in sorted((PROJECT / "models").glob("*/*.sql"))}
