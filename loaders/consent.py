"""The consent ledger and the notices it refers to, and who may be read at the door."""

from __future__ import annotations

import re
from datetime import date

import duckdb

from loaders.tables import TableReader
from stores.study import Study

LEDGER_COLUMNS = ("participant_code", "event", "purposes", "form_version", "occurred_at", "history_from", "history_to")
NOTICE_COLUMNS = ("form_version", "language", "title", "file", "sha256")
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

# The state of a person is their last event not after as_of; of events at the same moment, the later
# line of the ledger. models/reconciled/consent_state.sql says the same to the warehouse.
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


def load_ledger(connection: duckdb.DuckDBPyConnection, study: Study) -> int:
    """Replace ``raw.consent_events`` by what ``consents.csv`` says.

    Returns:
        The number of events.

    Raises:
        BadTable: a line cannot be used; nothing is changed then.
    """
    reader = TableReader(study.consents_path)
    rows: list[tuple[object, ...]] = []
    for line, row in reader.rows(LEDGER_COLUMNS):
        if not row["participant_code"]:
            reader.fault(line, "has no participant_code")
        if row["event"] not in EVENTS:
            reader.fault(line, f"has another event than {', '.join(EVENTS)}")
        purposes = [purpose for purpose in re.split(r"[;,|\s]+", row["purposes"]) if purpose]
        if unknown := [purpose for purpose in purposes if purpose not in PURPOSES]:
            reader.fault(line, f"has {len(unknown)} unknown purposes (known are {', '.join(PURPOSES)})")
        if not row["form_version"]:
            reader.fault(line, "names no form_version")
        first, last = _day(reader, line, "history_from", row), _day(reader, line, "history_to", row)
        if first and last and first > last:
            reader.fault(line, "has a history_from after its history_to")
        moment = reader.moment(line, "occurred_at", row["occurred_at"])
        rows.append((line, row["participant_code"], row["event"], purposes, row["form_version"], moment, first, last))
    reader.close()
    _replace(connection, "consent_events", rows)
    return len(rows)


def load_notices(connection: duckdb.DuckDBPyConnection, study: Study) -> int:
    """Replace ``raw.notices`` by what ``notices.csv`` says; returns their number.

    Raises:
        BadTable: a line cannot be used; nothing is changed then.
    """
    reader = TableReader(study.notices_path)
    rows: list[tuple[object, ...]] = []
    for line, row in reader.rows(NOTICE_COLUMNS):
        if not row["form_version"]:
            reader.fault(line, "names no form_version")
        if row["form_version"] in {known for known, *_ in rows}:
            reader.fault(line, "repeats a form_version")
        rows.append(tuple(row[column] or None for column in NOTICE_COLUMNS))
    reader.close()
    _replace(connection, "notices", rows)
    return len(rows)


def held_codes(connection: duckdb.DuckDBPyConnection, purpose: str) -> dict[str, str | None]:
    """Every enrolled participant, with why ``purpose`` bars them, or ``None`` where it is granted."""
    answers: dict[str, str | None] = {}
    for code, event, is_granted in connection.execute(ADMITTED, {"purpose": purpose}).fetchall():
        if is_granted:
            answers[code] = None
        else:
            answers[code] = {None: "no_consent", "withdrawn": "withdrawn"}.get(event, "purpose_not_granted")
    return answers


def _day(reader: TableReader, line: int, column: str, row: dict[str, str]) -> date | None:
    if not row[column]:
        return None
    try:
        return date.fromisoformat(row[column])
    except ValueError:
        reader.fault(line, f"has no date in {column} (such as 2020-01-31)")
        return None


def _replace(connection: duckdb.DuckDBPyConnection, table: str, rows: list[tuple[object, ...]]) -> None:
    connection.begin()
    connection.execute(f"delete from vault.raw.{table}")
    if rows:
        connection.executemany(f"insert into vault.raw.{table} values ({', '.join('?' * len(rows[0]))})", rows)
    connection.commit()
