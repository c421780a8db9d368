"""Port, the data donation task of Eyra and D3I on Next: one file for each participant and key, who is in its name.

Names: eyra/mono, ``core/systems/storage/filename.ex`` (commit 4d73a8f) and ``core/systems/feldspar/data_donation_controller.ex``
(444baf9). Contents: d3i-infra/data-donation-task, ``consent_form_viz.tsx`` (00251cd), in which each cell went through
JavaScript's ``String()``, and eyra/feldspar, ``consent_table.tsx`` (007848b).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from consonance.study.files import printable
from loaders.archive import Member
from loaders.donation_tools.documents import Share, as_member, read_document, written
from loaders.refusals import MemberBroken

# Empty parts are left out by newer versions. Some stores add the time in milliseconds.
NAME = re.compile(
    r"assignment=[^=]*_(?:task=[^=]*_)?participant=(?P<participant>.*?)(?:_source=.*|_key=.*|_\d{13})?\.json", re.DOTALL
)
ENCRYPTED = "encrypted_aes_key"


def is_port(name: str) -> bool:
    """Whether a file of this name is of Port."""
    return NAME.fullmatch(name) is not None


def share_of(path: Path) -> Share:
    """What the participant in the name of the file ``path`` donated in it. It is read when it is asked for."""
    found = NAME.fullmatch(path.name)
    return Share(printable(found["participant"]) if found else "", lambda: _members(path), path.stat().st_size)


def _members(path: Path) -> list[Member]:
    document = read_document(path)
    if isinstance(document, dict) and ENCRYPTED in document:
        raise MemberBroken(
            "encrypted",
            f"{printable(path.name)} is encrypted.",
            "Decrypt it with the program of the data donation task, and put the result here under the same name.",
        )
    return [
        as_member(name, position, written(rows), are_texts=True)
        for position, (name, rows) in enumerate(_tables(document))
    ]


def _tables(document: Any) -> Iterator[tuple[str, list[Any]]]:
    """(name, rows) of each table: in an array of table objects, in one object, or the whole file as one table."""
    objects = document if isinstance(document, list) else [document]
    if not objects or not isinstance(objects[0], dict) or not any(map(_rows, objects[0].values())):
        if isinstance(document, list):
            yield "rows", document
        return
    for table in objects:
        for name, value in table.items() if isinstance(table, dict) else ():
            if rows := _rows(value):
                yield name, rows[0]


def _rows(value: Any) -> tuple[list[Any]] | None:
    """The rows of a table: a list, or the object around it of newer versions; ``None`` if it is neither."""
    if isinstance(value, dict):
        value = value.get("data")
    return (value,) if isinstance(value, list) else None
