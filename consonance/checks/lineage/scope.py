"""What names mean within one ``select``."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from consonance.checks.lineage.flow import Flow
from consonance.checks.lineage.reading import Relation


@dataclass
class Scope:
    """The relations of one ``select``.

    Attributes:
        tables: Each relation by its alias.
        merged: The columns of ``using``, which belong to both sides.
        parent: The select around a subquery.
        has_permissions: Whether a join compares a source with that of feat_source_permissions.
        unnested: What was unnested: it decides how many rows there are.
        optional: What chose the rows of relations that need not have a row: the sides of outer joins.
        is_aggregated: Whether rows are counted, numbered or summed up.
    """

    tables: dict[str, Relation] = field(default_factory=dict)
    merged: dict[str, Flow] = field(default_factory=dict)
    parent: Scope | None = None
    has_permissions: bool = False
    unnested: list[Flow] = field(default_factory=list)
    optional: list[Flow] = field(default_factory=list)
    is_aggregated: bool = False

    def permit(self, permissions: Collection[str]) -> None:
        """Note that the rows of the relations have passed ``permissions``."""
        self.tables = {alias: table.permitted(permissions) for alias, table in self.tables.items()}
        self.merged = {name: flow.permitted(permissions) for name, flow in self.merged.items()}

    @property
    def is_whole(self) -> bool:
        return all(table.is_whole for table in self.tables.values())

    def found(self, name: str, aliases: Collection[str]) -> list[Flow]:
        """What flows into each column called ``name`` of the relations ``aliases``."""
        return [
            flow
            for alias, table in self.tables.items()
            if alias in aliases
            for column, flow in table.columns
            if column == name
        ]
