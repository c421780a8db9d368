"""What the check learns from one statement: what flows into its columns, its implicit uses, its problems."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from consonance.checks.lineage.flow import NOTHING, Choice, Flow


@dataclass(frozen=True)
class Problem:
    """Something that the check cannot read: where, what, and what to write instead."""

    line: int
    what: str
    remedy: str


@dataclass(frozen=True)
class Use:
    """An implicit use of what flows into a condition, a grouping or an order.

    Attributes:
        kind: where, having, qualify, filter, join, group, distinct, order, unnest or window.
        flow: What is used.
        line: Of the statement, from 1.
    """

    kind: str
    flow: Flow
    line: int


@dataclass(frozen=True)
class Call:
    """A call of a declassifier, with what flows into each argument."""

    function: str
    arguments: tuple[Flow, ...]
    line: int


@dataclass(frozen=True)
class Relation:
    """Something to select from.

    Attributes:
        columns: In order; ``None`` names a column that has no name.
        influence: What decided which rows there are: of a model, the choices alone.
        is_whole: False if a column could not be read; then a missing name is no second problem.
    """

    columns: tuple[tuple[str | None, Flow], ...]
    influence: Flow = NOTHING
    is_whole: bool = True

    @classmethod
    def of(cls, columns: Mapping[str, Flow], is_whole: bool = True, influence: Flow = NOTHING) -> Relation:
        return cls(tuple(columns.items()), influence, is_whole)

    def permitted(self, permissions: Collection[str]) -> Relation:
        """The same, of rows that have passed ``permissions``."""
        return replace(self, columns=tuple((name, flow.permitted(permissions)) for name, flow in self.columns))

    def chosen(self, choices: Collection[Choice]) -> Relation:
        """The same, of rows that ``choices`` chose."""
        return replace(self, columns=tuple((name, flow.chosen(choices)) for name, flow in self.columns))

    def named(self) -> dict[str, Flow]:
        return {name: flow for name, flow in self.columns if name is not None}


@dataclass
class Reading:
    """What a statement says.

    Attributes:
        columns: What flows into each output column, in order.
        influence: What decided which rows there are.
        reads: Each relation of a database that it names (``database.schema.name``), with the line.
        stars: Lines with a ``*`` that is not ``count(*)``.
        by_values: What chose the values by which a condition goes that names no column of persons, with the kind of the
            condition: it goes by these choices again.
    """

    columns: dict[str, Flow] = field(default_factory=dict)
    influence: Flow = NOTHING
    uses: list[Use] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    reads: list[tuple[str, int]] = field(default_factory=list)
    stars: list[int] = field(default_factory=list)
    by_values: list[tuple[frozenset[Choice], str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
