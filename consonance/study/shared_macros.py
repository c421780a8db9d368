"""SQL beside dbt that shares macros with the models: rendered by Jinja, as dbt renders it for DuckDB."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, StrictUndefined

from consonance.study.dbt_command import PROJECT


def with_macros(statement: str, files: Sequence[str], **values: Any) -> str:
    """``statement`` as rendered by Jinja.

    Args:
        statement: It may call the macros of ``files`` and name ``values``.
        files: Of the folder ``macros``. Their macros call nothing of dbt's but ``return`` and ``adapter.dispatch``.
        values: By name.

    Raises:
        jinja2.UndefinedError: it names something else.
    """
    macros = "".join((PROJECT / "macros" / name).read_text(encoding="utf-8") for name in files)
    return _knowing(macros).from_string(statement).render(**values).strip()


@cache
def _knowing(macros: str) -> Environment:
    """Jinja that knows ``macros``: compiled once, they serve every statement."""
    environment = Environment(undefined=StrictUndefined, autoescape=False, extensions=["jinja2.ext.do"])
    # dbt's `return` hands a list to the caller. Here the macro's text is that of the list.
    environment.globals["return"] = lambda value: value
    environment.globals["adapter"] = _DuckDB(environment.globals)
    environment.globals |= vars(environment.from_string(macros).module)
    return environment


class _DuckDB:
    """What dbt calls the adapter: it finds DuckDB's spelling of what engines spell differently."""

    def __init__(self, macros: Mapping[str, Any]) -> None:
        self._macros = macros

    def dispatch(self, name: str, _package: str) -> Callable[..., str]:
        found: Callable[..., str] = self._macros[f"duckdb__{name}"]
        return found


@cache
def listed_by(file: str, macro: str) -> tuple[str, ...]:
    """The words that ``macro`` of a file of the folder ``macros`` returns as a list."""
    return tuple(literal_eval(with_macros(f"{{{{ {macro}() }}}}", [file])))
