"""What a ``select`` reads from: relations, CTEs, subqueries and their joins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from consonance.checks.lineage.expressions import Expressions
from consonance.checks.lineage.flow import NOTHING, Flow, computed
from consonance.checks.lineage.known import JOINS
from consonance.checks.lineage.permissions import is_join_of_permissions
from consonance.checks.lineage.reading import Relation
from consonance.checks.lineage.scope import Scope
from consonance.checks.lineage.syntax import Node, table_name


class Sources(Expressions):
    """Reads ``from``."""

    def read_from(self, node: Node, scope: Scope, ctes: Mapping[str, Relation], influences: list[Flow]) -> None:
        """Add the relations of a ``from`` to ``scope``."""
        kind = node["type"]
        if kind == "EMPTY":
            return
        if kind == "JOIN":
            self.join(node, scope, ctes, influences)
            return
        if kind == "BASE_TABLE":
            self.shape(node, {"schema_name", "table_name", "catalog_name", "column_name_alias"})
            table = self.table(node, ctes)
        elif kind == "SUBQUERY":
            self.shape(node, {"subquery", "column_name_alias"})
            # Without a parent: what stands beside it or around it is not read in it.
            table = self.query(node["subquery"]["node"], ctes, None)
        elif kind == "TABLE_FUNCTION":
            table = self.series(node)
        else:
            self.problem(f"{kind.replace('_', ' ').lower()} is not supported.", "Select from models and CTEs.", node)
            table = Relation((), is_whole=False)
        alias = (node.get("alias") or node.get("table_name") or f"({len(scope.tables)})").lower()
        if alias in scope.tables:
            self.problem(f"Two relations are called {alias}.", "Give each a name of its own.", node)
        influences.append(table.influence)
        scope.tables[alias] = self.renamed(table, node.get("column_name_alias", []))

    def table(self, node: Node, ctes: Mapping[str, Relation]) -> Relation:
        """A CTE, or a relation of a database."""
        name = table_name(node)
        if "." not in name:
            if name in ctes:
                return ctes[name]
            self.problem(f"{name} is no CTE of this statement.", "Name the model with ref().", node)
            return Relation((), is_whole=False)
        self.reading.reads.append((name, self.lines.of(node)))
        found = self.relation(name)
        if found is None:
            self.problem(
                f"{name} is no relation that the project knows.",
                "Read a model with ref(), a source with source().",
                node,
            )
            return Relation((), is_whole=False)
        return found

    def series(self, node: Node) -> Relation:
        """The one table function that reads nothing: whole numbers between two constants."""
        function = node["function"]
        self.shape(node, {"function", "column_name_alias", "with_ordinality"})
        if (
            function.get("function_name") != "generate_series"
            or node["with_ordinality"] != "WITHOUT_ORDINALITY"
            or any(child["class"] != "CONSTANT" for child in function["children"])
        ):
            self.problem(
                f"The table function {function.get('function_name', '')}() is not supported.",
                "Select from models and CTEs; of table functions only generate_series() of two constants is known.",
                node,
            )
            return Relation((), is_whole=False)
        for part in (function, *function["children"]):
            self.mark(part)
        return Relation((("generate_series", NOTHING),))

    def join(self, node: Node, scope: Scope, ctes: Mapping[str, Relation], influences: list[Flow]) -> None:
        """Add both sides of a join to ``scope``; its condition is a use."""
        self.shape(node, {"left", "right", "condition", "join_type", "ref_type", "using_columns"})
        if node["join_type"] not in JOINS or node["ref_type"] not in ("REGULAR", "CROSS"):
            name = f"{node['ref_type']} {node['join_type']}".replace("REGULAR ", "").lower()
            self.problem(
                f"A join of the kind '{name}' is not supported.",
                "Write an inner, left, right or cross join.",
                node,
            )
        sides: tuple[list[Flow], list[Flow]] = ([], [])
        conditions: list[Flow] = []
        self.read_from(node["left"], scope, ctes, sides[0])
        before = set(scope.tables)
        self.read_from(node["right"], scope, ctes, sides[1])
        for name in map(str.lower, node["using_columns"]):
            left = [scope.merged[name]] if name in scope.merged else scope.found(name, before)
            right = scope.found(name, set(scope.tables) - before)
            if len(left) != 1 or len(right) != 1:
                self.problem(
                    f"'using ({name})' is not one column on each side.", "Write the condition with 'on'.", node
                )
            scope.merged[name] = computed([*left, *right])
            conditions.append(self.matched("join", [*left, *right], node))
        if node["condition"]:
            conditions.append(self.condition("join", node["condition"], scope, ctes))
            scope.has_permissions |= is_join_of_permissions(node["condition"], lambda part: self.column(part, scope))
        self.joined(node["join_type"], sides, conditions, before, scope, influences)

    def joined(
        self,
        kind: str,
        sides: tuple[list[Flow], list[Flow]],
        conditions: list[Flow],
        before: set[str],
        scope: Scope,
        influences: list[Flow],
    ) -> None:
        """Note what a join chooses: rows by its condition; by what chose the rows of a side, too, if it must have one."""
        condition, left, right = computed(conditions), computed(sides[0]), computed(sides[1])
        influences.append(condition)
        for side, aliases, may_lack in (
            (left, before, kind == "RIGHT"),
            (right, set(scope.tables) - before, kind == "LEFT"),
        ):
            if not may_lack:
                influences.append(side)
                continue
            influences.append(Flow(side.origins))
            choices = condition.choices | side.choices
            scope.optional.append(Flow(choices=choices))
            for alias in aliases:
                scope.tables[alias] = scope.tables[alias].chosen(choices)
            if kind == "RIGHT":
                scope.merged = {name: flow.chosen(choices) for name, flow in scope.merged.items()}

    def condition(self, kind: str, node: Node, scope: Scope, ctes: Mapping[str, Relation]) -> Flow:
        """What a condition chooses by: each part of an ``and`` alone."""
        if node["type"] == "CONJUNCTION_AND":
            self.mark(node)
            self.shape(node, {"children"})
            return computed([self.condition(kind, child, scope, ctes) for child in node["children"]])
        if node["type"] != "COMPARE_EQUAL":
            return self.choose(kind, [self.expression(node, scope, ctes)], node)
        self.mark(node)
        self.shape(node, {"left", "right"})
        return self.matched(kind, [self.expression(node[side], scope, ctes) for side in ("left", "right")], node)

    def matched(self, kind: str, sides: list[Flow], node: Node) -> Flow:
        """What an equation chooses by. Rows of one person, donation, member or row belong together: that is no choice."""
        identities = {side.identity for side in sides}
        if len(identities) == 1 and all(identities):
            return Flow(self.use(kind, sides, node).origins, choices=computed(sides).choices)
        return self.choose(kind, sides, node)

    def renamed(self, relation: Relation, names: Iterable[str]) -> Relation:
        """The relation with other names for its columns, if there are any."""
        names = [name.lower() for name in names]
        if not names:
            return relation
        if len(names) != len(relation.columns):
            if relation.is_whole:
                self.problem("A list of names does not fit the columns.", "Name every column.")
            return Relation((), relation.influence, is_whole=False)
        flows = [flow for _, flow in relation.columns]
        return Relation(tuple(zip(names, flows, strict=True)), relation.influence, relation.is_whole)
