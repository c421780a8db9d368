"""The rule of names for SQL that runs beside dbt: the macros of ``macros/names.sql``, as dbt has them."""

from __future__ import annotations

from jinja2 import Environment, StrictUndefined

from consonance.study.dbt_command import PROJECT

RULE = PROJECT / "macros" / "names.sql"
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


def with_rule_of_names(statement: str) -> str:
    """``statement`` as rendered by Jinja, which may call the macros of the rule and go through ``played_texts``."""
    rule = RULE.read_text(encoding="utf-8")
    template = Environment(undefined=StrictUndefined, autoescape=False).from_string(rule + statement)
    return template.render(played_texts=PLAYED_TEXTS).strip()
