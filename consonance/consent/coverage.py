"""What consent covers now, compared with what it covered when the vault was last reduced to it.

If a purpose is taken back, or the window is narrowed, the vault has rows that no purpose covers: they are erased
(``consonance.erasure.amendment``). If the purpose is granted again after that, they are read again from the
donations, if these are still in the inbox (``loaders.reading_again``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from consonance.consent.state import LEDGER_STATE
from consonance.study.schema import columns_with_purposes, owners

# Without one of these some plays are erased; without listening_history all of them.
OF_SOME_PLAYS = frozenset({"podcasts_audiobooks", "private_sessions"})


@dataclass(frozen=True)
class Coverage:
    """One participant's active consent, now and when the vault was last reduced to it.

    ``awaits_donations``: their history is to be read again, and not all of their donations were in the inbox.
    """

    participant_no: int
    participant_code: str
    purposes: frozenset[str]
    history_from: date
    history_to: date
    applied_purposes: frozenset[str]
    applied_from: date
    applied_to: date
    awaits_donations: bool

    @property
    def lost(self) -> frozenset[str]:
        """The purposes that were taken back."""
        return self.applied_purposes - self.purposes

    @property
    def is_window_narrower(self) -> bool:
        return self.history_from > self.applied_from or self.history_to < self.applied_to

    @property
    def covers_more_plays(self) -> bool:
        return bool(
            (self.purposes - self.applied_purposes) & OF_SOME_PLAYS
            or self.history_from < self.applied_from
            or self.history_to > self.applied_to
        )


def _coverages(connection: duckdb.DuckDBPyConnection) -> list[Coverage]:
    """Of every participant with an active consent to which the vault was reduced, in order of code."""
    rows = connection.execute(
        f"""
        select
            states.participant_no, states.participant_code,
            states.purposes, coalesce(states.history_from, date '0001-01-01'), coalesce(states.history_to, date '9999-12-31'),
            applied.purposes, coalesce(applied.history_from, date '0001-01-01'), coalesce(applied.history_to, date '9999-12-31'),
            coalesce(applied.awaits_donations, false)
        from ({LEDGER_STATE}) as states
        inner join vault.raw.applied_consents as applied on applied.participant_no = states.participant_no
        where states.event in ('granted', 'amended')
        order by states.participant_code
        """
    ).fetchall()
    return [
        Coverage(number, code, frozenset(now), first, last, frozenset(then), first_then, last_then, awaits)
        for number, code, now, first, last, then, first_then, last_then, awaits in rows
    ]


def note_applied(connection: duckdb.DuckDBPyConnection, but: Sequence[Coverage] = ()) -> None:
    """Note that the vault has of every participant with an active consent what it covers, and no more.

    Args:
        connection: With the vault attached for writing.
        but: The participants whose rows are still to be erased.
    """
    connection.begin()
    connection.execute(
        f"""
        insert into vault.raw.applied_consents by name
        select participant_no, purposes, history_from, history_to
        from ({LEDGER_STATE})
        where event in ('granted', 'amended') and not list_contains($but, participant_no)
        on conflict do update set
            purposes = excluded.purposes, history_from = excluded.history_from, history_to = excluded.history_to
        """,
        {"but": [coverage.participant_no for coverage in but]},
    )
    connection.commit()


def narrowed(connection: duckdb.DuckDBPyConnection) -> list[Coverage]:
    """The participants whose consent covers less than when the vault was last reduced to it."""
    return [one for one in _coverages(connection) if one.lost or one.is_window_narrower]


def widened(connection: duckdb.DuckDBPyConnection) -> list[Coverage]:
    """The participants whose consent covers more plays than before, after rows of theirs were erased."""
    reduced = {
        number
        for (number,) in connection.execute("select distinct participant_no from vault.raw.erased_rows").fetchall()
    }
    return [
        one
        for one in _coverages(connection)
        if one.participant_no in reduced and (one.covers_more_plays or one.awaits_donations)
    ]


def delete_history(connection: duckdb.DuckDBPyConnection, participant_no: int) -> int:
    """Delete every row of one participant's donations. Returns the number of plays among them."""
    number = {"number": participant_no}
    plays = 0
    for table, (owner, _) in owners("listening_history").items():
        ((rows,),) = connection.execute(f"delete from vault.raw.{table} where {owner} = $number", number).fetchall()
        if table in ("extended_plays", "account_plays"):
            plays += int(rows)
    return plays


def withhold_columns(connection: duckdb.DuckDBPyConnection) -> None:
    """Empty the columns that have a purpose of their own, such as birth year, gender and country, where it is not granted."""
    for table, column in columns_with_purposes():
        owner, kind = owners()[table.name]
        connection.execute(
            f"""
            update {table.place}
            set {column.name} = null
            where not ({column.unless}) and {owner} not in (
                select {kind} from ({LEDGER_STATE}) where list_contains(purposes, $purpose)
            )
            """,
            {"purpose": column.purpose},
        )
