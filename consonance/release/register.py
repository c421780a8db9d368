"""The release register of the vault: which releases there are, who is in them, with which pseudonym and shift.

A release is registered before it is published, so that none is ever published without it. It is confirmed once
``published/current`` has pointed at it. The next publish cleans up what was never confirmed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from consonance.consent.state import LEDGER_STATE
from consonance.study.audit_log import Fact, anchor, record
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.guardian import is_current

CURRENT = "current"
WORK_PREFIX = ".making-"


class UnknownRelease(ConsonanceError):
    """A release is published that the vault does not know."""


@dataclass(frozen=True)
class Member:
    """One participant of a release: their number in the vault, and their pseudonym and shift in the release."""

    participant_no: int
    pseudonym: str
    shift_weeks: int


@dataclass(frozen=True)
class Entry:
    """What the register says about a release."""

    number: int
    tier: str
    as_of: datetime
    created_at: datetime
    members: Sequence[Member]
    certificate_sha256: str | None = None


def published_numbers(published: Path) -> list[int]:
    """The numbers of the releases in ``published/``."""
    return sorted(int(path.name) for path in published.iterdir() if path.name.isdecimal() and path.is_dir())


def sweep(connection: duckdb.DuckDBPyConnection, study: Study, published: Path, keep: Path) -> None:
    """Finish or remove what a publish that was killed has left: in ``published/`` and in the register.

    Args:
        connection: With the vault attached for writing.
        study: Whose vault.
        published: Locked by the caller.
        keep: The work folder of the caller.

    Raises:
        UnknownRelease: see there.
    """
    for path in published.glob(f"{WORK_PREFIX}*"):
        if path != keep:
            shutil.rmtree(path, ignore_errors=True)
    for (number,) in connection.execute(
        "select release_no from vault.raw.releases where published_at is null"
    ).fetchall():
        if is_current(published, str(number)):
            confirm(connection, study, number)
        else:
            shutil.rmtree(published / str(number), ignore_errors=True)
            forget(connection, number)
    known = {number for (number,) in connection.execute("select release_no from vault.raw.releases").fetchall()}
    if unknown := [number for number in published_numbers(published) if number not in known]:
        raise UnknownRelease(
            f"Release {unknown[-1]} is in {published}, but not in the release register of the vault.",
            "A vault that was restored from an older backup does not know who is in it. Restore a newer one, "
            "or move that release elsewhere and answer the requests of its participants by hand.",
        )


def next_number(connection: duckdb.DuckDBPyConnection) -> int:
    """The number of the next release: one more than any that there was."""
    ((number,),) = connection.execute("select coalesce(max(release_no), 0) + 1 from vault.raw.releases").fetchall()
    return int(number)


def note(connection: duckdb.DuckDBPyConnection, entry: Entry) -> None:
    """Register a release, unconfirmed, and write that to the disk."""
    connection.begin()
    connection.execute(
        "insert into vault.raw.releases values (?, ?, ?, ?, null, ?)",
        [entry.number, entry.tier, entry.as_of, entry.created_at, entry.certificate_sha256],
    )
    if keys := [[entry.number, one.participant_no, one.pseudonym, one.shift_weeks] for one in entry.members]:
        connection.executemany("insert into vault.raw.release_keyring values (?, ?, ?, ?)", keys)
    connection.commit()
    connection.execute("checkpoint vault")


def members_of(connection: duckdb.DuckDBPyConnection, number: int) -> set[int]:
    """The numbers of the participants in a release."""
    rows = connection.execute(
        "select participant_no from vault.raw.release_keyring where release_no = ?", [number]
    ).fetchall()
    return {participant_no for (participant_no,) in rows}


def confirm(connection: duckdb.DuckDBPyConnection, study: Study, number: int) -> None:
    """Note, also in the audit log, that ``published/current`` has pointed at the release."""
    connection.begin()
    connection.execute(
        "update vault.raw.releases set published_at = cast(now() as timestamp) where release_no = ?", [number]
    )
    ((tier, certificate, persons),) = connection.execute(
        """
        select tier, certificate_sha256, (select count(*) from vault.raw.release_keyring where release_no = $number)
        from vault.raw.releases where release_no = $number
        """,
        {"number": number},
    ).fetchall()
    facts: dict[str, Fact] = {"release": number, "tier": tier, "persons": persons, "certificate_sha256": certificate}
    record(connection, study, "published", facts)
    connection.commit()
    anchor(connection, study)
    connection.execute("checkpoint vault")


def forget(connection: duckdb.DuckDBPyConnection, number: int) -> None:
    """Remove a release that was never published from the register."""
    for table in ("release_keyring", "releases"):
        connection.execute(f"delete from vault.raw.{table} where release_no = ?", [number])
    connection.execute("checkpoint vault")


def ledger_fingerprint(connection: duckdb.DuckDBPyConnection) -> str:
    """Changes whenever it changes who consents to what: a hash over the state of the ledger and the keyring."""
    ((fingerprint,),) = connection.execute(
        f"with ledger_state as ({LEDGER_STATE}) select md5(string_agg(cast(ledger_state as varchar), '|' order by participant_code)) from ledger_state"
    ).fetchall()
    return str(fingerprint)


def is_published(published: Path, number: int) -> bool:
    """Whether ``published/current`` points at the release ``number``."""
    return is_current(published, str(number))


def earlier_databases(published: Path) -> dict[int, Path]:
    """The databases of the releases in ``published/``, by number."""
    return {
        number: path
        for number in published_numbers(published)
        if (path := published / str(number) / "research.duckdb").exists() and os.access(path, os.R_OK)
    }
