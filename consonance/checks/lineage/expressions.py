"""What flows into an expression.

Conditions of ``case``, filters of aggregates, the partitions and orders of windows, and everything within
a subquery that stands for a value flow into the value.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from consonance.checks.lineage.account import Account
from consonance.checks.lineage.flow import NOTHING, Flow, computed
from consonance.checks.lineage.known import AGGREGATES, OPERATORS, SCALARS, WINDOWS, WITH_LAMBDA, words
from consonance.checks.lineage.reading import Call, Relation
from consonance.checks.lineage.scope import Scope
from consonance.checks.lineage.syntax import Node


class Expressions(Account, ABC):
    """Reads expressions."""

    @abstractmethod
    def query(self, node: Node, ctes: Mapping[str, Relation], parent: Scope | None) -> Relation:
        """Read a subquery."""

    def expression(self, node: Node, scope: Scope, ctes: Mapping[str, Relation]) -> Flow:
        """What flows into the value of ``node``."""
        self.mark(node)
        self.lines.of(node)
        kind, exact = node["class"], node["type"]

        def parts(*nodes: Node | None) -> Flow:
            return computed([self.expression(part, scope, ctes) for part in nodes if part])

        if kind == "COLUMN_REF":
            return self.column(node, scope)
        if kind == "CONSTANT":
            return NOTHING
        if kind == "CAST":
            self.shape(node, {"child", "cast_type", "try_cast"})
            return parts(node["child"])
        if kind == "COMPARISON":
            self.shape(node, {"left", "right"})
            return parts(node["left"], node["right"])
        if kind == "BETWEEN":
            self.shape(node, {"input", "lower", "upper"})
            return parts(node["input"], node["lower"], node["upper"])
        if kind == "CONJUNCTION" or (kind == "OPERATOR" and exact in OPERATORS):
            self.shape(node, {"children"})
            return parts(*node["children"])
        if kind == "CASE":
            self.shape(node, {"case_checks", "else_expr"})
            checks = [check[part] for check in node["case_checks"] for part in ("when_expr", "then_expr")]
            return parts(*checks, node["else_expr"])
        if kind == "FUNCTION":
            return self.function(node, scope, ctes)
        if kind == "WINDOW":
            return self.window(node, scope, ctes)
        if kind == "SUBQUERY":
            self.shape(node, {"subquery_type", "subquery", "child", "comparison_type"})
            inner = self.query(node["subquery"]["node"], ctes, scope)
            return computed([parts(node["child"]), inner.influence, *(flow for _, flow in inner.columns)])
        what = {
            "STAR": "A * that stands for a value",
            "LAMBDA": "A lambda",
            "PARAMETER": "A parameter",
            "COLLATE": "A collation",
        }.get(kind, exact.replace("_", " ").lower())
        self.problem(f"{what} is not supported.", "Write it with columns, literals and the known functions.", node)
        return NOTHING

    def column(self, node: Node, scope: Scope) -> Flow:
        """What flows into the column that a name means: of this select, or of one around it."""
        names = [name.lower() for name in node["column_names"]]
        name = ".".join(names)
        if len(names) > 2:
            self.problem(f"{name} is not supported.", "Write alias.column; fields of a value are not supported.", node)
            return NOTHING
        here: Scope | None = scope
        while here is not None:
            found = (
                self._of_alias(names[0], names[1], here, node) if len(names) == 2 else self._of_any(name, here, node)
            )
            if found is not None:
                return found
            here = here.parent
        self.problem(
            f"{name} is no column of a relation that is selected from here.",
            "Name a column of the relations in 'from'; what this select makes can be used in a CTE after it.",
            node,
        )
        return NOTHING

    def _of_alias(self, alias: str, name: str, scope: Scope, node: Node) -> Flow | None:
        """What flows into ``alias.name``; ``None`` if the select has no such alias."""
        table = scope.tables.get(alias)
        if table is None:
            return None
        found = scope.found(name, {alias})
        if not found and table.is_whole:
            self.problem(f"{alias} has no column {name}.", "Name a column it has.", node)
        return found[0] if found else NOTHING

    def _of_any(self, name: str, scope: Scope, node: Node) -> Flow | None:
        """What flows into the column ``name`` of any relation of the select; ``None`` if none has it."""
        if name in scope.merged:
            return scope.merged[name]
        found = scope.found(name, scope.tables)
        if len(found) > 1:
            self.problem(f"{name} is a column of several relations here.", f"Write alias.{name}.", node)
        if found:
            return found[0]
        if not scope.is_whole:
            return NOTHING
        if name in scope.tables:
            self.problem(f"{name} stands for a whole row of {name}.", "Name the columns you need.", node)
            return NOTHING
        return None

    def function(self, node: Node, scope: Scope, ctes: Mapping[str, Relation]) -> Flow:
        """What flows into the value of a function; a call of a declassifier is noted."""
        name = node["function_name"].lower()
        catalog, schema = node["catalog"].lower(), node["schema"].lower()
        full = ".".join(part for part in (catalog, schema, name) if part)
        is_declassifier = bool(catalog and schema) and full in self.declassifiers
        self.shape(
            node,
            {"function_name", "schema", "catalog", "children", "is_operator"}
            | (set() if is_declassifier else {"filter", "order_bys", "distinct"}),
        )
        line = self.lines.of(node)
        if any(child.get("alias") for child in node["children"]):
            self.problem(f"{full}() has a named argument.", "Give arguments by place.", node)
        if name in WITH_LAMBDA and not is_declassifier:
            arguments = self.with_lambda(node["children"], scope, ctes)
        else:
            arguments = [self.expression(child, scope, ctes) for child in node["children"]]
        if is_declassifier:
            self.reading.calls.append(Call(full, tuple(arguments), line))
            return computed(arguments).through(name)
        if schema not in ("", "main") or catalog or name not in SCALARS | AGGREGATES:
            self.problem(
                f"The function {full}() is not among those that may be called.",
                "Use a known one; functions that declassify are called with function('name') from functions/.",
                node,
            )
        scope.is_aggregated |= name in AGGREGATES
        if name == "unnest":
            scope.unnested.extend(arguments)
        flows = [*arguments, self.orders(node["order_bys"]["orders"], scope, ctes)]
        if node["filter"]:
            flows.append(self.use("filter", [self.expression(node["filter"], scope, ctes)], node["filter"]))
        return computed(flows)

    def with_lambda(self, children: list[Node], scope: Scope, ctes: Mapping[str, Relation]) -> list[Flow]:
        """What flows into a list, and into what a lambda makes of each of its elements."""
        *lists, last = children
        arguments = [self.expression(child, scope, ctes) for child in lists]
        if last["class"] != "LAMBDA":
            return [*arguments, self.expression(last, scope, ctes)]
        self.mark(last)
        self.shape(last, {"lhs", "expr"})
        parameter = last["lhs"]
        self.mark(parameter)
        if parameter["class"] != "COLUMN_REF" or len(parameter["column_names"]) != 1 or len(arguments) != 1:
            self.problem("A lambda of this kind is not supported.", "Write 'lambda element: …' of one list.", last)
            return arguments
        name = parameter["column_names"][0].lower()
        around: Scope | None = scope
        while around is not None:
            if name in around.tables:
                self.problem(f"{name} is a relation and an element here.", "Give the element another name.", last)
            around = around.parent
        element = Scope({"": Relation.of({name: computed(arguments)})}, parent=scope)
        return [*arguments, self.expression(last["expr"], element, ctes)]

    def window(self, node: Node, scope: Scope, ctes: Mapping[str, Relation]) -> Flow:
        """What flows into the value of a window function."""
        self.shape(
            node,
            words(
                """
                function_name children partitions orders start end start_expr end_expr offset_expr default_expr
                ignore_nulls filter_expr exclude_clause distinct arg_orders schema catalog
                """
            ),
        )
        name = node["function_name"].lower()
        is_known = node["type"] in WINDOWS and (node["type"] != "WINDOW_AGGREGATE" or name in AGGREGATES)
        if not is_known or node["schema"] not in ("", "main") or node["catalog"]:
            self.problem(f"The window function {name}() is not supported.", "Use a known one.", node)
        has_order = node["type"] == "WINDOW_AGGREGATE" or bool(node["orders"])
        # Without one this is no question of what is numbered: one finding says enough.
        scope.is_aggregated |= has_order
        if not has_order:
            self.problem(
                f"{name}() without 'order by' goes by the order in which rows lie, so by that of enrolment and loading.",
                "Give the window an order that tells its rows apart, of columns that may pass.",
                node,
            )
        flows = [self.expression(child, scope, ctes) for child in node["children"]]
        for part in ("start_expr", "end_expr", "offset_expr", "default_expr"):
            if node[part]:
                flows.append(self.expression(node[part], scope, ctes))
        partitions = [self.expression(partition, scope, ctes) for partition in node["partitions"]]
        flows.append(self.use("window", partitions, node))
        flows.append(self.orders([*node["orders"], *node["arg_orders"]], scope, ctes, "window"))
        if node["filter_expr"]:
            flows.append(self.use("filter", [self.expression(node["filter_expr"], scope, ctes)], node["filter_expr"]))
        return computed(flows)

    def orders(self, orders: list[Node], scope: Scope, ctes: Mapping[str, Relation], kind: str = "order") -> Flow:
        """What flows into an order; a use of the kind ``kind``."""
        flows = []
        for order in orders:
            self.shape(order, {"null_order", "expression"})
            self.no_position(order["expression"], "order by")
            flows.append(self.expression(order["expression"], scope, ctes))
        return self.use(kind, flows) if flows else NOTHING
