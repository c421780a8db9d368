"""Where the code draws at random or writes keys of participants: in what a person has reviewed, and nowhere else.

A secret that is computed, or drawn from a stream that begins anew, looks like one that is random. So the code that draws
secrets is reviewed by digest (``reviewed_code``), and here it is seen that no other code draws any.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

from consonance.checks.lineage.report import Findings
from consonance.checks.lineage.reviews import REVIEWED, Reviews
from consonance.study.dbt_command import PROJECT

FOLDERS = ("consonance", "loaders")
MODULES = frozenset({"secrets", "random", "uuid"})
# Of other modules: whatever draws, or imports a module by a name that is computed.
NAMES = frozenset({"urandom", "getrandom", "RAND_bytes", "SystemRandom", "default_rng", "RandomState", "uuid4", "token_hex", "token_bytes", "__import__"})  # fmt: skip
# What SQL draws, and what writes the tables of keys.
IN_SQL = re.compile(
    r"\b(?:random|uuid|uuidv4|uuidv7|gen_random_uuid|setseed)\s*\("
    r"|\b(?:insert\s+(?:or\s+\w+\s+)?into|update|merge\s+into|replace\s+table|copy)\s+\S*\braw\.(?:keyring|secrets|release_keyring)\b",
    re.IGNORECASE,
)
# Most files have none of these words, and are not parsed.
SUSPECT = re.compile(
    r"secrets|random|uuid|setseed|RAND_bytes|default_rng|__import__|import_module|keyring", re.IGNORECASE
)


def check_randomness(reviews: Reviews, findings: Findings, root: Path = PROJECT) -> None:
    """Compare the places that draw at random or write keys with what is reviewed: ``code`` and ``chance``."""
    reviewed: dict[str, set[str]] = {}
    for name in reviews.code:
        module, _, function = name.partition(":")
        reviewed.setdefault(f"{module.replace('.', '/')}.py", set()).add(function)
    there = set()
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in (".py", ".sql"):
                continue
            file = path.relative_to(root).as_posix()
            lines = _lines_that_draw(
                path.read_text(encoding="utf-8"), path.suffix == ".sql", frozenset(reviewed.get(file, ()))
            )
            if not lines:
                continue
            there.add(file)
            if file not in reviews.chance:
                findings.of_file(
                    "review",
                    file,
                    file,
                    f"Line {lines[0]} draws at random, or writes keys of participants, and was not reviewed.",
                    "Secrets are drawn by consonance/study/keyring.py and consonance/study/tokens.py, which are reviewed: call "
                    f"these. If what is drawn is no secret, add {file} and why to 'chance' in {REVIEWED.name}.",
                )
    for file in sorted(reviews.chance.keys() - there):
        findings.of_file("review", file, REVIEWED.name, f"{file} draws nothing at random.", "Remove it from 'chance'.")


@cache
def _lines_that_draw(text: str, is_sql: bool, reviewed: frozenset[str]) -> list[int]:
    """The lines that draw at random or write keys, outside of the functions ``reviewed``; an empty name is the whole file."""
    if "" in reviewed or not SUSPECT.search(text):
        return []
    if is_sql:
        return [text.count("\n", 0, match.start()) + 1 for match in IN_SQL.finditer(text)]
    tree = ast.parse(text)
    known = [
        range(node.lineno, (node.end_lineno or node.lineno) + 1)
        for node in tree.body
        if getattr(node, "name", None) in reviewed
    ]
    imported = dict(_imported(tree))
    used = list(_used(tree, imported.keys()))
    # An import whose name is used nowhere is used in a way that is not seen.
    unseen = [line for name, line in imported.items() if name not in {name for name, _ in used}]
    lines = sorted({*unseen, *(line for _, line in used)})
    return [line for line in lines if not any(line in lines_of_one for lines_of_one in known)]


def _imported(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """What a module calls that which it imports of ``MODULES``, with the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                if one.name.partition(".")[0] in MODULES:
                    yield one.asname or one.name.partition(".")[0], node.lineno
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in MODULES and not node.level:
            for one in node.names:
                yield one.asname or one.name, node.lineno


def _used(tree: ast.Module, imported: Collection[str]) -> Iterator[tuple[str, int]]:
    """Each name that draws at random, and each text that is SQL which does, or writes keys."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and (node.id in imported or node.id in NAMES):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and node.attr in NAMES:
            yield node.attr, node.lineno
        elif isinstance(node, ast.ImportFrom):
            yield from ((one.name, node.lineno) for one in node.names if one.name in NAMES and one.name not in imported)
        elif (isinstance(node, ast.Constant) and isinstance(node.value, str) and IN_SQL.search(node.value)) or (
            isinstance(node, ast.Call) and _imports_by_computed_name(node)
        ):
            yield "", node.lineno


def _imports_by_computed_name(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name != "import_module":
        return False
    argument = call.args[0] if call.args else None
    own = isinstance(argument, ast.Constant) and str(argument.value).startswith(("consonance.", "loaders."))
    return not own
