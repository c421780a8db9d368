"""What the leak scan reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Leak:
    """A secret, a name, a file or a dangerous setting in a place where none belongs; never the value itself."""

    place: str
    what: str
    remedy: str = ""
