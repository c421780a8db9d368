"""Where a value comes from: its origins, the way it took, and what declassified it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

# Kinds of columns of feature sources.
VALUE, NAMES = "value", "names"
# From the least to the most identifying.
PRIVACY_CLASSES = ("open", "quasi", "direct")


class Origin(NamedTuple):
    """A column that a value comes from.

    Attributes:
        column: ``relation.column``; of identified data, a column of ``staging``.
        privacy: The column's class.
        declassifiers: The functions it has passed on the way, each once.
        kind: ``value`` for a value of a feature, which a licence limits; ``names`` for what a source of features calls
            a track, which may be any text; else empty.
        permissions: Of a value, the permissions it has passed: columns of feat_source_permissions by which the rows of
            a join were chosen (``permissions.py``).
    """

    column: str
    privacy: str
    declassifiers: tuple[str, ...] = ()
    kind: str = ""
    permissions: tuple[str, ...] = ()

    @property
    def is_bare(self) -> bool:
        """Whether it says something about a participant and has passed no declassifier."""
        return self.privacy != "open" and not self.declassifiers


@dataclass(frozen=True)
class Flow:
    """What flows into a value.

    Attributes:
        origins: Every origin, with the shortest way it took: the columns of models and staging, in order.
        copy_of: The columns (``relation.column``) whose value this is, unchanged.
    """

    origins: Mapping[Origin, tuple[str, ...]] = field(default_factory=dict)
    copy_of: frozenset[str] = frozenset()

    @classmethod
    def of_column(cls, column: str, privacy: str, kind: str = "") -> Flow:
        """The flow of a column where it begins."""
        return cls({Origin(column, privacy, kind=kind): (column,)}, frozenset({column}))

    def named(self, column: str) -> Flow:
        """The same, as the content of the column ``column`` of a model."""
        return Flow({origin: (*way, column) for origin, way in self.origins.items()}, self.copy_of | {column})

    def through(self, declassifier: str) -> Flow:
        """The same, after a declassifier. Open columns need none and show none."""
        passed: dict[Origin, tuple[str, ...]] = {}
        for origin, way in self.origins.items():
            names = origin.declassifiers if origin.privacy == "open" else (*origin.declassifiers, declassifier)
            _keep_shortest(passed, origin._replace(declassifiers=tuple(dict.fromkeys(names))), way)
        return Flow(passed)

    def permitted(self, permissions: Iterable[str]) -> Flow:
        """The same, of rows that a join with the permissions has left; of the origins only values are changed."""
        granted = set(permissions)
        if not granted:
            return self
        passed: dict[Origin, tuple[str, ...]] = {}
        for origin, way in self.origins.items():
            if origin.kind == VALUE:
                origin = origin._replace(permissions=tuple(sorted({*origin.permissions, *granted})))
            _keep_shortest(passed, origin, way)
        return Flow(passed, self.copy_of)

    def bare(self, privacy: str | None = None) -> list[Origin]:
        """The origins that have passed no declassifier, of one class if given, in order of name."""
        return sorted(origin for origin in self.origins if origin.is_bare and privacy in (None, origin.privacy))


NOTHING = Flow()


def computed(flows: Iterable[Flow]) -> Flow:
    """What flows into a value that is made of several."""
    origins: dict[Origin, tuple[str, ...]] = {}
    for flow in flows:
        for origin, way in flow.origins.items():
            _keep_shortest(origins, origin, way)
    return Flow(origins)


def either(first: Flow, second: Flow) -> Flow:
    """What flows into a value that is one or the other: a column of a union."""
    return Flow(computed([first, second]).origins, first.copy_of & second.copy_of)


def _keep_shortest(origins: dict[Origin, tuple[str, ...]], origin: Origin, way: tuple[str, ...]) -> None:
    known = origins.get(origin)
    if known is None or (way != known and (len(way), way) < (len(known), known)):
        origins[origin] = way
