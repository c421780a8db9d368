"""Which columns flow into which, through one SQL statement.

Of DuckDB's syntax tree a small part is read here: whatever else occurs, and every name that is not exactly
one column of a known relation, is a problem. Nothing is guessed. The reader is built in steps, one idea
each: ``account`` (what was read), ``expressions``, ``sources`` (``from``), and here whole queries.

What chooses rows (a condition of ``where``, a join, a grouping, an order) does not enter a value. It is kept beside it:
the relation has what chose its rows, and so have the columns of a side of an outer join, which need not have a row.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import cache

from consonance.checks.lineage.flow import NOTHING, Flow, computed, either
from consonance.checks.lineage.known import words
from consonance.checks.lineage.permissions import permissions_of
from consonance.checks.lineage.reading import Problem, Reading, Relation
from consonance.checks.lineage.scope import Scope
from consonance.checks.lineage.sources import Sources
from consonance.checks.lineage.syntax import Lines, Node, output_name, syntax_tree, table_name


def read_statement(
    sql: str,
    relation: Callable[[str], Relation | None],
    declassifiers: Collection[str] = (),
    arguments: Collection[str] = (),
    model: str = "",
) -> Reading:
    """Read one query.

    Args:
        sql: As compiled for DuckDB.
        relation: What is known of the relation ``database.schema.name``, in small letters.
        declassifiers: ``database.schema.name`` of each function that may declassify.
        arguments: Names that stand for nothing but themselves: the arguments of a function, whose
            body is read as ``select body``.
        model: Whose SQL it is; what is chosen bears this name.
    """
    reader = _Queries(sql, relation, declassifiers, model)
    reader.statement(sql, arguments)
    return reader.reading


@cache
def relations_of(sql: str) -> tuple[tuple[tuple[str, int], ...], tuple[Problem, ...]]:
    """The relations of a database that a query names, without following its columns.

    Returns:
        Each relation (``database.schema.name``) with its line, and what reads anything else.
    """
    tree = syntax_tree(sql)
    reads: list[tuple[str, int]] = []
    problems = list(tree.problems)
    lines = Lines(sql)
    names = {entry["key"].lower() for node in tree.nodes for entry in node.get("cte_map", {}).get("map", [])}
    for node in tree.nodes:
        if node.get("type") == "BASE_TABLE":
            name = table_name(node)
            if name not in names:
                reads.append((name, lines.of(node)))
        elif node.get("type") in ("TABLE_FUNCTION", "SHOW_REF"):
            problems.append(Problem(lines.of(node), "It reads from a table function.", "Read a model with ref()."))
    return tuple(reads), tuple(problems)


class _Queries(Sources):
    """Reads whole queries."""

    def statement(self, sql: str, arguments: Collection[str]) -> None:
        """Read a whole statement into ``reading``."""
        tree = syntax_tree(sql)
        self.reading.problems.extend(tree.problems)
        if tree.root is None:
            return
        given = Scope({"": Relation.of(dict.fromkeys(map(str.lower, arguments), NOTHING))}) if arguments else None
        result = self.query(tree.root, {}, given)
        self.reading.influence = result.influence
        for name, flow in result.columns:
            if name is None:
                self.problem("A column has no name.", "Name it with 'as'.")
            elif name in self.reading.columns:
                self.problem(f"Two columns are called {name}.", "Name each column once.")
            else:
                self.reading.columns[name] = flow
        if not self.reading.problems:
            for node in tree.nodes:
                if "class" in node and id(node) not in self.marked:
                    self.problem(
                        f"A part of the statement is not supported ({node['type']}).", "Write it in simpler SQL.", node
                    )

    def query(self, node: Node, ctes: Mapping[str, Relation], parent: Scope | None) -> Relation:
        """Read a select or a union, with its CTEs. ``parent`` is the select around a subquery."""
        kind = node["type"]
        ctes = self.with_ctes(node, ctes)
        if kind == "SELECT_NODE":
            return self.select(node, ctes, parent)
        if kind == "SET_OPERATION_NODE":
            return self.union(node, ctes, parent)
        self.problem(f"{kind} is not supported.", "Write a select, or a union of selects.", node)
        return Relation((), is_whole=False)

    def with_ctes(self, node: Node, ctes: Mapping[str, Relation]) -> Mapping[str, Relation]:
        """The CTEs that are known, and those of ``node``."""
        known = dict(ctes)
        names: set[str] = set()
        for entry in node.get("cte_map", {}).get("map", []):
            name, value = entry["key"].lower(), entry["value"]
            self.shape(value, {"aliases", "query", "materialized"})
            if name in names:
                self.problem(f"Two CTEs are called {name}.", "Name each once.")
            names.add(name)
            query = value["query"]["node"]
            if query["type"] == "RECURSIVE_CTE_NODE":
                known[name] = self.recursive(query, name, value["aliases"], known)
            else:
                known[name] = self.renamed(self.query(query, known, None), value["aliases"])
        return known

    def recursive(self, node: Node, name: str, aliases: list[str], ctes: Mapping[str, Relation]) -> Relation:
        """Read a recursive CTE: again and again, until no new origin comes in."""
        self.shape(node, {"modifiers", "cte_map", "cte_name", "union_all", "left", "right", "aliases"})
        ctes = self.with_ctes(node, ctes)
        self.modifiers(node, None, ctes, [])
        result = self.renamed(self.query(node["left"], ctes, None), aliases)
        while True:
            step = self.query(node["right"], {**ctes, name: result}, None)
            grown = self.united(result, step)
            if grown == result:
                break
            result = grown
        if not node["union_all"]:
            return replace(result, influence=computed([result.influence, self.distinct(result)]))
        return result

    def distinct(self, relation: Relation) -> Flow:
        """What chooses rows if of equal ones one is kept. Which persons or rows there are is no choice."""
        others = [flow for _, flow in relation.columns if not flow.identity]
        identities = [flow for _, flow in relation.columns if flow.identity]
        return computed([Flow(self.use("distinct", identities).origins), self.choose("distinct", others)])

    def union(self, node: Node, ctes: Mapping[str, Relation], parent: Scope | None) -> Relation:
        """Read a union."""
        self.shape(node, {"modifiers", "cte_map", "setop_type", "setop_all", "left", "right"})
        if node["setop_type"] != "UNION":
            self.problem(f"{node['setop_type']} is not supported.", "Write 'union all', 'union', or a join.", node)
        result = self.united(self.query(node["left"], ctes, parent), self.query(node["right"], ctes, parent))
        influences = [result.influence]
        if not node["setop_all"]:
            influences.append(self.distinct(result))
        self.modifiers(node, Scope({"": result}), ctes, influences)
        return Relation(result.columns, computed(influences), result.is_whole)

    def united(self, first: Relation, second: Relation) -> Relation:
        """The union of two relations: each column comes from the one or the other."""
        is_whole = first.is_whole and second.is_whole
        if len(first.columns) != len(second.columns) and is_whole:
            self.problem("The parts of a union have different numbers of columns.", "Give them the same columns.")
            is_whole = False
        return Relation(
            tuple(
                (name, either(flow, other))
                for (name, flow), (_, other) in zip(first.columns, second.columns, strict=False)
            ),
            computed([first.influence, second.influence]),
            is_whole,
        )

    def select(self, node: Node, ctes: Mapping[str, Relation], parent: Scope | None) -> Relation:
        """Read one select."""
        self.shape(
            node,
            words(
                """
                modifiers cte_map select_list from_table where_clause group_expressions group_sets
                aggregate_handling having qualify
                """
            ),
        )
        scope = Scope(parent=parent)
        influences: list[Flow] = []
        self.read_from(node["from_table"], scope, ctes, influences)
        for part, kind in (("where_clause", "where"), ("having", "having"), ("qualify", "qualify")):
            if condition := node[part]:
                influences.append(self.condition(kind, condition, scope, ctes))
                if kind == "where" and scope.has_permissions and condition["class"] == "COLUMN_REF":
                    scope.permit(permissions_of(self.column(condition, scope)))
        for expression in node["group_expressions"]:
            self.no_position(expression, "group by")
            flow = self.expression(expression, scope, ctes)
            influences.append((self.use if flow.identity else self.choose)("group", [flow], expression))
        if node["aggregate_handling"] != "STANDARD_HANDLING":
            self.problem("'group by all' is not supported.", "Name the columns to group by.")
        if len(node["group_sets"]) > 1:
            self.problem("Grouping sets are not supported.", "Group once, or union the groupings.")
        columns: list[tuple[str | None, Flow]] = []
        is_whole = True
        for item in node["select_list"]:
            if item["class"] == "STAR":
                is_whole = self.star(item, scope, columns) and is_whole
            else:
                columns.append((output_name(item), self.expression(item, scope, ctes)))
        result = Relation(tuple(columns), is_whole=is_whole)
        if scope.unnested:
            influences.append(self.choose("unnest", scope.unnested))
        if scope.is_aggregated or node["group_expressions"]:
            influences.extend(scope.optional)
        # In an order, a name may mean the output column or one that is selected from: both count.
        either_way = {name: computed([flow, *scope.found(name, scope.tables)]) for name, flow in result.named().items()}
        ordering = Scope({"": result, **scope.tables}, scope.merged | either_way, parent)
        self.modifiers(node, ordering, ctes, influences)
        return Relation(result.columns, computed(influences), is_whole)

    def star(self, node: Node, scope: Scope, columns: list[tuple[str | None, Flow]]) -> bool:
        """Expand ``*`` or ``relation.*`` into ``columns``; whether it could be."""
        self.mark(node)
        self.reading.stars.append(self.lines.of(node))
        if node["columns"]:
            self.problem("COLUMNS() is not supported.", "Name the columns.", node)
            return False
        if self.shape(node, {"relation_name"}):
            return False
        wanted = node["relation_name"].lower()
        if wanted and wanted not in scope.tables:
            self.problem(f"{wanted}.* names no relation of this select.", "Name the columns.", node)
            return False
        emitted: set[str] = set()
        for alias, table in scope.tables.items():
            if wanted in ("", alias):
                for name, flow in table.columns:
                    if not wanted and name in scope.merged:
                        if name in emitted:
                            continue
                        emitted.add(name)
                        flow = scope.merged[name]
                    columns.append((name, flow))
        return scope.is_whole

    def modifiers(self, node: Node, scope: Scope | None, ctes: Mapping[str, Relation], influences: list[Flow]) -> None:
        """Read ``order by`` and ``distinct``."""
        for modifier in node["modifiers"]:
            kind = modifier["type"]
            if kind == "ORDER_MODIFIER" and scope is not None:
                influences.append(self.choose("order", [self.orders(modifier["orders"], scope, ctes)]))
            elif kind == "DISTINCT_MODIFIER" and scope is not None and not modifier["distinct_on_targets"]:
                influences.append(self.distinct(scope.tables[""]))
            else:
                name = {"LIMIT_MODIFIER": "limit", "DISTINCT_MODIFIER": "distinct on"}.get(kind, kind)
                self.problem(
                    f"'{name}' is not supported.",
                    "Number the rows with row_number() over a total order and filter.",
                    node,
                )
