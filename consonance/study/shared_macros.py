"""SQL beside dbt that shares macros with the models: rendered by Jinja, as dbt renders it for DuckDB."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from consonance.study.dbt_command import PROJECT

JINJA = Environment(undefined=StrictUndefined, autoescape=False, extensions=["jinja2.ext.do"])
# dbt's `return` hands a list to the caller. Here the macro's text is that of the list.
JINJA.globals["return"] = lambda value: value


def with_macros(statement: str, files: Sequence[str], **values: Any) -> str:
    """``statement`` as rendered by Jinja.

    Args:
        statement: It may call the macros of ``files`` and name ``values``.
        files: Of the folder ``macros``. Their macros may name ``values`` too, and call nothing of dbt's but ``return`` and
            ``adapter.dispatch``.
        values: By name.

    Raises:
        jinja2.UndefinedError: it names something else.
    """
    macros = _compiled("".join((PROJECT / "macros" / name).read_text(encoding="utf-8") for name in files))
    adapter = _DuckDB()
    known = {**values, "adapter": adapter}
    adapter.macros = vars(macros.make_module(known))
    return JINJA.from_string(statement).render({**known, **adapter.macros}).strip()


@cache
def _compiled(macros: str) -> Template:
    """Macros serve many statements: they are compiled once."""
    return JINJA.from_string(macros)


class _DuckDB:
    """What dbt calls the adapter: it finds DuckDB's spelling of what engines spell differently."""

    def __init__(self) -> None:
        self.macros: Mapping[str, Any] = {}

    def dispatch(self, name: str, _package: str) -> Callable[..., str]:
        found: Callable[..., str] = self.macros[f"duckdb__{name}"]
        return found


@cache
def listed_by(file: str, macro: str) -> tuple[str, ...]:
    """The words that ``macro`` of a file of the folder ``macros`` returns as a list."""
    return tuple(literal_eval(with_macros(f"{{{{ {macro}() }}}}", [file])))
