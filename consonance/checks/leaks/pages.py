"""What a page of the docs site, or a report, may not say: where the study is on this machine, and when something happened.

Times of the marts are shifted, and pages count weeks and months. So a date on a page is one that the project or the
operator has written, or that on which consent was judged, a release was made or a check was run. Every other one is a true moment.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from consonance.study.dbt_command import PROJECT

# An absolute path of Unix or of Windows, as a whole word: "</td>" and "and/or" are none.
ABSOLUTE_PATH = (
    r"""(?:(?<=[\s"'=(,>])|^)/(?:home|root|tmp|var|usr|opt|mnt|srv|data|private|Users|Volumes|work)/[\w.-]+"""
    r"""|\b[A-Za-z]:\\\\?[\w.-]+\\"""
)
MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
ISO = r"\b(?:19|20)\d\d-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?"
DATE = re.compile(
    rf"{ISO}|\b\d{{1,2}}[./]\d{{1,2}}[./](?:19|20)\d\d\b|\b\d{{1,2}}\.? {MONTH} (?:19|20)\d\d\b"
    rf"|\b{MONTH} \d{{1,2}}, (?:19|20)\d\d\b"
)
# Pages repeat the texts of rules, functions and models. dbt's own page has every text of the project, and when dbt ran.
TEXTS_OF_PAGES = ("analyses", "consonance", "docs", "functions", "models")
OF_DBT = "lineage.html"
# A home such as "/root" is also the beginning of other words.
SHORTEST_PLACE = 8
MOMENTS = """
    select strftime(unnest([as_of, created_at]), '%Y-%m-%dT%H:%M:%S') from vault.raw.releases
    union
    select strftime(as_of, '%Y-%m-%dT%H:%M:%S') from vault.raw.study
"""


@dataclass(frozen=True)
class PageTexts:
    """What is known of pages: the places of this machine that may not be on one; the dates that may, and the paths that the
    project's documentation has as examples."""

    places: tuple[str, ...]
    dates: frozenset[str]
    examples: frozenset[str]

    def problems(self, name: str, text: str) -> Iterator[tuple[str, int]]:
        """What the page ``name`` says and should not, and at which character."""
        for place in self.places:
            if (at := text.find(place)) >= 0:
                yield "has an absolute path in it", at
        if found := next(
            (path for path in re.finditer(ABSOLUTE_PATH, text) if path.group() not in self.examples), None
        ):
            yield "has an absolute path in it", found.start()
        if name != OF_DBT:
            for found in DATE.finditer(text):
                if _as_written(found.group()).isdisjoint(self.dates):
                    yield "has a date in it that may be a true one", found.start()


def page_texts(connection: duckdb.DuckDBPyConnection, root: Path, declared: Iterable[str]) -> PageTexts:
    """What pages of a study may say.

    Args:
        connection: With the vault attached.
        root: Of the study.
        declared: What the operator says of the study.
    """
    files = [path for folder in TEXTS_OF_PAGES for path in (PROJECT / folder).rglob("*.*") if path.suffix != ".pyc"]
    texts = [*declared, *(path.read_text(encoding="utf-8", errors="replace") for path in files)]
    dates = {date for text in texts for date in DATE.findall(text)}
    dates |= {moment for (moment,) in connection.execute(MOMENTS).fetchall() if moment}
    shorter = {date[:end] for date in dates for end in (10, 16)}  # to the day, to the minute
    documentation = [path.read_text(encoding="utf-8") for path in (PROJECT / "docs").glob("*.md")]
    examples = frozenset(path for text in documentation for path in re.findall(ABSOLUTE_PATH, text))
    return PageTexts(tuple(_spelled([root, PROJECT, Path.home()])), frozenset(dates | shorter), examples)


def _as_written(date: str) -> set[str]:
    """A date as it may be written elsewhere: midnight is that day."""
    iso = date.replace(" ", "T") if re.match(ISO, date) else date
    return {date, iso, iso.removesuffix(":00").removesuffix("T00:00")}


def _spelled(places: Collection[Path]) -> Iterator[str]:
    for given in places:
        yield from (str(place) for place in {given.absolute(), given.resolve()} if len(str(place)) > SHORTEST_PLACE)
