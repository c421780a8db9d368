"""OSD2F, the Open Source Data Donation Framework of the University of Amsterdam: its download of completed submissions.

Source: uvacw/osd2f, ``osd2f/database/submissions.py`` (commit 152b523), ``osd2f/server.py`` (002aaaf) and
``osd2f/security/entry_encryption/secure_entry_singleton.py`` (943713d). Each row of a donated file is an object of its own.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from loaders.archive import Member
from loaders.donation_tools.documents import Share, as_member, broken_member, share_of, written
from loaders.refusals import MemberBroken

START = re.compile(rb'\s*\[\s*\{[^{}]*"submission_id"\s*:')
ENCRYPTED = ["encrypted"]


def shares_in(document: Any) -> list[Share]:
    """What each participant donated: a list of rows for each file of the export."""
    files: dict[str, dict[str, list[Any]]] = {}
    # Objects are only put together here; no value is looked at. DuckDB would refuse the file of all for a row of one.
    for row in document if isinstance(document, list) else ():
        entry = row.get("entry") if isinstance(row, dict) else row
        files.setdefault(_text(row, "submission_id"), {}).setdefault(_text(row, "filename"), []).append(entry)
    return [
        share_of(tool_id, [_member(name, place, rows) for place, (name, rows) in enumerate(theirs.items())])
        for tool_id, theirs in files.items()
    ]


def without(document: Any, tool_ids: Collection[str]) -> Any:
    """The document without the rows of ``tool_ids``; ``None`` if there are no others in it."""
    return [row for row in document if _text(row, "submission_id") not in tool_ids] or None


def _member(name: str, position: int, rows: list[Any]) -> Member:
    if isinstance(rows[0], dict) and list(rows[0]) == ENCRYPTED:
        return broken_member(
            name,
            position,
            MemberBroken(
                "encrypted",
                "The rows are encrypted.",
                "Download them from an OSD2F that decrypts them, or use its program osd2f-decrypt-submissions.",
            ),
        )
    return as_member(name, position, written(rows))


def _text(row: Any, key: str) -> str:
    value = row.get(key) if isinstance(row, dict) else None
    return value if isinstance(value, str) else ""
