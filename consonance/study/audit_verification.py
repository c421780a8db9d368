"""Verifying the audit log, and exporting it so that others can verify it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from consonance.study.audit_log import (
    BROKEN_ANCHOR,
    GENESIS,
    Anchor,
    Entry,
    anchor_faults,
    read_anchor,
    read_entries,
)
from consonance.study.errors import ConsonanceError
from consonance.study.files import replace_file
from consonance.study.folder import Study


class BadExport(ConsonanceError):
    """A file is not an export of an audit log."""


@dataclass(frozen=True)
class AuditReport:
    """The number of entries, the hash of the last one, and what is wrong with the log."""

    entries: int
    head: str
    faults: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.faults

    def as_json(self) -> dict[str, Any]:
        return {"passed": self.passed, "entries": self.entries, "head": self.head, "faults": self.faults}


def verify(connection: duckdb.DuckDBPyConnection, study: Study, export: Path | None = None) -> AuditReport:
    """Find entries that were changed, removed, moved or cut off.

    Args:
        connection: With the vault attached.
        study: Whose vault it is.
        export: An earlier export of the log, which it must continue.

    Raises:
        BadExport: ``export`` is not an export of an audit log.
    """
    entries = read_entries(connection)
    faults = chain_faults(entries)
    signed, broken = read_anchor(connection, study)
    if signed:
        faults += anchor_faults(entries, signed, "audit.head")
    elif broken:
        faults.append({"unsigned": "audit.head is not signed by this vault"}.get(broken, "audit.head is missing"))
    if not entries and connection.execute("select count(*) from vault.raw.study").fetchall() != [(0,)]:
        faults.append("the study was loaded, but the log has no entry")
    if export:
        faults += anchor_faults(entries, _read_export(export), "the export")
    return AuditReport(len(entries), entries[-1].entry_hash if entries else GENESIS, faults)


def chain_faults(entries: Sequence[Entry]) -> list[str]:
    """What is wrong with the chain of ``entries`` in order of number."""
    faults = []
    expected, previous = 1, GENESIS
    for entry in entries:
        if entry.number > expected:
            faults.append(f"entry {expected} is missing")
        elif entry.number < expected:
            faults.append(f"entry {entry.number} occurs more than once")
        elif entry.previous_hash != previous:
            faults.append(f"entry {entry.number} does not follow the one before it")
        if entry.entry_hash != entry.computed_hash():
            faults.append(f"entry {entry.number} was changed")
        if entry.kind == BROKEN_ANCHOR:
            faults.append(
                f"entry {entry.number} records that, before it, the log was cut off or replaced, or audit.head was not valid"
            )
        expected, previous = entry.number + 1, entry.entry_hash
    return faults


def export_log(connection: duckdb.DuckDBPyConnection, study: Study, path: Path) -> AuditReport:
    """Write the log as JSON. Whoever keeps the export, such as the ethics board, can find out later whether the log
    was rewritten.

    Returns:
        The report on the log; the export has it too.
    """
    report = verify(connection, study)
    content = {
        "schema": "consonance audit log 1",
        "how_to_check": (
            "entry_hash is the SHA-256, in hex, of previous_hash followed by the JSON array "
            "[number, moment, kind, facts, software_version] without spaces, in ASCII; facts is a text in it."
        ),
        **report.as_json(),
        "log": [entry.as_json() for entry in read_entries(connection)],
    }
    replace_file(path, (json.dumps(content, indent=1) + "\n").encode())
    return report


def _read_export(path: Path) -> Anchor:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Anchor(int(content["entries"]), str(content["head"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise BadExport(
            f"{path} is not an export of an audit log.", "'consonance audit export FILE' writes one."
        ) from None
