"""What each participant grants now, for the operator: the ledger as the last load read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from consonance.consent.rules import with_rules
from consonance.consent.state import PURPOSES
from consonance.study.errors import ConsonanceError
from consonance.study.tombstones import LABEL_PREFIX

STATES = with_rules(Path(__file__).with_name("status.sql").read_text(encoding="utf-8"))


class NotLoaded(ConsonanceError):
    """The vault has no ledger yet, or nobody of this code."""


@dataclass(frozen=True)
class ConsentStatus:
    """One participant's consent at the study's ``as_of``.

    Attributes:
        participant_code: Who.
        is_enrolled: Whether ``participants.csv`` has them. Donations of others are held.
        event: The event that counts; ``None`` if the ledger has none yet.
        purposes: What is granted, in the order of ``PURPOSES``; nothing after a withdrawal.
        form_version: The notice it was given to.
        occurred_at: When they decided, in UTC.
        history_from, history_to: First and last consented day of their history.
        events: How many of their events have happened. A withdrawal has, whatever its moment.
        later_events: How many are after ``as_of`` and do not count yet.
        is_amended_without_grant: The event amends, and nothing was granted before. It counts; a line may be missing.
    """

    participant_code: str
    is_enrolled: bool
    event: str | None
    purposes: tuple[str, ...]
    form_version: str | None
    occurred_at: datetime | None
    history_from: date | None
    history_to: date | None
    events: int
    later_events: int
    is_amended_without_grant: bool

    @property
    def is_erased(self) -> bool:
        """Whether the code stands for somebody who was erased."""
        return self.participant_code.startswith(LABEL_PREFIX)

    @property
    def state(self) -> str:
        """One word: active, withdrawn, erased (after a withdrawal) or none."""
        if self.is_erased:
            return "erased"
        return {None: "none", "withdrawn": "withdrawn"}.get(self.event, "active")

    @property
    def remarks(self) -> list[str]:
        """What an operator should look at."""
        return [
            remark
            for remark, applies in {
                "not enrolled": not self.is_enrolled and not self.is_erased,
                "amended, but nothing was granted before": self.is_amended_without_grant,
                f"{self.later_events} events are in the future": self.later_events > 0 and not self.is_erased,
                "withdrawn, but not erased": self.state == "withdrawn" and self.is_enrolled,
            }.items()
            if applies
        ]

    def as_json(self) -> dict[str, Any]:
        return {
            "participant_code": self.participant_code,
            "state": self.state,
            "purposes": list(self.purposes),
            "form_version": self.form_version,
            "occurred_at": self.occurred_at and f"{self.occurred_at.isoformat(timespec='milliseconds')}Z",
            "history_from": self.history_from and self.history_from.isoformat(),
            "history_to": self.history_to and self.history_to.isoformat(),
            "events": self.events,
            "remarks": self.remarks,
        }


def judged_as_of(connection: duckdb.DuckDBPyConnection) -> datetime:
    """The moment, in UTC, at which consent is judged.

    Raises:
        NotLoaded: nothing was loaded yet.
    """
    found = connection.execute("select as_of from vault.raw.study").fetchall()
    if not found:
        raise NotLoaded("The vault has no ledger yet.", "Run 'consonance load' first.")
    return found[0][0]  # type: ignore[no-any-return]


def consent_states(connection: duckdb.DuckDBPyConnection) -> list[ConsentStatus]:
    """Everyone who is enrolled or in the ledger, in order of code.

    Raises:
        NotLoaded: nothing was loaded yet.
    """
    judged_as_of(connection)
    states = []
    for code, enrolled, event, previous, purposes, version, moment, first, last, events, later in connection.execute(
        STATES
    ).fetchall():
        granted = tuple(purpose for purpose in PURPOSES if purpose in (purposes or ()))
        unasked = event == "amended" and previous in (None, "withdrawn")
        states.append(
            ConsentStatus(code, enrolled, event, granted, version, moment, first, last, events, later, unasked)
        )
    return states


def consent_of(connection: duckdb.DuckDBPyConnection, code: str) -> ConsentStatus:
    """One participant's consent.

    Raises:
        NotLoaded: nobody of that code is enrolled or in the ledger, as the last load read it.
    """
    for state in consent_states(connection):
        if state.participant_code == code:
            return state
    raise NotLoaded(
        "No participant with this code is enrolled or in the consent ledger.",
        "Check the spelling, or run 'consonance load' first.",
    )
