"""The keys of track names, and the matching by them: the macros of ``track_names.sql`` and those that use them."""

from __future__ import annotations

from functools import cache

from consonance.study.shared_macros import with_macros


@cache
def with_track_names(statement: str) -> str:
    """``statement`` as rendered by Jinja: it may call these macros."""
    return with_macros(statement, ("arrays.sql", "track_names.sql", "track_matching.sql", "likely_recordings.sql"))
