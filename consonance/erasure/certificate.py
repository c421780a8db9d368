"""The certificate of an erasure: what was erased, how that was checked, and what nobody can call back.

It names nobody: a keyed token stands for the participant. The study can compute it from the code for as long as it
keeps its vault.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Collection
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from consonance.erasure.evidence import Evidence
from consonance.erasure.record import ErasureRecord
from consonance.erasure.releases import Unpublished, read_handovers
from consonance.erasure.search import Scan
from consonance.erasure.study_files import file_hashes, naming, naming_in_paths, others_enrolled
from consonance.site.pages import render
from consonance.study.errors import ConsonanceError
from consonance.study.files import replace_file
from consonance.study.folder import Study
from consonance.study.forms import BadForm, refuse_other_certificate
from consonance.study.settings import Settings
from loaders.donation_tools.files import tool_ids

SOFTWARE = ("consonance", "duckdb", "dbt-core", "dbt-duckdb")
METHOD = (
    "First the program recorded the values unique to the participant: every text, moment and id that is in the "
    "participant's rows and in nobody else's. Then it deleted the rows in one transaction. Deleting alone would leave "
    "the values readable in the files. So it copied the vault table by table into a fresh file, compared the copy with "
    "the original, and replaced the original; the warehouse and the analysts' copy of it are fresh files too, built again from "
    "the vault. At the end it searched every column of vault, warehouse and copy that could contain one of the unique values. It searched "
    "every remaining release for the participant's names."
)
REMAINS = (
    "What remains: the lines of the consent ledger, with a token in place of the code, because the study must be able "
    "to prove that there was consent; a tombstone (a keyed token), so that no backup and no second donation brings the "
    "participant back; counts and tokens in the audit log. The program cannot erase freed blocks of the disk, "
    "copies outside the study folder, or ids of tracks that were sent to a music service (docs/fetching.md)."
)


class CertificateRefused(ConsonanceError):
    """The certificate would say something that it may not say; the withdrawal is not finished."""


def write_certificate(
    study: Study,
    record: ErasureRecord,
    left: dict[str, dict[str, int]],
    releases: Unpublished,
    scan: Scan,
    to_do: list[str],
    evidence: Evidence,
) -> tuple[Path, Path]:
    """Write the certificate into ``withdrawals/``, as JSON and as a page to print.

    Args:
        study: Erased and searched.
        record: What was known before.
        left: The participant's rows by store and table, now.
        releases: Which were unpublished.
        scan: How the search ended.
        to_do: What is left for the operator.
        evidence: The entries of the audit log.

    Returns:
        The JSON file and the page, readable by their owner alone.

    Raises:
        CertificateRefused: it has a part that is not of its form, or names the participant.
    """
    handovers = read_handovers(study)
    after = file_hashes(study)
    others = others_enrolled(study, record.people.participant_code) | tool_ids(study)
    content: dict[str, Any] = {
        "schema": "consonance certificate of erasure 2",
        "study": Settings.read(study).title,
        "participants": list(record.tokens),
        "is_replay": record.is_replay,
        "requested_at": record.requested_at and f"{record.requested_at}Z",
        "begun_at": f"{record.begun_at}Z",
        "deleted_at": _moment(evidence.deleted.moment),
        "ended_at": _moment(datetime.now(UTC).replace(tzinfo=None)),
        "method": METHOD,
        "remains": REMAINS,
        "rows": [
            {"store": store, "table": table, "before": rows, "after": left[store].get(table, 0)}
            for store, tables in record.rows.items()
            for table, rows in tables.items()
        ],
        "study_files": asdict(record.study_files)
        | {"lines": {_without_names(file, record): lines for file, lines in record.study_files.lines.items()}},
        "ledger_lines_renamed": evidence.counts["ledger_lines"],
        "texts_of_others_replaced": evidence.counts["others_texts"],
        "files": [
            {"file": _without_names(name, record), "before": record.files.get(name), "after": after.get(name)}
            for name in sorted(record.files.keys() | after.keys())
        ],
        "search": scan.as_json(),
        "unpublished_releases": [
            asdict(release) | {"recipients": [asdict(one) for one in handovers if one.release == release.number]}
            for release in record.releases
        ],
        "current_release": {"number": releases.current, "why": _without_names(releases.why, record)},
        "left_to_the_operator": [_without_names(line, record, others) for line in to_do],
        "audit_log": {"entry": evidence.searched.number, "hash": evidence.searched.entry_hash},
        "software": {"python": platform.python_version()} | {name: version(name) for name in SOFTWARE},
    }
    try:
        refuse_other_certificate(content, naming(record.names))
    except BadForm as error:
        raise CertificateRefused(
            f"The certificate of the erasure was not written: it has something else than it may say ({error}).",
            "Everything was erased. Correct consonance/erasure/certificate.py, or consonance/study/forms.py, which says what it may "
            "say; then run 'consonance withdraw' without a code.",
        ) from None
    study.withdrawals.mkdir(mode=0o700, exist_ok=True)
    name = f"{record.begun_at.replace(':', '')}-{record.tokens[0][:12]}"
    certificate, page = study.withdrawals / f"{name}.json", study.withdrawals / f"{name}.html"
    replace_file(page, render("withdrawal.html", **content).encode())
    replace_file(certificate, (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode())
    return certificate, page


def _without_names(text: str, record: ErasureRecord, others: Collection[str] = ()) -> str:
    """``text`` as the certificate may have it: the operator may have given a file the name of the participant.

    What is left to the operator may also be in the folder of another participant, or be called as ``others`` are.
    """
    pattern = naming_in_paths([*record.names, *record.tool_ids, *others])
    return pattern.sub("…", text) if pattern else text


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds") + "Z"
