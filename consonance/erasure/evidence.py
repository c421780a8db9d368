"""The two entries of the audit log that prove a withdrawal: the rows were deleted, and nothing was found afterwards."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from consonance.erasure.record import ErasureRecord
from consonance.erasure.search import Scan
from consonance.study.audit_log import Entry, Fact, anchor, read_entries, record
from consonance.study.folder import Study
from consonance.study.vault import open_study


@dataclass(frozen=True)
class Entries:
    """The entries as far as there are any yet."""

    deleted: Entry | None
    searched: Entry | None


@dataclass(frozen=True)
class Evidence:
    """Both entries."""

    deleted: Entry
    searched: Entry

    @property
    def counts(self) -> dict[str, Any]:
        """What the first entry counts: ``rows``, ``ledger_lines`` and ``others_texts``."""
        return dict(json.loads(self.deleted.facts))


def entries_of(connection: duckdb.DuckDBPyConnection, erased: ErasureRecord) -> Entries:
    """The entries of this withdrawal.

    Those of an earlier one of the same participant do not count: something may have been brought back since.
    """
    begun_at = datetime.fromisoformat(erased.begun_at)
    found = {
        entry.kind: entry
        for entry in read_entries(connection)
        if entry.moment >= begun_at and json.loads(entry.facts).get("participants") == list(erased.tokens)
    }
    return Entries(found.get("erased"), found.get("erasure_searched"))


def note_search(study: Study, erased: ErasureRecord, scan: Scan) -> Evidence:
    """Record in the audit log, once, that nothing was found.

    Raises:
        StoreError, VaultKeyError: the vault cannot be opened.
    """
    with open_study(study) as connection:
        if entries_of(connection, erased).searched is None:
            facts: dict[str, Fact] = {
                "participants": list(erased.tokens),
                "columns": scan.columns,
                "rows": scan.rows,
                "found": 0,
            }
            record(connection, study, "erasure_searched", facts)
        anchor(connection, study)
        entries = entries_of(connection, erased)
        connection.execute("checkpoint vault")
    assert entries.deleted and entries.searched
    return Evidence(entries.deleted, entries.searched)
