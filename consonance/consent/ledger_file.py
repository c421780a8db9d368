"""``consents.csv``, the file of the consent ledger: reading what the operator wrote, and adding lines to it."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from consonance.consent.state import EVENTS, PURPOSES
from consonance.study.folder import Study
from consonance.study.tables import TableReader, append_rows, with_rows

COLUMNS = ("participant_code", "event", "purposes", "form_version", "occurred_at", "history_from", "history_to")
REGISTER = "Register the notice with 'consonance consent notice FILE --version VERSION --language LANGUAGE'."


@dataclass(frozen=True)
class ConsentEvent:
    """One decision of a participant.

    Attributes:
        participant_code: Who.
        event: One of ``EVENTS``.
        purposes: What is granted from then on, of ``PURPOSES``.
        form_version: The notice they read.
        occurred_at: When, in UTC, without an offset, to the millisecond.
        history_from: First consented day of their history; ``None`` means no bound.
        history_to: Last consented day.
    """

    participant_code: str
    event: str
    purposes: tuple[str, ...]
    form_version: str
    occurred_at: datetime
    history_from: date | None
    history_to: date | None

    def meaning(self) -> str:
        """What the line says, however it is written: equal for equal events, as canonical JSON."""
        return json.dumps(
            [
                self.participant_code,
                self.event,
                sorted(set(self.purposes)),
                self.form_version,
                self.occurred_at.isoformat(timespec="milliseconds"),
                self.history_from and self.history_from.isoformat(),
                self.history_to and self.history_to.isoformat(),
            ],
            separators=(",", ":"),
        )


def read_ledger(study: Study, registered: Collection[str]) -> list[tuple[int, ConsentEvent]]:
    """What ``consents.csv`` says: (line of the file, event), in its order.

    Args:
        study: Whose ledger.
        registered: The form versions of ``notices.csv``.

    Raises:
        BadTable: a line cannot be used, or names a notice that is not registered.
    """
    reader = TableReader(study.consents_path)
    events = []
    for line, row in reader.rows(COLUMNS):
        if not row["participant_code"]:
            reader.fault(line, "has no participant_code")
        if row["event"] not in EVENTS:
            reader.fault(line, f"has an event that is not one of {', '.join(EVENTS)}")
        purposes = tuple(purpose for purpose in re.split(r"[;,|\s]+", row["purposes"]) if purpose)
        if unknown := [purpose for purpose in purposes if purpose not in PURPOSES]:
            reader.fault(line, f"has {len(unknown)} unknown purposes (known are {', '.join(PURPOSES)})")
        if not row["form_version"]:
            reader.fault(line, "names no form_version")
        elif row["form_version"] not in registered:
            reader.fault(line, "names a form_version that is not in notices.csv", REGISTER)
        first, last = (reader.day(line, column, row[column]) for column in ("history_from", "history_to"))
        if first and last and first > last:
            reader.fault(line, "has a history_from after its history_to")
        moment = reader.moment(line, "occurred_at", row["occurred_at"])
        if moment is None:
            continue
        moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        event = ConsentEvent(row["participant_code"], row["event"], purposes, row["form_version"], moment, first, last)
        events.append((line, event))
    reader.close()
    return events


def refuse_closed(path: Path) -> None:
    """Check that a line can be added to ``consents.csv``, before something begins that ends with a line.

    Raises:
        BadTable: none can.
    """
    with_rows(path, [dict.fromkeys(COLUMNS, "a value")])


def append_to_file(path: Path, events: Sequence[ConsentEvent]) -> None:
    """Add lines at the end of ``consents.csv``, in its own delimiter and line endings.

    Raises:
        BadTable: none can be added; nothing is changed then.
    """
    rows = []
    for event in events:
        values = (
            event.participant_code,
            event.event,
            " ".join(event.purposes),
            event.form_version,
            event.occurred_at.isoformat(timespec="milliseconds") + "+00:00",
            event.history_from or "",
            event.history_to or "",
        )
        rows.append(dict(zip(COLUMNS, values, strict=True)))
    append_rows(path, rows)
