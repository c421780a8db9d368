"""The frame of the docs site: MkDocs with the theme Material gives navigation, search, dark mode, phone and keyboard.

The pages of a study are HTML, which no Markdown touches: what a title has in it stays as it is. The documentation of the
project is Markdown. Nothing is fetched, and no page asks for anything outside of the site.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

import mkdocs.structure.pages
from markupsafe import Markup
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.config.base import LegacyConfig
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import BasePlugin
from mkdocs.structure.files import File, Files
from mkdocs.structure.toc import get_toc

from consonance.site.page import Link, Page
from consonance.study.dbt_command import PROJECT

HERE = Path(__file__).parent
CONFIG, ASSETS, DOCS = HERE / "mkdocs.yml", HERE / "assets", PROJECT / "docs"
HOME, DOCUMENTATION = "Overview", "Documentation"
HEADING = re.compile(r'<h([23]) id="([^"]+)"[^>]*>(.*?)</h\1>', re.DOTALL)
# What is outside of the site is named, not linked.
LINK_OUTSIDE = re.compile(r"\[([^\]]*)\]\(\.\./[^)]*\)")
# Of the theme: they have the address of a server in them, or the moment of the build.
NOT_WRITTEN = ("404.html", "sitemap.xml", "sitemap.xml.gz", "search/search_index.json")
# What only developers of the theme and other languages need.
NOT_NEEDED = re.compile(r".*\.map|assets/javascripts/lunr/.*")


def documentation() -> list[Page]:
    """The documentation of the project, in Markdown."""
    pages = []
    for path in sorted(DOCS.glob("*.md")):
        text = LINK_OUTSIDE.sub(r"\1", path.read_text(encoding="utf-8"))
        heading = text.partition("\n")[0]
        pages.append(Page(f"docs/{path.stem}", heading.removeprefix("# "), text, DOCUMENTATION))
    return pages


def write_framed(pages: Sequence[Page], links: Sequence[Link], title: str, folder: Path) -> None:
    """Write ``pages`` and the documentation of the project, framed, into ``folder``, which is emptied first.

    Args:
        pages: Of the study; the navigation has them in this order, groups together.
        links: Further entries of the navigation, each after the pages of its group.
        title: Of the site.
        folder: The site.
    """
    texts = documentation()
    # A relative path would be one beside the settings of MkDocs.
    folder = folder.resolve()
    config = load_config(
        str(CONFIG),
        # The theme writes it into texts and attributes; what is marked as escaped it does not escape again.
        site_name=Markup.escape(title),
        site_dir=str(folder),
        nav=_navigation([*pages, *texts, *links]),
        site_url="",
    )
    config.plugins["consonance"] = OurPages(pages, texts)
    build(config)
    for name in NOT_WRITTEN:
        (folder / name).unlink(missing_ok=True)


class OurPages(BasePlugin[LegacyConfig]):  # type: ignore[no-untyped-call]
    """Gives MkDocs our pages instead of a folder of Markdown."""

    def __init__(self, pages: Sequence[Page], texts: Sequence[Page]) -> None:
        super().__init__()
        self._pages = {f"{page.path}.md": page for page in pages}
        self._texts = {f"{text.path}.md": text for text in texts}

    def on_files(self, files: Files, *, config: MkDocsConfig) -> Files:
        """The pages, the texts and what belongs to their look, beside the files of the theme."""
        ours = [
            *(File.generated(config, name, content=f"# {page.title}\n") for name, page in self._pages.items()),
            *(File.generated(config, name, content=text.html) for name, text in self._texts.items()),
            *(
                File.generated(config, f"assets/{path.name}", abs_src_path=str(path))
                for path in sorted(ASSETS.iterdir())
            ),
        ]
        of_theme = [
            file for file in files if file.src_dir != config.docs_dir and not NOT_NEEDED.fullmatch(file.src_uri)
        ]
        return Files([*of_theme, *ours])

    def on_page_content(
        self, html: str, *, page: mkdocs.structure.pages.Page, config: MkDocsConfig, files: Files
    ) -> str:
        """Our HTML in the place of what Markdown would make."""
        ours = self._pages.get(page.file.src_uri)
        if ours is None:
            return html
        page.toc = get_toc(_headings(ours.html))
        if ours.is_wide:
            page.meta["hide"] = ["toc"]
        return f"<h1>{escape(ours.title)}</h1>\n{ours.html}"


def _navigation(entries: Sequence[Page | Link]) -> list[dict[str, Any]]:
    order = list(dict.fromkeys(entry.group or entry.path for entry in entries))
    entries = sorted(entries, key=lambda entry: order.index(entry.group or entry.path))
    navigation: list[dict[str, Any]] = []
    for group, members in groupby(entries, key=lambda entry: entry.group):
        lines = [
            {escape(HOME if entry.path == "index" else entry.title, quote=False): _target(entry)} for entry in members
        ]
        navigation += [{group: lines}] if group else lines
    return navigation


def _target(entry: Page | Link) -> str:
    return entry.path if isinstance(entry, Link) else f"{entry.path}.md"


def _headings(html: str) -> list[Any]:
    """The headings of a page as Python-Markdown would list them."""
    found: list[Any] = []
    for level, id_, text in HEADING.findall(html):
        heading = {"level": int(level), "id": id_, "name": re.sub(r"<[^>]+>", "", text).strip(), "children": []}
        if level == "3" and found:
            found[-1]["children"].append(heading)
        else:
            found.append(heading)
    return found
