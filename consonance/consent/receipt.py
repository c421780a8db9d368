"""The receipt of a consent: what a participant agreed to, for their own keeping.

The fields follow the consent receipt of Kantara and ISO/IEC TS 27560:2023: notice, date, purposes, data,
data controller, legal basis, jurisdiction, retention, recipients, and how to withdraw. A receipt
names nobody: it holds the participant's code and what ``study.yml`` says about the study.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

from consonance.consent.purposes import DESCRIPTIONS
from consonance.consent.state import PURPOSES
from consonance.consent.status import NotLoaded, consent_of, judged_as_of
from consonance.site.pages import render
from consonance.study.codes import checked_code
from consonance.study.files import replace_file
from consonance.study.folder import Study
from consonance.study.settings import Settings
from consonance.study.tokens import Tokens

DEFAULT_WITHDRAWAL = "Send your participant code to the people who run the study. You need not give a reason."


def write_receipt(connection: duckdb.DuckDBPyConnection, study: Study, code: str) -> tuple[Path, Path]:
    """Write the receipt of ``code`` into ``receipts/``, as a page to print and as JSON.

    Args:
        connection: With the vault attached.
        study: Where to write.
        code: Whose receipt.

    Returns:
        The page and the JSON file, readable by their owner alone.

    Raises:
        BadCode: ``code`` is not a participant code.
        NotLoaded: there is no consent event of this code, or it has not happened yet.
    """
    facts = receipt(connection, study, checked_code(code))
    study.receipts.mkdir(mode=0o700, exist_ok=True)
    page, record = study.receipts_of(code)
    replace_file(record, (json.dumps(facts, ensure_ascii=False, indent=2) + "\n").encode())
    replace_file(page, render("receipt.html", **facts).encode())
    return page, record


def receipt(connection: duckdb.DuckDBPyConnection, study: Study, code: str) -> dict[str, Any]:
    """What the receipt of ``code`` says.

    Raises:
        NotLoaded: there is no consent event of this code, or it has not happened yet.
    """
    state = consent_of(connection, code)
    if state.event is None:
        raise NotLoaded(
            "This code has no consent event up to the study's as_of, so there is nothing to show on a receipt.",
            "Enter the participant's decision into consents.csv, then run 'consonance load'.",
        )
    settings = Settings.read(study)
    events = connection.execute(
        """
        select
            consent_events.event, consent_events.purposes, consent_events.occurred_at,
            consent_events.history_from, consent_events.history_to,
            {version: consent_events.form_version, language: notices.language, title: notices.title, file: notices.file, sha256: notices.sha256} as notice
        from vault.raw.consent_events
        cross join vault.raw.study
        left join vault.raw.notices on notices.form_version = consent_events.form_version
        where consent_events.participant_code = $code and (consent_events.occurred_at <= study.as_of or consent_events.event = 'withdrawn')
        order by consent_events.occurred_at, consent_events.ledger_line
        """,
        {"code": code},
    ).fetchall()
    decided = [
        {
            "event": event,
            "occurred_at": _moment(moment),
            "purposes": [purpose for purpose in PURPOSES if purpose in purposes and event != "withdrawn"],
            "history_from": first and first.isoformat(),
            "history_to": last and last.isoformat(),
            "notice": notice,
        }
        for event, purposes, moment, first, last, notice in events
    ]
    return {
        "schema": "consent receipt, after ISO/IEC TS 27560:2023",
        "record_id": Tokens.of(connection).token("consent record", code)[:32],
        "participant_code": code,
        "issued_at": _moment(datetime.now(UTC).replace(tzinfo=None)),
        "as_of": _moment(judged_as_of(connection)),
        "study": settings.title,
        "controller": settings.controller or None,
        "contact": settings.contact or None,
        "lawful_basis": settings.lawful_basis or None,
        "jurisdiction": settings.jurisdiction or None,
        "retention": settings.retention or None,
        "recipients": settings.recipients or None,
        "withdrawal": settings.withdrawal or DEFAULT_WITHDRAWAL,
        "state": state.state,
        "purposes": [
            {
                "purpose": purpose,
                "meaning": DESCRIPTIONS[purpose].meaning,
                "data": DESCRIPTIONS[purpose].data,
                "is_granted": purpose in state.purposes,
            }
            for purpose in PURPOSES
        ],
        "history_from": decided[-1]["history_from"],
        "history_to": decided[-1]["history_to"],
        "notice": decided[-1]["notice"],
        "events": decided,
        "software": f"consonance {version('consonance')}",
    }


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds") + "Z"
