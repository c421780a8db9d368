"""The rules that SQL beside dbt shares with the models: the macros of ``consent.sql``, ``names.sql`` and ``addresses.sql``."""

from __future__ import annotations

from ast import literal_eval
from functools import cache

from jinja2 import Environment, StrictUndefined

from consonance.study.dbt_command import PROJECT
from consonance.study.schema import titles

MACROS = tuple(PROJECT / "macros" / name for name in ("consent.sql", "names.sql", "addresses.sql"))


def with_rules(statement: str) -> str:
    """``statement`` as rendered by Jinja: it may call the shared macros, and go through ``played_texts``.

    Raises:
        jinja2.UndefinedError: it names something else.
    """
    macros = "".join(path.read_text(encoding="utf-8") for path in MACROS)
    environment = Environment(undefined=StrictUndefined, autoescape=False)
    # dbt's `return` hands a list to the caller. Here the macro's text is that of the list.
    template = environment.from_string(macros + statement, {"return": lambda value: value})
    return template.render(played_texts=titles()).strip()


@cache
def listed_by(macro: str) -> tuple[str, ...]:
    """The words that the shared macro ``macro`` returns as a list."""
    return tuple(literal_eval(with_rules(f"{{{{ {macro}() }}}}")))
