"""Which columns flow into which, through one SQL statement.

The statement is read by the parser that will run it (DuckDB's own, by ``json_serialize_sql``), so
that there is no second opinion of what the SQL says. Of its syntax tree a small subset is known
here: whatever else occurs, and every name that is not exactly one column of a known relation, is a
problem. Nothing is guessed and nothing is passed over: each kind of node lists the parts it reads,
and any other part that is not empty is a problem too.

Implicit flows (a condition of ``where``, a join, a grouping, an order) do not enter a value; they
are handed back as uses. Conditions of ``case``, filters of aggregates, the partitions and orders of
windows, and everything within a subquery that stands for a value do enter it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import duckdb

from consonance.checks.lineage.flow import NOTHING, Flow, computed, either

Node = dict[str, Any]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What a statement may call: functions that see nothing but their arguments. Whatever reads settings,
# variables, files, the clock, other relations by name, or packs a whole row is not among them.
SCALARS = _words(
    """
    + - * / // % || >> << ~~ !~~ abs array_contains ceil chr concat_ws contains date_diff date_part date_trunc
    dayofweek epoch_ms floor greatest hour least length list_concat list_value lower make_timestamp_ms
    md5_number_lower month nullif regexp_full_match regexp_matches regexp_replace replace round sqrt starts_with
    substring timezone translate trim unnest upper year
    """
)
AGGREGATES = _words(
    """
    avg bool_and bool_or corr count count_star max max_by median min min_by regr_slope regr_sxx regr_sxy regr_syy
    stddev_samp sum
    """
)
OPERATORS = _words(
    """
    OPERATOR_COALESCE OPERATOR_IS_NULL OPERATOR_IS_NOT_NULL OPERATOR_NOT COMPARE_IN COMPARE_NOT_IN
    """
)
WINDOWS = _words(
    """
    WINDOW_AGGREGATE WINDOW_ROW_NUMBER WINDOW_RANK WINDOW_RANK_DENSE WINDOW_LAG WINDOW_LEAD
    WINDOW_FIRST_VALUE WINDOW_LAST_VALUE
    """
)
# Where a syntax tree keeps names; DuckDB folds their case in ASCII alone, so nothing else is read.
NAMES = _words(
    """
    alias aliases catalog catalog_name column_name_alias column_names cte_name function_name key relation_name
    schema schema_name table_name using_columns
    """
)
PLAIN_NAME = re.compile(r"[A-Za-z0-9_]*")
JOINS = frozenset({"INNER", "LEFT", "RIGHT", "OUTER"})
NO_PLACE = 2**64 - 1
EMPTY: tuple[Any, ...] = (None, "", [], {}, False, {"type": "ORDER_MODIFIER", "orders": []})
EVERYWHERE = frozenset({"class", "type", "alias", "query_location"})


@dataclass(frozen=True)
class Problem:
    """Something the checker does not read: where, what, and what to write instead."""

    line: int
    what: str
    remedy: str


@dataclass(frozen=True)
class Use:
    """An implicit use of what flows into a condition, a grouping or an order.

    Attributes:
        kind: where, having, qualify, filter, join, group, distinct, order or window.
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
        influence: What decided, within a subquery, which rows there are.
        is_whole: False if a column could not be read; then a missing name is no second problem.
    """

    columns: tuple[tuple[str | None, Flow], ...]
    influence: Flow = NOTHING
    is_whole: bool = True

    @classmethod
    def of(cls, columns: Mapping[str, Flow], is_whole: bool = True) -> Relation:
        return cls(tuple(columns.items()), NOTHING, is_whole)

    def named(self) -> dict[str, Flow]:
        return {name: flow for name, flow in self.columns if name is not None}


@dataclass
class Reading:
    """What a statement says.

    Attributes:
        columns: What flows into each output column, in order.
        reads: Each relation of a database that it names (``database.schema.name``), with the line.
        stars: Lines with a ``*`` that is not ``count(*)``.
    """

    columns: dict[str, Flow] = field(default_factory=dict)
    uses: list[Use] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    reads: list[tuple[str, int]] = field(default_factory=list)
    stars: list[int] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_statement(
    sql: str,
    relation: Callable[[str], Relation | None],
    declassifiers: Collection[str] = (),
    arguments: Collection[str] = (),
) -> Reading:
    """Read one query.

    Args:
        sql: As compiled for DuckDB.
        relation: What is known of the relation ``database.schema.name``, in small letters.
        declassifiers: ``database.schema.name`` of each function that may declassify.
        arguments: Names that stand for nothing but themselves: the arguments of a function, whose
            body is read as ``select body``.
    """
    reader = _Reader(sql, relation, frozenset(declassifiers))
    reader.read(arguments)
    return reader.reading


@cache
def relations_of(sql: str) -> tuple[tuple[tuple[str, int], ...], tuple[Problem, ...]]:
    """The relations of a database that a query names, without following its columns.

    Returns:
        Each relation (``database.schema.name``) with its line, and what reads anything else.
    """
    tree = _tree(sql)
    reads: list[tuple[str, int]] = []
    problems = list(tree.problems)
    lines = _Lines(sql)
    names = {entry["key"].lower() for node in tree.nodes for entry in node.get("cte_map", {}).get("map", [])}
    for node in tree.nodes:
        if node.get("type") == "BASE_TABLE":
            name = _table_name(node)
            if name not in names:
                reads.append((name, lines.of(node)))
        elif node.get("type") in ("TABLE_FUNCTION", "SHOW_REF"):
            problems.append(Problem(lines.of(node), "It reads from a table function.", "Read a model with ref()."))
    return tuple(reads), tuple(problems)


class _Lines:
    """Line numbers of a statement, by the byte offsets of its syntax tree."""

    def __init__(self, sql: str) -> None:
        self._bytes = sql.encode()
        self.last = 1

    def of(self, node: Node) -> int:
        place = node.get("query_location", NO_PLACE)
        if place != NO_PLACE:
            self.last = self._bytes[:place].count(b"\n") + 1
        return self.last


@dataclass
class _Scope:
    """What names mean within one ``select``."""

    tables: dict[str, Relation] = field(default_factory=dict)
    merged: dict[str, Flow] = field(default_factory=dict)
    parent: _Scope | None = None

    @property
    def is_whole(self) -> bool:
        return all(table.is_whole for table in self.tables.values())


class _Reader:
    def __init__(self, sql: str, relation: Callable[[str], Relation | None], declassifiers: frozenset[str]) -> None:
        self.reading = Reading()
        self._sql = sql
        self._relation = relation
        self._declassifiers = declassifiers
        self._lines = _Lines(sql)
        self._read: set[int] = set()

    def read(self, arguments: Collection[str]) -> None:
        tree = _tree(self._sql)
        self.reading.problems.extend(tree.problems)
        if tree.root is None:
            return
        given = _Scope({"": Relation.of(dict.fromkeys(map(str.lower, arguments), NOTHING))}) if arguments else None
        result = self._query(tree.root, {}, given)
        for name, flow in result.columns:
            if name is None:
                self._problem("A column has no name.", "Name it with 'as'.")
            elif name in self.reading.columns:
                self._problem(f"Two columns are called {name}.", "Name each column once.")
            else:
                self.reading.columns[name] = flow
        if not self.reading.problems:
            for node in tree.nodes:
                if "class" in node and id(node) not in self._read:
                    self._problem(
                        f"A part of the statement is not read ({node['type']}).", "Write it in plainer SQL.", node
                    )

    # Queries

    def _query(self, node: Node, env: Mapping[str, Relation], parent: _Scope | None) -> Relation:
        kind = node["type"]
        env = self._with_ctes(node, env)
        if kind == "SELECT_NODE":
            return self._select(node, env, parent)
        if kind == "SET_OPERATION_NODE":
            return self._union(node, env, parent)
        self._problem(f"{kind} is not read.", "Write a select, or a union of selects.", node)
        return Relation((), is_whole=False)

    def _with_ctes(self, node: Node, env: Mapping[str, Relation]) -> Mapping[str, Relation]:
        known = dict(env)
        names: set[str] = set()
        for entry in node.get("cte_map", {}).get("map", []):
            name, value = entry["key"].lower(), entry["value"]
            self._shape(value, {"aliases", "query", "materialized"})
            if name in names:
                self._problem(f"Two CTEs are called {name}.", "Name each once.")
            names.add(name)
            query = value["query"]["node"]
            if query["type"] == "RECURSIVE_CTE_NODE":
                known[name] = self._recursive(query, name, value["aliases"], known)
            else:
                known[name] = self._renamed(self._query(query, known, None), value["aliases"])
        return known

    def _recursive(self, node: Node, name: str, aliases: list[str], env: Mapping[str, Relation]) -> Relation:
        """Its columns after as many rounds as it takes until no new origin comes in."""
        self._shape(node, {"modifiers", "cte_map", "cte_name", "union_all", "left", "right", "aliases"})
        env = self._with_ctes(node, env)
        self._modifiers(node, None, env, [])
        result = self._renamed(self._query(node["left"], env, None), aliases)
        while True:
            step = self._query(node["right"], {**env, name: result}, None)
            grown = self._united(result, step)
            if [(flow.origins, flow.copy_of) for _, flow in grown.columns] == [
                (flow.origins, flow.copy_of) for _, flow in result.columns
            ] and grown.influence.origins == result.influence.origins:
                break
            result = grown
        if not node["union_all"]:
            self._use("distinct", [flow for _, flow in result.columns])
        return result

    def _union(self, node: Node, env: Mapping[str, Relation], parent: _Scope | None) -> Relation:
        self._shape(node, {"modifiers", "cte_map", "setop_type", "setop_all", "left", "right"})
        if node["setop_type"] != "UNION":
            self._problem(f"{node['setop_type']} is not read.", "Write 'union all', 'union', or a join.", node)
        result = self._united(self._query(node["left"], env, parent), self._query(node["right"], env, parent))
        influences = [result.influence]
        if not node["setop_all"]:
            influences.append(self._use("distinct", [flow for _, flow in result.columns]))
        self._modifiers(node, _Scope({"": result}), env, influences)
        return Relation(result.columns, computed(influences), result.is_whole)

    def _united(self, first: Relation, second: Relation) -> Relation:
        is_whole = first.is_whole and second.is_whole
        if len(first.columns) != len(second.columns) and is_whole:
            self._problem("The parts of a union have different numbers of columns.", "Give them the same columns.")
            is_whole = False
        return Relation(
            tuple(
                (name, either(flow, other))
                for (name, flow), (_, other) in zip(first.columns, second.columns, strict=False)
            ),
            computed([first.influence, second.influence]),
            is_whole,
        )

    def _select(self, node: Node, env: Mapping[str, Relation], parent: _Scope | None) -> Relation:
        self._shape(
            node,
            _words(
                """
                modifiers cte_map select_list from_table where_clause group_expressions group_sets
                aggregate_handling having qualify
                """
            ),
        )
        scope = _Scope(parent=parent)
        influences: list[Flow] = []
        self._from(node["from_table"], scope, env, influences)
        for part, kind in (("where_clause", "where"), ("having", "having"), ("qualify", "qualify")):
            if condition := node[part]:
                flow = self._expression(condition, scope, env)
                influences.append(self._use(kind, [flow], condition))
        for expression in node["group_expressions"]:
            self._no_position(expression, "group by")
            flow = self._expression(expression, scope, env)
            influences.append(self._use("group", [flow], expression))
        if node["aggregate_handling"] != "STANDARD_HANDLING":
            self._problem("'group by all' is not read.", "Name the columns to group by.")
        if len(node["group_sets"]) > 1:
            self._problem("Grouping sets are not read.", "Group once, or union the groupings.")
        columns: list[tuple[str | None, Flow]] = []
        is_whole = True
        for item in node["select_list"]:
            if item["class"] == "STAR":
                is_whole = self._star(item, scope, columns) and is_whole
            else:
                columns.append((_output_name(item), self._expression(item, scope, env)))
        result = Relation(tuple(columns), is_whole=is_whole)
        # In an order, a name may mean the output column or one that is selected from: both count.
        either_way = {
            name: computed([flow, *self._found(name, scope, scope.tables)]) for name, flow in result.named().items()
        }
        ordering = _Scope({"": result, **scope.tables}, scope.merged | either_way, parent)
        self._modifiers(node, ordering, env, influences)
        return Relation(result.columns, computed(influences), is_whole)

    def _star(self, node: Node, scope: _Scope, columns: list[tuple[str | None, Flow]]) -> bool:
        """Expand ``*`` or ``relation.*`` into ``columns``; whether it could be."""
        self._mark(node)
        self.reading.stars.append(self._lines.of(node))
        if node["columns"]:
            self._problem("COLUMNS() is not read.", "Name the columns.", node)
            return False
        if self._shape(node, {"relation_name"}):
            return False
        wanted = node["relation_name"].lower()
        if wanted and wanted not in scope.tables:
            self._problem(f"{wanted}.* names no relation of this select.", "Name the columns.", node)
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

    def _modifiers(self, node: Node, scope: _Scope | None, env: Mapping[str, Relation], influences: list[Flow]) -> None:
        for modifier in node["modifiers"]:
            kind = modifier["type"]
            if kind == "ORDER_MODIFIER" and scope is not None:
                influences.append(self._orders(modifier["orders"], scope, env))
            elif kind == "DISTINCT_MODIFIER" and scope is not None and not modifier["distinct_on_targets"]:
                influences.append(self._use("distinct", [flow for _, flow in scope.tables[""].columns]))
            else:
                name = {"LIMIT_MODIFIER": "limit", "DISTINCT_MODIFIER": "distinct on"}.get(kind, kind)
                self._problem(
                    f"'{name}' is not read.", "Number the rows with row_number() over a total order and filter.", node
                )

    def _orders(self, orders: list[Node], scope: _Scope, env: Mapping[str, Relation], kind: str = "order") -> Flow:
        flows = []
        for order in orders:
            self._shape(order, {"null_order", "expression"})
            self._no_position(order["expression"], "order by")
            flows.append(self._expression(order["expression"], scope, env))
        return self._use(kind, flows) if flows else NOTHING

    # What is selected from

    def _from(self, node: Node, scope: _Scope, env: Mapping[str, Relation], influences: list[Flow]) -> None:
        kind = node["type"]
        if kind == "EMPTY":
            return
        if kind == "JOIN":
            self._join(node, scope, env, influences)
            return
        if kind == "BASE_TABLE":
            self._shape(node, {"schema_name", "table_name", "catalog_name", "column_name_alias"})
            table = self._table(node, env)
        elif kind == "SUBQUERY":
            self._shape(node, {"subquery", "column_name_alias"})
            # Without a parent: what stands beside it or around it is not read in it.
            table = self._query(node["subquery"]["node"], env, None)
        elif kind == "TABLE_FUNCTION":
            table = self._series(node)
        else:
            self._problem(f"{kind.replace('_', ' ').lower()} is not read.", "Select from models and CTEs.", node)
            table = Relation((), is_whole=False)
        alias = (node.get("alias") or node.get("table_name") or f"({len(scope.tables)})").lower()
        if alias in scope.tables:
            self._problem(f"Two relations are called {alias}.", "Give each a name of its own.", node)
        influences.append(table.influence)
        scope.tables[alias] = self._renamed(table, node.get("column_name_alias", []))

    def _table(self, node: Node, env: Mapping[str, Relation]) -> Relation:
        name = _table_name(node)
        if "." not in name:
            if name in env:
                return env[name]
            self._problem(f"{name} is no CTE of this statement.", "Name the model with ref().", node)
            return Relation((), is_whole=False)
        self.reading.reads.append((name, self._lines.of(node)))
        found = self._relation(name)
        if found is None:
            self._problem(
                f"{name} is no relation that the project knows.",
                "Read a model with ref(), a source with source().",
                node,
            )
            return Relation((), is_whole=False)
        return found

    def _series(self, node: Node) -> Relation:
        """The one table function that reads nothing: whole numbers between two constants."""
        function = node["function"]
        self._shape(node, {"function", "column_name_alias", "with_ordinality"})
        if (
            function.get("function_name") != "generate_series"
            or node["with_ordinality"] != "WITHOUT_ORDINALITY"
            or any(child["class"] != "CONSTANT" for child in function["children"])
        ):
            self._problem(
                f"The table function {function.get('function_name', '')}() is not read.",
                "Select from models and CTEs; of table functions only generate_series() of two constants is known.",
                node,
            )
            return Relation((), is_whole=False)
        for part in (function, *function["children"]):
            self._mark(part)
        return Relation((("generate_series", NOTHING),))

    def _join(self, node: Node, scope: _Scope, env: Mapping[str, Relation], influences: list[Flow]) -> None:
        self._shape(node, {"left", "right", "condition", "join_type", "ref_type", "using_columns"})
        if node["join_type"] not in JOINS or node["ref_type"] not in ("REGULAR", "CROSS"):
            name = f"{node['ref_type']} {node['join_type']}".replace("REGULAR ", "").lower()
            self._problem(
                f"A join of the kind '{name}' is not read.", "Write an inner, left, right, full or cross join.", node
            )
        self._from(node["left"], scope, env, influences)
        before = set(scope.tables)
        self._from(node["right"], scope, env, influences)
        for name in map(str.lower, node["using_columns"]):
            left = [scope.merged[name]] if name in scope.merged else self._found(name, scope, before)
            right = self._found(name, scope, set(scope.tables) - before)
            if len(left) != 1 or len(right) != 1:
                self._problem(
                    f"'using ({name})' is not one column on each side.", "Write the condition with 'on'.", node
                )
            scope.merged[name] = computed([*left, *right])
            influences.append(self._use("join", [scope.merged[name]], node))
        if node["condition"]:
            flow = self._expression(node["condition"], scope, env)
            influences.append(self._use("join", [flow], node["condition"]))

    def _found(self, name: str, scope: _Scope, aliases: Collection[str]) -> list[Flow]:
        return [
            flow
            for alias, table in scope.tables.items()
            if alias in aliases
            for column, flow in table.columns
            if column == name
        ]

    def _renamed(self, relation: Relation, names: Iterable[str]) -> Relation:
        names = [name.lower() for name in names]
        if not names:
            return relation
        if len(names) != len(relation.columns):
            if relation.is_whole:
                self._problem("A list of names does not fit the columns.", "Name every column.")
            return Relation((), relation.influence, is_whole=False)
        flows = [flow for _, flow in relation.columns]
        return Relation(tuple(zip(names, flows, strict=True)), relation.influence, relation.is_whole)

    # Expressions

    def _expression(self, node: Node, scope: _Scope, env: Mapping[str, Relation]) -> Flow:
        self._mark(node)
        self._lines.of(node)
        kind, exact = node["class"], node["type"]

        def parts(*nodes: Node | None) -> Flow:
            return computed([self._expression(part, scope, env) for part in nodes if part])

        if kind == "COLUMN_REF":
            return self._column(node, scope)
        if kind == "CONSTANT":
            return NOTHING
        if kind == "CAST":
            self._shape(node, {"child", "cast_type", "try_cast"})
            return parts(node["child"])
        if kind == "COMPARISON":
            self._shape(node, {"left", "right"})
            return parts(node["left"], node["right"])
        if kind == "BETWEEN":
            self._shape(node, {"input", "lower", "upper"})
            return parts(node["input"], node["lower"], node["upper"])
        if kind == "CONJUNCTION" or (kind == "OPERATOR" and exact in OPERATORS):
            self._shape(node, {"children"})
            return parts(*node["children"])
        if kind == "CASE":
            self._shape(node, {"case_checks", "else_expr"})
            checks = [check[part] for check in node["case_checks"] for part in ("when_expr", "then_expr")]
            return parts(*checks, node["else_expr"])
        if kind == "FUNCTION":
            return self._function(node, scope, env)
        if kind == "WINDOW":
            return self._window(node, scope, env)
        if kind == "SUBQUERY":
            self._shape(node, {"subquery_type", "subquery", "child", "comparison_type"})
            inner = self._query(node["subquery"]["node"], env, scope)
            return computed([parts(node["child"]), inner.influence, *(flow for _, flow in inner.columns)])
        what = {
            "STAR": "A * that stands for a value",
            "LAMBDA": "A lambda",
            "PARAMETER": "A parameter",
            "COLLATE": "A collation",
        }.get(kind, exact.replace("_", " ").lower())
        self._problem(f"{what} is not read.", "Write it with columns, literals and the known functions.", node)
        return NOTHING

    def _column(self, node: Node, scope: _Scope) -> Flow:
        names = [name.lower() for name in node["column_names"]]
        here: _Scope | None = scope
        if len(names) > 2:
            self._problem(
                f"{'.'.join(names)} is not read.", "Write alias.column; fields of a value are not read.", node
            )
            return NOTHING
        while here is not None:
            if len(names) == 2:
                if table := here.tables.get(names[0]):
                    found = self._found(names[1], here, {names[0]})
                    if not found and table.is_whole:
                        self._problem(f"{names[0]} has no column {names[1]}.", "Name a column it has.", node)
                    return found[0] if found else NOTHING
            else:
                if names[0] in here.merged:
                    return here.merged[names[0]]
                found = self._found(names[0], here, here.tables)
                if len(found) > 1:
                    self._problem(
                        f"{names[0]} is a column of several relations here.", f"Write alias.{names[0]}.", node
                    )
                if found:
                    return found[0]
                if not here.is_whole:
                    return NOTHING
                if names[0] in here.tables:
                    self._problem(
                        f"{names[0]} stands for a whole row of {names[0]}.", "Name the columns you need.", node
                    )
                    return NOTHING
            here = here.parent
        name = ".".join(names)
        self._problem(
            f"{name} is no column of a relation that is selected from here.",
            "Name a column of the relations in 'from'; what this select makes can be used in a CTE after it.",
            node,
        )
        return NOTHING

    def _function(self, node: Node, scope: _Scope, env: Mapping[str, Relation]) -> Flow:
        name = node["function_name"].lower()
        catalog, schema = node["catalog"].lower(), node["schema"].lower()
        full = ".".join(part for part in (catalog, schema, name) if part)
        is_declassifier = bool(catalog and schema) and full in self._declassifiers
        self._shape(
            node,
            {"function_name", "schema", "catalog", "children", "is_operator"}
            | (set() if is_declassifier else {"filter", "order_bys", "distinct"}),
        )
        line = self._lines.of(node)
        if any(child.get("alias") for child in node["children"]):
            self._problem(f"{full}() has a named argument.", "Give arguments by place.", node)
        arguments = [self._expression(child, scope, env) for child in node["children"]]
        if is_declassifier:
            self.reading.calls.append(Call(full, tuple(arguments), line))
            return computed(arguments).through(name)
        if schema not in ("", "main") or catalog or name not in SCALARS | AGGREGATES:
            self._problem(
                f"The function {full}() is not among those that may be called.",
                "Use a known one; what declassifies is called with function('name') from functions/.",
                node,
            )
        flows = [*arguments, self._orders(node["order_bys"]["orders"], scope, env)]
        if node["filter"]:
            flows.append(self._use("filter", [self._expression(node["filter"], scope, env)], node["filter"]))
        return computed(flows)

    def _window(self, node: Node, scope: _Scope, env: Mapping[str, Relation]) -> Flow:
        self._shape(
            node,
            _words(
                """
                function_name children partitions orders start end start_expr end_expr offset_expr default_expr
                ignore_nulls filter_expr exclude_clause distinct arg_orders schema catalog
                """
            ),
        )
        name = node["function_name"].lower()
        is_known = node["type"] in WINDOWS and (node["type"] != "WINDOW_AGGREGATE" or name in AGGREGATES)
        if not is_known or node["schema"] not in ("", "main") or node["catalog"]:
            self._problem(f"The window function {name}() is not read.", "Use a known one.", node)
        flows = [self._expression(child, scope, env) for child in node["children"]]
        for part in ("start_expr", "end_expr", "offset_expr", "default_expr"):
            if node[part]:
                flows.append(self._expression(node[part], scope, env))
        partitions = [self._expression(partition, scope, env) for partition in node["partitions"]]
        flows.append(self._use("window", partitions, node))
        flows.append(self._orders([*node["orders"], *node["arg_orders"]], scope, env, "window"))
        if node["filter_expr"]:
            flows.append(self._use("filter", [self._expression(node["filter_expr"], scope, env)], node["filter_expr"]))
        return computed(flows)

    # Keeping account

    def _mark(self, node: Node) -> None:
        self._read.add(id(node))

    def _use(self, kind: str, flows: Iterable[Flow], node: Node | None = None) -> Flow:
        line = self._lines.of(node) if node else self._lines.last
        flow = computed(flows)
        self.reading.uses.append(Use(kind, flow, line))
        return flow

    def _shape(self, node: Node, parts: Iterable[str]) -> bool:
        """Report the parts of ``node`` that are there and not read; whether there are any."""
        read = EVERYWHERE.union(parts)
        strange = sorted(key for key, value in node.items() if key not in read and value not in EMPTY)
        if strange:
            what = node.get("function_name") or node.get("type") or "A CTE"
            self._problem(
                f"{what.replace('_', ' ').lower()} with {', '.join(strange).replace('_', ' ')} is not read.",
                "Name columns one by one and write it in plainer SQL.",
                node,
            )
        return bool(strange)

    def _no_position(self, node: Node, clause: str) -> None:
        if node["class"] == "CONSTANT":
            self._problem(f"'{clause}' by position is not read.", "Name the column.", node)

    def _problem(self, what: str, remedy: str, node: Node | None = None) -> None:
        problem = Problem(self._lines.of(node) if node else self._lines.last, what, remedy)
        if problem not in self.reading.problems:
            self.reading.problems.append(problem)


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"autoinstall_known_extensions": False, "enable_external_access": False})


@dataclass(frozen=True)
class _Tree:
    """The syntax tree of a query: its root, every node of it, and what is wrong with it as a whole."""

    root: Node | None
    nodes: tuple[Node, ...]
    problems: tuple[Problem, ...]


@cache
def _tree(sql: str) -> _Tree:
    (text,) = _parser().execute("select json_serialize_sql(?)", [sql]).fetchall()[0]
    tree = json.loads(text)
    if tree["error"] or len(tree["statements"]) != 1:
        return _Tree(None, (), (Problem(1, "It is not one query that DuckDB can read.", "Write one select."),))
    root = tree["statements"][0]["node"]
    nodes = tuple(_nodes(root))
    lines = _Lines(sql)
    strange = [
        Problem(lines.of(node), f"The name {name!r} is not read.", "Use ASCII letters, digits and underscores.")
        for node in nodes
        for key in NAMES & node.keys()
        if not (key == "function_name" and node.get("is_operator"))
        for name in (node[key] if isinstance(node[key], list) else [node[key]])
        if isinstance(name, str) and not PLAIN_NAME.fullmatch(name)
    ]
    return _Tree(root, nodes, tuple(strange))


def _nodes(part: Any) -> Iterable[Node]:
    if isinstance(part, dict):
        yield part
        for value in part.values():
            yield from _nodes(value)
    elif isinstance(part, list):
        for value in part:
            yield from _nodes(value)


def _table_name(node: Node) -> str:
    parts = (node["catalog_name"], node["schema_name"], node["table_name"])
    return ".".join(part for part in parts if part).lower()


def _output_name(node: Node) -> str | None:
    if node["alias"]:
        return str(node["alias"]).lower()
    return str(node["column_names"][-1]).lower() if node["class"] == "COLUMN_REF" else None
