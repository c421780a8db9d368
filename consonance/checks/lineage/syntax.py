"""DuckDB's own syntax tree of a query (``json_serialize_sql``).

The parser that will run a statement also reads it for the check, so there is no second opinion of what
the SQL says.
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import duckdb

from consonance.checks.lineage.known import words
from consonance.checks.lineage.reading import Problem

Node = dict[str, Any]

# Where a syntax tree keeps names; DuckDB folds their case in ASCII alone, so nothing else is read.
NAMES = words(
    """
    alias aliases catalog catalog_name column_name_alias column_names cte_name function_name key relation_name
    schema schema_name table_name using_columns
    """
)
PLAIN_NAME = re.compile(r"[A-Za-z0-9_]*")
# The byte offset of a node that has none.
NO_PLACE = 2**64 - 1


class Lines:
    """Line numbers of a statement, by the byte offsets of its syntax tree."""

    def __init__(self, sql: str) -> None:
        self._ends = [found.start() for found in re.finditer(b"\n", sql.encode())]
        self.last = 1

    def of(self, node: Node) -> int:
        """The line of ``node``; of one without a place, the last line that was asked for."""
        place = node.get("query_location", NO_PLACE)
        if place != NO_PLACE:
            self.last = bisect_left(self._ends, place) + 1
        return self.last


@dataclass(frozen=True)
class Tree:
    """The syntax tree of a query: its root, all of its nodes, and problems of the query as a whole."""

    root: Node | None
    nodes: tuple[Node, ...]
    problems: tuple[Problem, ...]


@cache
def syntax_tree(sql: str) -> Tree:
    """The syntax tree of ``sql``; a name that is not plain ASCII is a problem."""
    (text,) = _parser().execute("select json_serialize_sql(?)", [sql]).fetchall()[0]
    tree = json.loads(text)
    if tree["error"] or len(tree["statements"]) != 1:
        return Tree(None, (), (Problem(1, "It is not one query that DuckDB can read.", "Write one select."),))
    root = tree["statements"][0]["node"]
    nodes = tuple(_nodes(root))
    lines = Lines(sql)
    strange = [
        Problem(lines.of(node), f"The name {name!r} is not supported.", "Use ASCII letters, digits and underscores.")
        for node in nodes
        for key in NAMES & node.keys()
        if not (key == "function_name" and node.get("is_operator"))
        for name in (node[key] if isinstance(node[key], list) else [node[key]])
        if isinstance(name, str) and not PLAIN_NAME.fullmatch(name)
    ]
    return Tree(root, nodes, tuple(strange))


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"autoinstall_known_extensions": False, "enable_external_access": False})


def _nodes(part: Any) -> Iterable[Node]:
    if isinstance(part, dict):
        yield part
        for value in part.values():
            yield from _nodes(value)
    elif isinstance(part, list):
        for value in part:
            yield from _nodes(value)


def digest_of(node: Node | None) -> str:
    """A digest of a part of a tree, wherever it is written; empty for none."""
    if node is None:
        return ""
    text = re.sub(r'"query_location": \d+', "", json.dumps(node, sort_keys=True))
    return hashlib.sha256(text.encode()).hexdigest()


def table_name(node: Node) -> str:
    """``database.schema.name`` as far as the statement says it, in small letters."""
    parts = (node["catalog_name"], node["schema_name"], node["table_name"])
    return ".".join(part for part in parts if part).lower()


def output_name(node: Node) -> str | None:
    """The name of an output column; ``None`` if it has none."""
    if node["alias"]:
        return str(node["alias"]).lower()
    return str(node["column_names"][-1]).lower() if node["class"] == "COLUMN_REF" else None
