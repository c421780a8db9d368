"""Whether the texts of a release say what the list says: certificate, codebook and data package, and the pages of them.

A page is made of its JSON file, or of the descriptions in the database, and of nothing else.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from consonance.release.certified import Certificate, DataPackage, not_certified
from consonance.release.contents import CERTIFICATE, CODEBOOK, DATABASE, PACKAGE
from consonance.release.description import described_tables
from consonance.site.pages import render

# Where to look for what is wrong with a text.
WRITERS = {
    **dict.fromkeys(CERTIFICATE, "consonance/release/certificate.py"),
    **dict.fromkeys((*CODEBOOK, PACKAGE), "consonance/release/description.py"),
}
COLUMNS_OF_CODEBOOK = ("schema", "table", "rows", "column", "type", "nulls", "description")


def problems_of_texts(folder: Path, tier: str) -> Iterator[tuple[str, str]]:
    """What is wrong with the texts of the release in ``folder``: the file, and what it is."""
    certificate = _read(folder / CERTIFICATE[0])
    for file, kind in ((CERTIFICATE[0], Certificate), (PACKAGE, DataPackage)):
        yield from ((file, what) for what in not_certified(kind, _read(folder / file), tier))
    tables = described_tables(folder / DATABASE)
    facts = {name: certificate.get(name) for name in ("study", "release", "tier")}
    pages = {
        CERTIFICATE[1]: render(CERTIFICATE[1], **certificate),
        CODEBOOK[1]: render(CODEBOOK[1], **facts, tables=tables),
    }
    for file, page in pages.items():
        if _text(folder / file) != page:
            yield file, "says something else than what it is made of"
    rows = [
        [table.schema, table.name, str(table.rows), column.name, column.type, str(column.nulls), column.description]
        for table in tables
        for column in table.columns
    ]
    if list(csv.reader(_text(folder / CODEBOOK[0]).splitlines(keepends=True))) != [list(COLUMNS_OF_CODEBOOK), *rows]:
        yield CODEBOOK[0], "says something else than the database"


def _text(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))
