"""The pages that people read in a browser or print: every one is a template of ``consonance/site/templates``.

A page extends ``base.html`` (blocks ``title``, ``style``, ``body``), or ``printed.html``, which is for
keeping on paper (blocks ``title``, ``own_style``, ``body``).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape

TEMPLATES = Path(__file__).with_name("templates")
ENVIRONMENT = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=select_autoescape())
HEADING = re.compile(r"<h1>.*?</h1>", re.DOTALL)


def render_body(template: str, /, **facts: Any) -> str:
    """What ``template`` has in its block ``body``, for another frame, without its heading."""
    page = ENVIRONMENT.get_template(template)
    body = "".join(page.blocks["body"](page.new_context(facts)))
    return HEADING.sub("", body, count=1)


def render(template: str, /, **facts: Any) -> str:
    """The page that ``template``, such as ``certificate.html``, makes of ``facts``; their texts are escaped."""
    return ENVIRONMENT.get_template(template).render(facts)
