"""Where a value comes from: its origins, the way it took, what declassified it, and which conditions chose it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from consonance.study.declared_tables import IDENTITIES

# Kinds of columns of feature sources; the kinds of columns with data of persons are in consonance/study/declared_tables.py.
VALUE, NAMES = "value", "names"
# From the least to the most identifying.
PRIVACY_CLASSES = ("open", "quasi", "direct")


class Origin(NamedTuple):
    """A column that a value comes from.

    Attributes:
        column: ``relation.column``; of identified data, a column of ``staging``.
        privacy: The column's class.
        declassifiers: The functions it has passed on the way, each once.
        kinds: What the column says of a participant (``KINDS`` of the schema), in order of name. Of feature sources:
            ``value`` for a value of a feature, which a licence limits; ``names`` for what a source calls a track,
            which may be any text.
        permissions: Of a value, the permissions it has passed: columns of feat_source_permissions by which the rows of
            a join were chosen (``permissions.py``).
    """

    column: str
    privacy: str
    declassifiers: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()

    @property
    def is_bare(self) -> bool:
        """Whether it says something about a participant and has passed no declassifier."""
        return self.privacy != "open" and not self.declassifiers


class Part(NamedTuple):
    """A column of a model as a statement names it, that says something about a participant.

    Attributes:
        column: ``model.column``.
        privacy: The most identifying class of its bare origins.
        kinds: What it says of a participant, in order of name.
    """

    column: str
    privacy: str
    kinds: tuple[str, ...]


class Choice(NamedTuple):
    """A condition, a join, a grouping or an order that says something about a participant, and chose a value or its row.

    Attributes:
        model: Where it is.
        use: where, having, qualify, join, group, distinct, order or unnest.
        column: The column that it goes by, as the model names it.
        privacy, kinds: Of that column, and of what chose its values.
        line: Of the compiled SQL.
        conditions: What is written there, without its place: digests of it, in order.
    """

    model: str
    use: str
    column: str
    privacy: str
    kinds: tuple[str, ...]
    line: int
    conditions: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str, str]:
        """Column, use and model: what a review names."""
        return self.column, self.use, self.model

    def joined(self, other: Choice) -> Choice:
        """Both, which are one in the eyes of a review."""
        return self._replace(
            privacy=most_identifying([self.privacy, other.privacy]),
            kinds=tuple(sorted({*self.kinds, *other.kinds})),
            line=min(self.line, other.line),
            conditions=tuple(sorted({*self.conditions, *other.conditions})),
        )


@dataclass(frozen=True)
class Flow:
    """What flows into a value.

    Attributes:
        origins: Every origin, with the shortest way it took: the columns of models and staging, in order.
        copy_of: The columns (``relation.column``) whose value this is, unchanged.
        parts: The columns that the statement names for it, as far as they say something about a participant.
        choices: What chose it, where that has passed no declassifier.
    """

    origins: Mapping[Origin, tuple[str, ...]] = field(default_factory=dict)
    copy_of: frozenset[str] = frozenset()
    parts: frozenset[Part] = frozenset()
    choices: frozenset[Choice] = frozenset()

    @classmethod
    def of_column(cls, column: str, privacy: str, kinds: Iterable[str] = ()) -> Flow:
        """The flow of a column where it begins."""
        origin = Origin(column, privacy, kinds=tuple(sorted(kinds)))
        return cls({origin: (column,)}, frozenset({column}), _part(column, [origin]))

    def named(self, column: str) -> Flow:
        """The same, as the content of the column ``column`` of a model."""
        ways = {origin: (*way, column) for origin, way in self.origins.items()}
        return Flow(ways, self.copy_of | {column}, _part(column, self.bare()), self.choices)

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
            if VALUE in origin.kinds:
                origin = origin._replace(permissions=tuple(sorted({*origin.permissions, *granted})))
            _keep_shortest(passed, origin, way)
        return replace(self, origins=passed)

    def chosen(self, choices: Iterable[Choice]) -> Flow:
        """The same, as ``choices`` chose it."""
        return replace(self, choices=self.choices.union(choices))

    def bare(self, privacy: str | None = None) -> list[Origin]:
        """The origins that have passed no declassifier, of one class if given, in order of name."""
        return sorted(origin for origin in self.origins if origin.is_bare and privacy in (None, origin.privacy))

    @property
    def identity(self) -> frozenset[str]:
        """Whose row, or which row it is, if it is that unchanged and nothing else: the kinds. Else nothing."""
        kinds = frozenset(kind for origin in self.origins for kind in origin.kinds)
        is_identity = self.copy_of and kinds <= IDENTITIES and all(origin.is_bare for origin in self.origins)
        return kinds if is_identity else frozenset()


NOTHING = Flow()


def computed(flows: Iterable[Flow]) -> Flow:
    """What flows into a value that is made of several."""
    flows = [flow for flow in flows if flow is not NOTHING]
    if len(flows) < 2:  # most are
        return Flow(flows[0].origins, parts=flows[0].parts, choices=flows[0].choices) if flows else NOTHING
    origins: dict[Origin, tuple[str, ...]] = {}
    parts: set[Part] = set()
    choices: set[Choice] = set()
    for flow in flows:
        for origin, way in flow.origins.items():
            _keep_shortest(origins, origin, way)
        parts |= flow.parts
        choices |= flow.choices
    return Flow(origins, parts=frozenset(parts), choices=frozenset(choices))


def either(first: Flow, second: Flow) -> Flow:
    """What flows into a value that is one or the other: a column of a union."""
    return replace(computed([first, second]), copy_of=first.copy_of & second.copy_of)


def most_identifying(classes: Iterable[str]) -> str:
    """The most identifying of ``classes``."""
    return max(classes, key=PRIVACY_CLASSES.index)


def _part(column: str, origins: Iterable[Origin]) -> frozenset[Part]:
    bare = [origin for origin in origins if origin.is_bare]
    if not bare:
        return frozenset()
    kinds = {kind for origin in bare for kind in origin.kinds}
    return frozenset({Part(column, most_identifying(origin.privacy for origin in bare), tuple(sorted(kinds)))})


def _keep_shortest(origins: dict[Origin, tuple[str, ...]], origin: Origin, way: tuple[str, ...]) -> None:
    known = origins.get(origin)
    if known is None or (way != known and (len(way), way) < (len(known), known)):
        origins[origin] = way
