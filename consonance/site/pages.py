"""The pages that people read in a browser or print: every one is a template of ``consonance/site/templates``.

A page extends ``base.html`` (blocks ``title``, ``style``, ``body``), or ``printed.html``, which is for
keeping on paper (blocks ``title``, ``own_style``, ``body``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape

TEMPLATES = Path(__file__).with_name("templates")


def render(template: str, /, **facts: Any) -> str:
    """The page that ``template``, such as ``certificate.html``, makes of ``facts``; their texts are escaped."""
    pages = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=select_autoescape())
    return pages.get_template(template).render(facts)
