"""What consent can say, and who may be read at the door."""

from __future__ import annotations

from pathlib import Path

import duckdb

EVENTS = ("granted", "amended", "withdrawn")
PURPOSES = (
    "listening_history",
    "podcasts_audiobooks",
    "private_sessions",
    "demographics",
    "emotion_reports",
    "library",
    "ml_training",
    "sharing_controlled",
    "sharing_public",
)

LEDGER_STATE = Path(__file__).with_name("ledger_state.sql").read_text(encoding="utf-8")

# The state of a person is their last event not after as_of; of events at the same moment, the later
# line of the ledger. models/intermediate/int_consent_state.sql says the same to the warehouse.
ADMITTED = """
    with past_events as (
        select consent_events.*
        from vault.raw.consent_events
        cross join vault.raw.study
        where consent_events.occurred_at <= study.as_of
    ),
    last_events as (
        select participant_code, max_by({event: event, purposes: purposes}, (occurred_at, ledger_line)) as last
        from past_events
        group by participant_code
    )
    select
        participants.participant_code,
        last_events.last.event as event,
        coalesce(last_events.last.event <> 'withdrawn' and list_contains(last_events.last.purposes, $purpose), false) as is_granted
    from vault.raw.participants
    left join last_events using (participant_code)
"""


def held_codes(connection: duckdb.DuckDBPyConnection, purpose: str) -> dict[str, str | None]:
    """Every enrolled participant, with why ``purpose`` bars them, or ``None`` where it is granted."""
    answers: dict[str, str | None] = {}
    for code, event, is_granted in connection.execute(ADMITTED, {"purpose": purpose}).fetchall():
        if is_granted:
            answers[code] = None
        else:
            answers[code] = {None: "no_consent", "withdrawn": "withdrawn"}.get(event, "purpose_not_granted")
    return answers
