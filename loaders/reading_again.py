"""Reading a history again, of which plays were erased for a purpose that is granted again now."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from consonance.consent.coverage import delete_history, widened
from loaders.held import why_held
from loaders.inbox import Donation


def read_again(
    connection: duckdb.DuckDBPyConnection, donations: Sequence[Donation], held: dict[str, str | None]
) -> list[str]:
    """Delete the history of participants whose consent covers more than before, if plays of theirs were erased.

    The load then lands their donations like new ones. If a file of the history is in no donation of the inbox that
    can be read and has not changed since it was loaded, the history stays as it is: it would be lost. The next loads
    try again.

    Args:
        connection: With the vault attached for writing.
        donations: As ``find_donations`` gives them.
        held: For each enrolled participant why they are held, or ``None``.

    Returns:
        The codes of participants whose history stays as it is.
    """
    left = []
    for coverage in widened(connection):
        code, number = coverage.participant_code, coverage.participant_no
        theirs = [donation for donation in donations if donation.participant_code == code and not why_held(code, held)]
        known = [sha256 for sha256 in map(_fingerprint, theirs) if sha256]
        connection.begin()
        is_complete = not connection.execute(
            """
            select 1
            from vault.raw.members
            where participant_no = $number and member_id not in (
                select donation_members.member_id
                from vault.raw.donation_members
                inner join vault.raw.donations using (participant_no, donation_id)
                where participant_no = $number and list_contains($known, donations.sha256)
            )
            limit 1
            """,
            {"number": number, "known": known},
        ).fetchall()
        if is_complete:
            delete_history(connection, number)
        else:
            left.append(code)
        connection.execute(
            "update vault.raw.applied_consents set awaits_donations = $awaits where participant_no = $number",
            {"awaits": not is_complete, "number": number},
        )
        connection.commit()
    return left


def _fingerprint(donation: Donation) -> str | None:
    """By what a donation is known; ``None`` if a load would refuse it."""
    if donation.path.is_symlink():
        return None
    try:
        with donation.opened() as members:
            return donation.fingerprint(members)
    except MemoryError:
        raise
    except Exception:  # the load reports it
        return None
