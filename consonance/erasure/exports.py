"""Exports that may hold somebody who withdrew: only the operator knows where the copies are."""

from __future__ import annotations

import json
from collections.abc import Collection

from consonance.export.consent import KIND
from consonance.export.vault import WHAT as VAULT
from consonance.study.audit_log import read_entries
from consonance.study.folder import Study
from consonance.study.vault import open_study


def exports_to_delete(study: Study, releases: Collection[int]) -> list[str]:
    """One sentence for each export of the audit log that may hold the participant.

    Args:
        study: Whose audit log.
        releases: The releases that held the participant. An export of another release does not.
    """
    with open_study(study, read_only=True) as connection:
        exports = [entry for entry in read_entries(connection) if entry.kind == KIND]
    found = []
    for entry in exports:
        facts = json.loads(entry.facts)
        if facts["release"] is None or facts["release"] in releases:
            rebuilt = (
                " So does what a cluster made of it: build the marts there again." if facts["what"] == VAULT else ""
            )
            found.append(
                f"An export of {facts['what']} was made on {entry.moment:%Y-%m-%d} (entry {entry.number} of the audit log). "
                "It may hold the participant: delete every copy of it, or make it again." + rebuilt
            )
    return found
