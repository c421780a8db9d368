"""The variables of dbt in the SQL of models and macros: the check compiles with the values of ``dbt_project.yml``.

What a run with other values would make, the check has not read. So a run refuses ``--vars`` (macros/stores.sql), and
here it is seen that every variable has its value in ``dbt_project.yml``, and that no branch of the Jinja hangs on one:
there would be SQL that nobody has checked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache

from jinja2 import nodes

from consonance.checks.lineage.jinja import jinja_tree

PROJECT_FILE = "dbt_project.yml"


@cache
def problems_of(source: str, declared: frozenset[str]) -> list[tuple[str, str]]:
    """What is wrong with the variables of a template, and the remedy.

    Raises:
        jinja2.TemplateSyntaxError: it is no template.
    """
    if "var" not in source:
        return []
    tree = jinja_tree(source)
    calls = [call for call in tree.find_all(nodes.Call) if _is_var(call.node)]
    problems = []
    if any(_name(call) is None for call in calls) or sum(map(_is_var, tree.find_all(nodes.Name))) != len(calls):
        problems.append(
            ("uses var() otherwise than with one name and nothing else.", f"Give the value in {PROJECT_FILE}.")
        )
    names = {name for name in map(_name, calls) if name}
    problems += [
        (f"uses the variable {name}, which {PROJECT_FILE} does not have.", "Give it a value there, with its reason.")
        for name in sorted(names - declared)
    ]
    if any(_depends(test, _of_variables(tree)) for test in _tests(tree)):
        problems.append(
            (
                "has SQL that hangs on the value of a variable.",
                "Write the SQL that is meant: the check reads no other branch than that of today's value.",
            )
        )
    return problems


def _is_var(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == "var"


def _name(call: nodes.Call) -> str | None:
    """The name of the variable; None if the call is not of one literal."""
    if len(call.args) != 1 or call.kwargs or not isinstance(call.args[0], nodes.Const):
        return None
    return str(call.args[0].value)


def _tests(tree: nodes.Template) -> Iterable[nodes.Node]:
    yield from (node.test for node in tree.find_all(nodes.If))
    yield from (node.test for node in tree.find_all(nodes.CondExpr))
    yield from (node.test for node in tree.find_all(nodes.For) if node.test)


def _of_variables(tree: nodes.Template) -> set[str]:
    """The names that ``set`` gives to what is made of variables."""
    names = {"var"}
    while True:
        found = {
            assignment.target.name
            for assignment in tree.find_all(nodes.Assign)
            if isinstance(assignment.target, nodes.Name) and _depends(assignment.node, names)
        }
        if found <= names:
            return names
        names |= found


def _depends(part: nodes.Node, names: Collection[str]) -> bool:
    found = [part] if isinstance(part, nodes.Name) else []
    return any(name.name in names for name in [*found, *part.find_all(nodes.Name)])
