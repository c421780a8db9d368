"""The certificate of a release, for the ethics board: consent, checks, risk, tables and files."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

from consonance.checks.check import CheckResult
from consonance.consent.state import LEDGER_STATE, PURPOSES
from consonance.release.contents import CERTIFICATE as FILES
from consonance.release.contents import DATABASE
from consonance.release.description import Table, as_json
from consonance.release.generalisation import Generalisation
from consonance.release.making import purpose_of
from consonance.release.parameters import parameters, small_group
from consonance.release.proofs import what_checks_prove
from consonance.release.release_checks import Candidate
from consonance.site.pages import render
from consonance.study.feature_permissions import noted_permissions
from consonance.study.files import sha256_of
from consonance.study.records import records
from consonance.study.settings import Settings
from consonance.study.vault import open_study

CERTIFICATE, PAGE = FILES
# What a certificate repeats of the details of a check: never a place, and nothing that a check adds later.
CERTIFIED = ("rules", "relations", "columns", "parameters", "thresholds")
SOFTWARE = ("consonance", "duckdb", "dbt-core", "dbt-duckdb", "great-expectations")
LINKAGE = (
    "No participant, play, session or report has the same id in two releases or in the warehouse, and no "
    "participant's times are shifted by the same number of weeks. So ids and dates do not link two releases. But the "
    "tracks, weekdays, hours and answers are the same: someone who has two releases can match people by the "
    "sequence of their tracks and the time between them, or by their answers."
)
AGGREGATES = (
    "This release has aggregates only: no row of a person, no id, no time but weekday and hour. (Months "
    "would mean nothing: each person's times are shifted by a secret number of weeks.) Every cell has no person or "
    "more than {small_group} persons, and so does every difference of published cells. Cells for which "
    "this is not so are left out: a table may be short or empty for this reason. So this certificate does not count "
    "who is left out, or who grants what."
)


def write_certificate(
    candidate: Candidate,
    tables: Sequence[Table],
    members: int,
    results: Sequence[CheckResult],
    as_of: datetime,
    created: datetime,
    demographics: Generalisation | None,
) -> str:
    """Write ``certificate.json`` and ``certificate.html`` into the folder of the release, in place of earlier ones.

    Returns:
        The SHA-256 of ``certificate.json``, which lists that of every other file but the page.
    """
    folder = candidate.folder
    sources = _feature_sources(candidate)
    certificate = {
        "release": candidate.number,
        "tier": candidate.tier,
        "study": Settings.read(candidate.before).title,
        "as_of": as_of.isoformat() + "Z",
        "created": created.isoformat(timespec="seconds") + "Z",
        "consent": _consent(candidate, members),
        "statements": _statements(candidate, demographics),
        "demographics": demographics.as_json() if demographics else None,
        "checks": [_certified(result) for result in results],
        "risk": _risk(folder / DATABASE),
        "tables": as_json(tables),
        "features_passed_on": [source["source_id"] for source in sources if source["may_redistribute"]],
        "feature_sources": sources,
        "expired_permissions": _expired_permissions(candidate),
        "parameters": parameters(),
        "software": {"python": platform.python_version()} | {name: version(name) for name in SOFTWARE},
        "files": {
            path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name not in FILES
        },
    }
    text = json.dumps(certificate, ensure_ascii=False, indent=2)
    (folder / CERTIFICATE).write_text(text + "\n", encoding="utf-8")
    # The page says what the JSON file says, and nothing else: the check "contents" makes it again.
    (folder / PAGE).write_text(render(PAGE, **json.loads(text)), encoding="utf-8")
    return sha256_of(folder / CERTIFICATE)


def _certified(result: CheckResult) -> dict[str, Any]:
    """What the certificate says of a check: its result, and what it proves and does not."""
    proof = what_checks_prove().get(result.name)
    return {
        "name": result.name,
        "passed": result.passed,
        "summary": result.summary,
        "proves": proof.proves if proof else None,
        "does_not_prove": proof.does_not_prove if proof else None,
        **{name: value for name, value in result.details.items() if name in CERTIFIED},
    }


def _statements(candidate: Candidate, demographics: Generalisation | None) -> list[str]:
    if demographics:
        return [LINKAGE, demographics.summary]
    return [AGGREGATES.format(small_group=small_group())]


def _feature_sources(candidate: Candidate) -> list[dict[str, Any]]:
    """What the values of each source of features may be used for, and what permits it."""
    with duckdb.connect(str(candidate.made.warehouse_path), read_only=True) as connection:
        return records(
            connection.execute(
                """
            select source_id, licence, may_train_models, training_permitted_by, training_reference, training_expires_on,
                may_redistribute, redistribution_permitted_by, redistribution_reference, redistribution_expires_on
            from features.feat_source_permissions
            order by source_id
            """
            )
        )


def _expired_permissions(candidate: Candidate) -> list[dict[str, Any]]:
    """The permissions of the study that did not count for this release."""
    with open_study(candidate.before, read_only=True) as connection:
        return [permission.as_json() for permission in noted_permissions(connection) if permission.is_expired]


def _risk(database: Path) -> list[dict[str, Any]] | None:
    """The figures of ``audit.privacy_risk``, if they were measured."""
    with duckdb.connect(str(database), read_only=True) as connection:
        if not connection.execute(
            "select 1 from duckdb_tables() where schema_name = 'audit' and table_name = 'privacy_risk'"
        ).fetchall():
            return None
        return records(connection.execute("select * from audit.privacy_risk order by all"))


def _consent(candidate: Candidate, members: int) -> dict[str, Any]:
    """How many are in the release; in a controlled one also how many are left out, and why, and who grants what.

    Whoever could subtract such counts from the cells of the public tier would find small groups.
    """
    purpose = purpose_of(candidate.tier)
    if candidate.tier == "public":
        return {"purpose": purpose, "persons": members, "left_out": None, "purposes_of_those_in": None}
    with open_study(candidate.before, read_only=True) as connection:
        ((enrolled, inactive, disagreeing),) = connection.execute(
            f"""
            with ledger_state as ({LEDGER_STATE})
            select
                count(*),
                count(*) filter (where len(ledger_state.purposes) = 0),
                count(*) filter (where len(ledger_state.purposes) > 0 and not list_contains(ledger_state.purposes, $purpose))
            from vault.raw.participants
            inner join ledger_state on ledger_state.participant_code = participants.participant_code
            """,
            {"purpose": purpose},
        ).fetchall()
        granted = dict(
            connection.execute(
                f"""
                with ledger_state as ({LEDGER_STATE}),
                granted as (
                    select unnest(ledger_state.purposes) as purpose
                    from ledger_state
                    inner join vault.raw.release_keyring on release_keyring.participant_no = ledger_state.participant_no
                    where release_keyring.release_no = $number
                )
                select purpose, count(*) from granted group by purpose
                """,
                {"number": candidate.number},
            ).fetchall()
        )
    return {
        "purpose": purpose,
        "persons": members,
        "left_out": {
            "no active consent": inactive,
            f"{purpose} not granted": disagreeing,
            "granted, but nothing to release": enrolled - inactive - disagreeing - members,
        },
        "purposes_of_those_in": {name: granted.get(name, 0) for name in PURPOSES},
    }
