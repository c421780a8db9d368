"""The account that is kept while a statement is read: which parts were read, which uses and problems found.

Nothing is passed over: each kind of node lists the parts that are read, any other part that is not empty
is a problem, and so is a node that was never read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from consonance.checks.lineage.flow import Choice, Flow, computed, most_identifying
from consonance.checks.lineage.reading import Problem, Reading, Relation, Use
from consonance.checks.lineage.syntax import Lines, Node, digest_of

# A part of a node with one of these values says nothing.
EMPTY: tuple[Any, ...] = (None, "", [], {}, False, {"type": "ORDER_MODIFIER", "orders": []})
# The parts that every node has.
EVERYWHERE = frozenset({"class", "type", "alias", "query_location"})


class Account:
    """The account of one statement; the steps of the reader build on it."""

    def __init__(
        self, sql: str, relation: Callable[[str], Relation | None], declassifiers: Collection[str], model: str
    ) -> None:
        self.reading = Reading()
        self.model = model
        self.relation = relation
        self.declassifiers = frozenset(declassifiers)
        self.lines = Lines(sql)
        self.marked: set[int] = set()

    def mark(self, node: Node) -> None:
        """Note that the node was read."""
        self.marked.add(id(node))

    def use(self, kind: str, flows: Iterable[Flow], node: Node | None = None) -> Flow:
        """Note an implicit use of what flows into ``flows``; gives what flows in altogether."""
        line = self.lines.of(node) if node else self.lines.last
        flow = computed(flows)
        self.reading.uses.append(Use(kind, flow, line))
        return flow

    def choose(self, kind: str, flows: Iterable[Flow], node: Node | None = None) -> Flow:
        """Note an implicit use that chooses rows; gives what flows in altogether, with what is chosen by it.

        What chose the values of a column belongs to the choice that goes by it.
        """
        flows = list(flows)
        used, line = self.use(kind, flows, node), self.lines.last
        choices: set[Choice] = set()
        for flow in flows:
            if not flow.parts and flow.choices:
                choices |= flow.choices
                self.reading.by_values.append((flow.choices, kind))
            before = {name for choice in flow.choices for name in choice.kinds}
            for part in flow.parts:
                privacy = most_identifying([part.privacy, *(choice.privacy for choice in flow.choices)])
                kinds = tuple(sorted(before.union(part.kinds)))
                choices.add(Choice(self.model, kind, part.column, privacy, kinds, line, (digest_of(node),)))
        return Flow(used.origins, choices=frozenset(choices))

    def shape(self, node: Node, parts: Iterable[str]) -> bool:
        """Report the parts of ``node`` that are there and not read; whether there are any."""
        read = EVERYWHERE.union(parts)
        strange = sorted(key for key, value in node.items() if key not in read and value not in EMPTY)
        if strange:
            what = node.get("function_name") or node.get("type") or "A CTE"
            self.problem(
                f"{what.replace('_', ' ').lower()} with {', '.join(strange).replace('_', ' ')} is not supported.",
                "Name columns one by one and write it in simpler SQL.",
                node,
            )
        return bool(strange)

    def no_position(self, node: Node, clause: str) -> None:
        """Report a constant where a clause would take it as the number of a column."""
        if node["class"] == "CONSTANT":
            self.problem(f"'{clause}' by position is not supported.", "Name the column.", node)

    def problem(self, what: str, remedy: str, node: Node | None = None) -> None:
        """Note a problem, each once."""
        problem = Problem(self.lines.of(node) if node else self.lines.last, what, remedy)
        if problem not in self.reading.problems:
            self.reading.problems.append(problem)
