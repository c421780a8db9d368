"""SQL beside dbt that shares macros with the models: rendered by Jinja, as dbt renders it for DuckDB."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from typing import Any

from jinja2 import Environment, StrictUndefined

from consonance.study.dbt_command import PROJECT


class _DuckDB:
    """What dbt calls the adapter: it finds DuckDB's spelling of what engines spell differently."""

    def __init__(self, environment: Environment, macros: str) -> None:
        self._environment, self._text = environment, macros

    @cached_property
    def _macros(self) -> object:
        return self._environment.from_string(self._text).module

    def dispatch(self, name: str, _package: str) -> Callable[..., str]:
        found: Callable[..., str] = getattr(self._macros, f"duckdb__{name}")
        return found


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
    environment = Environment(undefined=StrictUndefined, autoescape=False, extensions=["jinja2.ext.do"])
    # dbt's `return` hands a list to the caller. Here the macro's text is that of the list.
    environment.globals["return"] = lambda value: value
    environment.globals["adapter"] = _DuckDB(environment, macros)
    return environment.from_string(macros + statement).render(**values).strip()


@cache
def listed_by(file: str, macro: str) -> tuple[str, ...]:
    """The words that ``macro`` of a file of the folder ``macros`` returns as a list."""
    return tuple(literal_eval(with_macros(f"{{{{ {macro}() }}}}", [file])))
