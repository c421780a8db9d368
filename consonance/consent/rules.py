"""The rules that SQL beside dbt shares with the models: the macros of ``macros/consent.sql`` and ``macros/names.sql``."""

from __future__ import annotations

from ast import literal_eval
from functools import cache

from jinja2 import Environment, StrictUndefined

from consonance.study.dbt_command import PROJECT

MACROS = tuple(PROJECT / "macros" / name for name in ("consent.sql", "names.sql"))
# The texts of a landed play that title it, by table: each with the URI beside it, and the kinds of URI that make it
# Spotify's own text. An account history has no URI.
PLAYED_TEXTS = {
    "extended_plays": {
        "track_name": ("track_uri", "track"),
        "artist_name": ("track_uri", "track"),
        "album_name": ("track_uri", "track"),
        "episode_name": ("episode_uri", "episode"),
        "show_name": ("episode_uri", "episode"),
        "chapter_title": ("coalesce(chapter_uri, audiobook_uri)", "chapter|audiobook"),
        "audiobook_title": ("coalesce(chapter_uri, audiobook_uri)", "chapter|audiobook"),
    },
    "account_plays": dict.fromkeys(("title", "creator", "author"), ("cast(null as varchar)", "")),
}


def with_rules(statement: str) -> str:
    """``statement`` as rendered by Jinja: it may call the shared macros, and go through ``played_texts``.

    Raises:
        jinja2.UndefinedError: it names something else.
    """
    macros = "".join(path.read_text(encoding="utf-8") for path in MACROS)
    environment = Environment(undefined=StrictUndefined, autoescape=False)
    # dbt's `return` hands a list to the caller. Here the macro's text is that of the list.
    template = environment.from_string(macros + statement, {"return": lambda value: value})
    return template.render(played_texts=PLAYED_TEXTS).strip()


@cache
def listed_by(macro: str) -> tuple[str, ...]:
    """The words that the shared macro ``macro`` returns as a list."""
    return tuple(literal_eval(with_rules(f"{{{{ {macro}() }}}}")))
