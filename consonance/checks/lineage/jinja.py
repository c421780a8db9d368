"""What a template of dbt uses."""

from __future__ import annotations

from functools import cache

from jinja2 import meta, nodes

# The project's own macros are those of this package.
PACKAGE = "consonance"


def jinja_tree(source: str) -> nodes.Template:
    """The syntax tree of a template, a new one at every call: Jinja alters a tree that it looks at.

    Raises:
        jinja2.TemplateSyntaxError: it is no template.
    """
    from dbt_common.clients.jinja import get_environment  # a fifth of the time that every command takes to start

    return get_environment().parse(source)


@cache
def jinja_names(source: str) -> frozenset[str]:
    """The names that a template uses and does not define.

    ``adapter.dispatch`` stands for a dispatch among the project's own macros; any other use of the
    adapter is ``adapter``.

    Raises:
        jinja2.TemplateSyntaxError: it is no template.
    """
    tree = jinja_tree(source)
    names = set(meta.find_undeclared_variables(tree))
    if "adapter" in names:
        dispatches = sum(map(_is_own_dispatch, tree.find_all(nodes.Call)))
        uses = sum(node.name == "adapter" for node in tree.find_all(nodes.Name))
        names = (names - {"adapter"}) | {"adapter.dispatch" if uses == dispatches else "adapter"}
    return frozenset(names)


def _is_own_dispatch(call: nodes.Call) -> bool:
    target, arguments = call.node, call.args
    return (
        isinstance(target, nodes.Getattr)
        and isinstance(target.node, nodes.Name)
        and (target.node.name, target.attr) == ("adapter", "dispatch")
        and len(arguments) == 2
        and all(isinstance(argument, nodes.Const) for argument in arguments)
        and arguments[1].as_const() == PACKAGE
    )
