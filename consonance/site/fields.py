"""Follow a field: what happens to every key of an export and every column of a questionnaire.

It is made of what the check of the wall reads in the SQL, and of what the loaders are declared to take: no word of it is
written by hand, so that it cannot say what is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from consonance.checks.lineage.layers import WALL
from consonance.checks.lineage.report import LineageReport
from consonance.study.dbt_command import PROJECT
from consonance.study.declared_tables import Column
from consonance.study.schema import tables
from loaders.export_kinds import ACCOUNT_KEY, EXTENDED, KINDS

KNOWN_KEYS = PROJECT / "loaders" / "known_keys.yml"
# Where the user name of an account lands: it is no column of a row, and kept for each file.
ACCOUNT_COLUMN = "members.usernames"
# The check of the wall says that a column of persons has passed this where it has passed no function.
PASSED_NOTHING = "nothing"
# Of the tables with data that participants or their programs gave, beside the histories.
OTHER_INPUTS = {
    "participants": "The operator's table of participants",
    "consent_events": "The ledger of consents",
    "survey_answers": "Answers to questionnaires",
    "survey_prompts": "Prompts to answer",
    "library_items": "Library and playlists",
}


@dataclass(frozen=True)
class Way:
    """A column of the first layer right of the wall that is made of a field.

    Attributes:
        column: ``model.column``.
        functions: Of ``functions/`` that the field passes on the way to it; none of an open one.
    """

    column: str
    functions: tuple[str, ...]


@dataclass(frozen=True)
class Field:
    """What happens to one field.

    Attributes:
        name: The key of the export, or the column of the operator's table or of the vault.
        since: The first export that has it, if that is known.
        column: Where it lands in the vault; ``None`` if it is not read.
        privacy, kind: Its class, and what it says of a participant.
        ways: The columns at the wall that are made of it.
        released: How many columns right of the wall are made of it.
        marts: Those of them in the marts.
    """

    name: str
    since: str | None
    column: str | None
    privacy: str | None
    kind: str | None
    ways: tuple[Way, ...]
    released: int
    marts: tuple[str, ...]

    @property
    def fate(self) -> str:
        """One of: not read, vault only, through functions, as it is; or that it breaks the wall."""
        if self.column is None:
            return "not read"
        if not self.released:
            return "vault only"
        if any(PASSED_NOTHING in way.functions for way in self.ways):
            return "passes the wall through no function"
        return "as it is" if all(not way.functions for way in self.ways) else "through functions"


@dataclass(frozen=True)
class Input:
    """Fields that come together."""

    title: str
    fields: tuple[Field, ...]


def followed(report: LineageReport) -> list[Input]:
    """What happens to every field, by the input that has it.

    Args:
        report: Of the check of the wall, on the project as dbt compiled it.
    """
    follow = _Follower(report)
    known = known_keys()
    extended = tables()[EXTENDED.table].columns.values()
    inputs = [
        Input(
            "Extended streaming history",
            tuple(
                follow.key(EXTENDED.table, extended, key, since=since)
                for since, keys in known["extended"].items()
                for key in keys
            ),
        )
    ]
    for kind in KINDS:
        if kind is not EXTENDED:
            columns = tables()[kind.table].columns.values()
            keys = known["account"][kind.name]
            inputs.append(
                Input(
                    f"Account data: {kind.name} history",
                    tuple(follow.key(kind.table, columns, key, kind=kind.name) for key in keys),
                )
            )
    not_read = tuple(Field(file, None, None, None, None, (), 0, ()) for file in known["files_not_read"])
    inputs.append(Input("Other files of an export", not_read))
    inputs += [
        Input(title, tuple(follow.column(name, column, column.name) for column in tables()[name].columns.values()))
        for name, title in OTHER_INPUTS.items()
    ]
    return inputs


@cache
def known_keys() -> Mapping[str, Any]:
    """Keys and files of exports, as ``loaders/known_keys.yml`` lists them."""
    return dict(yaml.safe_load(KNOWN_KEYS.read_text(encoding="utf-8")))


class _Follower:
    """Follows columns of the vault to the right."""

    def __init__(self, report: LineageReport) -> None:
        self._staged: dict[str, list[str]] = {}
        for staged, raw in report.staged.items():
            for column in raw:
                self._staged.setdefault(column, []).append(staged)
        self._rows = report.rows

    def key(
        self,
        table: str,
        columns: Iterable[Column],
        key: str,
        *,
        kind: str = "",
        since: str | None = None,
    ) -> Field:
        """What happens to ``key`` of an export's row of which ``columns`` of ``table`` are taken."""
        if key == ACCOUNT_KEY:
            files, _, usernames = ACCOUNT_COLUMN.partition(".")
            return self.column(files, tables()[files].columns[usernames], key, since)
        for column in columns:
            if column.keys(kind) == key:
                return self.column(table, column, key, since)
        return Field(key, since, None, None, None, (), 0, ())

    def column(self, table: str, column: Column, name: str, since: str | None = None) -> Field:
        """What happens to ``column`` of ``vault.raw.<table>``, which an input calls ``name``."""
        staged = set(self._staged.get(f"raw.{table}.{column.name}", ()))
        ways, reached = self._reached(staged)
        marts = tuple(sorted(place for place in reached if place.startswith("marts.")))
        return Field(
            name, since, f"raw.{table}.{column.name}", column.privacy, column.kind or None, ways, len(reached), marts
        )

    def _reached(self, staged: set[str]) -> tuple[tuple[Way, ...], Sequence[str]]:
        ways, reached = [], []
        for row in self._rows:
            origins = [origin for origin, _ in row.ways if origin.column in staged]
            if not origins:
                continue
            reached.append(f"{row.relation}.{row.column}")
            if row.relation.startswith(f"{WALL}."):
                functions = sorted({name for origin in origins for name in origin.declassifiers})
                ways.append(Way(f"{row.relation.partition('.')[2]}.{row.column}", tuple(functions)))
        return tuple(sorted(ways, key=lambda way: way.column)), reached
