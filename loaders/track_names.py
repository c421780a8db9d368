"""The keys of track names, and the matching by them, for SQL beside dbt: the macros of the models, as dbt has them."""

from __future__ import annotations

from collections.abc import Callable

from jinja2 import Environment, StrictUndefined

from consonance.study.dbt_command import PROJECT

MACROS = tuple(PROJECT / "macros" / name for name in ("track_names.sql", "track_matching.sql"))


class _DuckDB:
    """What dbt calls the adapter: it finds the spelling of DuckDB for what engines spell differently."""

    def __init__(self) -> None:
        self.macros: object = None

    def dispatch(self, name: str, _package: str) -> Callable[..., str]:
        found: Callable[..., str] = getattr(self.macros, f"duckdb__{name}")
        return found


def with_track_names(statement: str) -> str:
    """``statement`` as rendered by Jinja: it may call the macros of track names and of matching."""
    text = "".join(path.read_text(encoding="utf-8") for path in MACROS)
    adapter = _DuckDB()
    environment = Environment(undefined=StrictUndefined, autoescape=False)
    environment.globals["adapter"] = adapter
    adapter.macros = environment.from_string(text).module
    return environment.from_string(text + statement).render().strip()
