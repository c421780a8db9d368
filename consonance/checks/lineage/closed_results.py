"""What a function can give, if its SQL shows that this is a closed list.

It is, if every branch gives a literal, a comparison (true or false), or a column that the condition of the branch
compares with a list of literals by ``in``. Nothing is computed: that the right value is given is a matter of tests.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from consonance.checks.lineage.syntax import Node, syntax_tree

COMPARES = frozenset({"COMPARISON", "CONJUNCTION", "BETWEEN"})
OPERATORS = frozenset(
    {"OPERATOR_NOT", "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "COMPARE_IN", "COMPARE_NOT_IN"}
)  # fmt: skip


def closed_result(body: str) -> frozenset[Any] | None:
    """The values beside null that the expression ``body`` can give; None if they are no closed list."""
    root = syntax_tree(f"select\n{body}\nas value").root
    if root is None or len(root.get("select_list", ())) != 1:
        return None
    found = _values(root["select_list"][0], ())
    return None if found is None else frozenset(found)


def _values(node: Node, conditions: Iterable[Node]) -> set[Any] | None:
    """The values that ``node`` can give where ``conditions`` are true."""
    kind = node["class"]
    if kind == "CONSTANT":
        return set() if node["value"]["is_null"] else {node["value"]["value"]}
    if kind == "CAST" and node["cast_type"]["id"] == "BOOLEAN" and not node["try_cast"]:
        return {True, False}
    if kind in COMPARES or (kind == "OPERATOR" and node["type"] in OPERATORS):
        return {True, False}
    if kind == "COLUMN_REF":
        lists = [_list_of(condition, node["column_names"]) for condition in conditions]
        return next((found for found in lists if found is not None), None)
    if kind != "CASE":
        return None
    branches = [_values(check["then_expr"], _parts(check["when_expr"])) for check in node["case_checks"]]
    if node["else_expr"]:
        branches.append(_values(node["else_expr"], ()))
    together: set[Any] = set()
    for branch in branches:
        if branch is None:
            return None
        together |= branch
    return together


def _parts(condition: Node) -> list[Node]:
    """The conditions that are true if ``condition`` is."""
    if condition["type"] == "CONJUNCTION_AND":
        return [part for child in condition["children"] for part in _parts(child)]
    return [condition]


def _list_of(condition: Node, column: list[str]) -> set[Any] | None:
    """The literals that a condition compares ``column`` with by ``in``; None if it is no such condition."""
    if condition["type"] != "COMPARE_IN":
        return None
    compared, *values = condition["children"]
    if compared.get("column_names") != column or any(value["class"] != "CONSTANT" for value in values):
        return None
    return {value["value"]["value"] for value in values if not value["value"]["is_null"]}
