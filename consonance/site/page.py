"""What the docs site consists of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    """A page of the site.

    Attributes:
        path: Within the site, without suffix, such as ``codebook/marts.plays``.
        title: Its heading, as text.
        html: What follows the heading. Headings with an id are in its table of contents.
        group: Under which heading of the navigation it stands; empty for one at the top.
        is_wide: Whether it needs the room of its table of contents.
    """

    path: str
    title: str
    html: str
    group: str = ""
    is_wide: bool = False


@dataclass(frozen=True)
class Link:
    """An entry of the navigation that leads to a page without the frame."""

    path: str
    title: str
    group: str = ""
