"""What consent covers now, compared with what it covered when the vault was last reduced to it.

If a purpose is taken back, or the window is narrowed, the vault has rows that no purpose covers: they are erased
(``consonance.erasure.amendment``). If the purpose is granted again after that, they are read again from the
donation, if it is still in the inbox.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from consonance.consent.state import LEDGER_STATE
from consonance.study.folder import Study
from consonance.study.schema import columns_with_purposes, owners


@dataclass(frozen=True)
class Coverage:
    """One participant's active consent, now and when the vault was last reduced to it."""

    participant_no: int
    participant_code: str
    purposes: frozenset[str]
    history_from: date
    history_to: date
    applied_purposes: frozenset[str]
    applied_from: date
    applied_to: date

    @property
    def lost(self) -> frozenset[str]:
        """The purposes that were taken back."""
        return self.applied_purposes - self.purposes

    @property
    def is_window_narrower(self) -> bool:
        return self.history_from > self.applied_from or self.history_to < self.applied_to

    @property
    def is_wider(self) -> bool:
        """Whether something is covered that was not."""
        return bool(
            self.purposes - self.applied_purposes
            or self.history_from < self.applied_from
            or self.history_to > self.applied_to
        )


def changed_coverages(connection: duckdb.DuckDBPyConnection) -> list[Coverage]:
    """The participants whose active consent changed since the vault was last reduced to it, in order of code."""
    rows = connection.execute(
        f"""
        select
            states.participant_no, states.participant_code,
            states.purposes, coalesce(states.history_from, date '0001-01-01'), coalesce(states.history_to, date '9999-12-31'),
            applied.purposes, coalesce(applied.history_from, date '0001-01-01'), coalesce(applied.history_to, date '9999-12-31')
        from ({LEDGER_STATE}) as states
        inner join vault.raw.applied_consents as applied on applied.participant_no = states.participant_no
        where states.event in ('granted', 'amended')
        order by states.participant_code
        """
    ).fetchall()
    coverages = [
        Coverage(number, code, frozenset(now), first, last, frozenset(then), first_then, last_then)
        for number, code, now, first, last, then, first_then, last_then in rows
    ]
    return [one for one in coverages if one.lost or one.is_window_narrower or one.is_wider]


def note_applied(connection: duckdb.DuckDBPyConnection, but: Sequence[Coverage] = ()) -> None:
    """Note that the vault has of every participant with an active consent what it covers, and no more.

    Args:
        connection: With the vault attached for writing.
        but: The participants whose rows are still to be erased.
    """
    connection.begin()
    connection.execute(
        f"""
        insert or replace into vault.raw.applied_consents
        select participant_no, purposes, history_from, history_to
        from ({LEDGER_STATE})
        where event in ('granted', 'amended') and not list_contains($but, participant_no)
        """,
        {"but": [coverage.participant_no for coverage in but]},
    )
    connection.commit()


def narrowed(connection: duckdb.DuckDBPyConnection) -> list[Coverage]:
    """The participants whose consent covers less than when the vault was last reduced to it."""
    return [one for one in changed_coverages(connection) if one.lost or one.is_window_narrower]


def read_again(connection: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Delete the history of participants whose consent covers more than before, if rows of theirs were erased.

    The load then lands their donations like new ones. If a donation is no longer in the inbox, the history stays
    as it is.
    """
    for coverage in changed_coverages(connection):
        number = {"number": coverage.participant_no}
        if (
            not coverage.is_wider
            or not connection.execute(
                "select 1 from vault.raw.erased_rows where participant_no = $number limit 1", number
            ).fetchall()
        ):
            continue
        files = connection.execute(
            "select file from vault.raw.donations where participant_no = $number", number
        ).fetchall()
        if all((study.root / file).exists() for (file,) in files):
            delete_history(connection, coverage.participant_no)


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
