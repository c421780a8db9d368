"""What consent can say, and whose donations and answers a load may read."""

from __future__ import annotations

from pathlib import Path

import duckdb

from consonance.consent.rules import with_rules
from consonance.study.shared_macros import listed_by

EVENTS = listed_by("consent.sql", "consent_events")
PURPOSES = listed_by("consent.sql", "consent_purposes")

# A query: what each participant of the keyring grants.
LEDGER_STATE = with_rules(Path(__file__).with_name("ledger_state.sql").read_text(encoding="utf-8"))

ADMITTED = with_rules("""
    select
        participants.participant_code,
        counting_events.event,
        coalesce(counting_events.is_active and list_contains(counting_events.purposes, $purpose), false) as is_granted
    from vault.raw.participants
    left join ({{ counting_consent_events() }}) as counting_events using (participant_code)
""")


def held_codes(connection: duckdb.DuckDBPyConnection, purpose: str) -> dict[str, str | None]:
    """Every enrolled participant, with the exclusion reason if they do not grant ``purpose``, else ``None``."""
    answers: dict[str, str | None] = {}
    for code, event, is_granted in connection.execute(ADMITTED, {"purpose": purpose}).fetchall():
        if is_granted:
            answers[code] = None
        else:
            answers[code] = {None: "no_consent", "withdrawn": "withdrawn"}.get(event, "purpose_not_granted")
    return answers
