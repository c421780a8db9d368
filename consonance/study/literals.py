"""Texts as SQL literals, where a statement takes no parameters: paths, comments, settings, templates."""

from __future__ import annotations


def literal(text: object) -> str:
    """``text`` (of a path: as it is written) as a literal of SQL, in apostrophes."""
    return "'" + str(text).replace("'", "''") + "'"
