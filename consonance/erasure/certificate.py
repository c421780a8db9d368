"""The certificate of a withdrawal: what was erased, how that was judged, and what nobody can call back.

It names nobody: the participant is a keyed token, which the study can tell from their code for as long
as it keeps its vault.
"""

from __future__ import annotations

import json
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from consonance.erasure.record import Operation, file_hashes
from consonance.erasure.releases import Unpublished, read_handovers
from consonance.erasure.study_files import naming
from consonance.erasure.unique_values import Scan
from consonance.site.pages import render
from consonance.study.audit_log import Entry
from consonance.study.files import replace_file
from consonance.study.folder import Settings, Study

SOFTWARE = ("consonance", "duckdb", "dbt-core", "dbt-duckdb")
METHOD = (
    "Rows were deleted in one transaction. The vault was then copied table by table into a fresh file, compared "
    "with what it was copied from, and put into its place; the warehouse, too, is a fresh file, built anew from it. "
    "Deleting alone would leave the values readable in the files. "
    "Before the deletion every text, moment and id was noted that occurred in the participant's rows and in "
    "nobody else's; afterwards every column of vault and warehouse that could hold one was searched for them, and "
    "every release that stays for the participant's names."
)
REMAINS = (
    "What remains: the lines of the consent ledger, under a token instead of the code, for the study must be able to "
    "prove that there was consent; a tombstone, so that a backup or a second donation does not bring the "
    "participant back; counts and tokens in the audit log. Blocks of the disk that were freed, and copies "
    "outside the study folder, are beyond this program."
)


@dataclass(frozen=True)
class Evidence:
    """Entries of the audit log: the rows were deleted, and nothing was found."""

    erased: Entry
    searched: Entry


def write_certificate(
    study: Study,
    operation: Operation,
    left: dict[str, dict[str, int]],
    releases: Unpublished,
    scan: Scan,
    to_do: list[str],
    evidence: Evidence,
) -> tuple[Path, Path]:
    """Write the certificate into ``withdrawals/``, as JSON and as a page to print.

    Args:
        study: Erased and searched.
        operation: What was known before.
        left: Their rows by store and table, now.
        releases: What became of them.
        scan: How the search ended.
        to_do: What is left for the operator.
        evidence: Where the audit log tells of it.

    Returns:
        The JSON file and the page, readable by their owner alone.
    """
    deleted = json.loads(evidence.erased.facts)
    handovers = read_handovers(study)
    after = file_hashes(study)
    content: dict[str, Any] = {
        "schema": "consonance certificate of withdrawal 1",
        "study": Settings.read(study).title,
        "participants": list(operation.tokens),
        "is_replay": operation.is_replay,
        "requested_at": operation.requested_at and f"{operation.requested_at}Z",
        "begun_at": f"{operation.begun_at}Z",
        "deleted_at": _moment(evidence.erased.moment),
        "ended_at": _moment(datetime.now(UTC).replace(tzinfo=None)),
        "method": METHOD,
        "remains": REMAINS,
        "rows": [
            {"store": store, "table": table, "before": rows, "after": left[store].get(table, 0)}
            for store, tables in operation.rows.items()
            for table, rows in tables.items()
        ],
        "papers": asdict(operation.papers),
        "ledger_lines_renamed": deleted["ledger_lines"],
        "texts_of_others_renamed": deleted["others_texts"],
        "files": [
            {"file": name, "before": operation.files.get(name), "after": after.get(name)}
            for name in sorted(operation.files.keys() | after.keys())
        ],
        "search": scan.as_json(),
        "releases": [
            asdict(release) | {"recipients": [asdict(one) for one in handovers if one.release == release.number]}
            for release in operation.releases
        ],
        "current_release": {"number": releases.current, "why": releases.why},
        "left_to_the_operator": [_without_names(line, operation) for line in to_do],
        "audit_log": {"entry": evidence.searched.number, "hash": evidence.searched.entry_hash},
        "software": {"python": platform.python_version()} | {name: version(name) for name in SOFTWARE},
    }
    study.withdrawals.mkdir(mode=0o700, exist_ok=True)
    name = f"{operation.begun_at.replace(':', '')}-{operation.tokens[0][:12]}"
    record, page = study.withdrawals / f"{name}.json", study.withdrawals / f"{name}.html"
    replace_file(page, render("withdrawal.html", **content).encode())
    replace_file(record, (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode())
    return record, page


def _without_names(text: str, operation: Operation) -> str:
    pattern = naming([*operation.people.participant_code, *operation.usernames])
    return pattern.sub("…", text) if pattern else text


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds") + "Z"
