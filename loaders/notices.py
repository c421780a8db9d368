"""The notices that participants read before they decided: ``notices.csv`` binds each to its text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import duckdb

from loaders.tables import TableReader
from stores.files import sha256_of
from stores.study import Study

COLUMNS = ("form_version", "language", "title", "file", "sha256")
SHA256 = re.compile(r"[0-9a-f]{64}")
NEW_VERSION = (
    "A notice never changes once consent was given to it: put the old line and file back, "
    "and register another text as another form_version."
)


def load_notices(connection: duckdb.DuckDBPyConnection, study: Study) -> frozenset[str]:
    """Replace ``raw.notices`` by what ``notices.csv`` says.

    A notice is registered by the SHA-256 of its text. If its file lies in the study folder, the file
    must have that hash; one that consent events name keeps its line and its hash for good.

    Returns:
        The registered form versions.

    Raises:
        BadTable: a line cannot be used, a file is not the one that was registered, or a notice
            that consent was given to is gone or another; nothing is changed then.
    """
    bound = dict(
        connection.execute(
            """
            select notices.form_version, lower(notices.sha256)
            from vault.raw.notices
            where notices.form_version in (select form_version from vault.raw.consent_events)
            """
        ).fetchall()
    )
    notices = read_notices(study, bound)
    connection.begin()
    connection.execute("delete from vault.raw.notices")
    if notices:
        connection.executemany(
            "insert into vault.raw.notices values (?, ?, ?, ?, ?)",
            [[notice[column] or None for column in COLUMNS] for notice in notices],
        )
    connection.commit()
    return frozenset(notice["form_version"] for notice in notices)


def read_notices(study: Study, bound: Mapping[str, str] | None = None) -> list[dict[str, str]]:
    """What ``notices.csv`` says: a mapping of ``COLUMNS`` for each notice.

    Args:
        study: Whose notices.
        bound: The hash that a form version must have, of those that consent was given to.

    Raises:
        BadTable: see ``load_notices``.
    """
    bound = bound or {}
    reader = TableReader(study.notices_path)
    notices: dict[str, dict[str, str]] = {}
    for line, row in reader.rows(COLUMNS):
        version, sha256 = row["form_version"], row["sha256"].lower()
        if not version:
            reader.fault(line, "names no form_version")
        if version in notices:
            reader.fault(line, "repeats a form_version")
        found = _hash_of(study.root, row["file"])
        if not SHA256.fullmatch(sha256):
            reader.fault(line, "has no SHA-256 of 64 hex digits in sha256", _how_to_register(found))
        elif found not in (None, sha256):
            reader.fault(line, "names a file of another SHA-256: its text was altered", NEW_VERSION)
        if bound.get(version) not in (None, sha256):
            reader.fault(line, "changes the SHA-256 of a notice that consent was given to", NEW_VERSION)
        notices[version] = row | {"sha256": sha256}
    if lost := bound.keys() - notices.keys():
        reader.faults.append(f"{len(lost)} notices that consent was given to are missing")
        reader.remedies.append(NEW_VERSION)
    reader.close()
    return list(notices.values())


def _hash_of(root: Path, file: str) -> str | None:
    """The SHA-256 of a file of the study folder; ``None`` if there is none of that name in it."""
    path = (root / file).resolve()
    if not file or not path.is_relative_to(root.resolve()) or not path.is_file():
        return None
    return sha256_of(path)


def _how_to_register(found: str | None) -> str:
    if found:
        return f"The SHA-256 of its file is {found}."
    return "'sha256sum FILE' tells the SHA-256 of a file."
