"""Loading one share of the donations into a shard: a vault of its own, under the study's key, in ``shards/``.

The study's vault is read meanwhile and not written. It stays open, so that no load, merge or withdrawal runs beside, but
any number of other shares. The shard is made in a work folder and moved into its place when it is complete: killed at
any moment, a load leaves no part of one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import fsspec

from consonance.study.files import sync
from consonance.study.folder import Study
from consonance.study.key import read_key
from consonance.study.migrations import VERSION
from consonance.study.modes import close_to_others
from consonance.study.schema import lay_out_vault
from consonance.study.settings import Settings
from consonance.study.tombstones import refuse_unfinished
from consonance.study.vault import (
    MEMORY_FOLDER,
    VAULT,
    attach_study,
    attach_under_key,
    attach_vault,
    lock_down,
    prepare,
    session_settings,
)
from consonance.study.work_folders import SHARD_LOAD, work_folder
from loaders.donations import load_donations
from loaders.inbox import Donation, find_donations
from loaders.load import LoadProgress, held_back, keep_freed_memory, note_who_takes_part
from loaders.load_report import LoadReport
from loaders.shards import Share, refuse_link

# What decides who is read, with what the operator's tables say today.
OF_CONSENT = ("secrets", "tombstones", "notices", "consent_events", "ledger_lines", "keyring")
# What the loaders ask while they land a donation: what is refused, and what a participant has in the vault already.
OF_NOBODY = ("secrets", "erased_donations")
OF_THEIRS = ("donations", "members", "donation_members", "broken_members")
# The numbers that are taken are not given again: table, column, what counts it.
NUMBERED = (("donations", "donation_id", "donation_numbers"), ("members", "member_id", "member_numbers"))
KNOWN = "known"


def load_shard(study: Study, share: Share, progress: LoadProgress | None = None) -> LoadReport:
    """Land the donations of ``share`` in a shard of ``study``. The study's vault stays as it is.

    Safe to repeat: a shard that is there already is replaced. ``merge_shards`` brings it into the vault.

    Returns:
        The report of its donations.

    Raises:
        BadShards: the folder of shards is a link.
        OlderStores: the study must be loaded once without shares, to bring the vault to this version.
        ConsonanceError: see ``load_study``.
    """
    refuse_link(study)
    settings = Settings.read(study)
    progress = progress or LoadProgress()
    loaded_at = datetime.now(UTC).replace(tzinfo=None)
    closed = close_to_others(study)
    keep_freed_memory()
    with _beside_the_vault(study) as connection, work_folder(study, SHARD_LOAD) as folder:
        donations = [one for one in find_donations(study) if share.includes(one.participant_code)]
        progress.starts(donations)
        held, keys = _who_is_read(connection, study, settings, loaded_at, donations)
        folder.mkdir(mode=0o700)
        draft = folder / share.path(study).name
        attach_under_key(connection, draft, VAULT, read_key(study))
        connection.register_filesystem(fsspec.filesystem("memory"))
        lock_down(connection, [MEMORY_FOLDER])
        _lay_out(connection, share, [key for key in keys if share.includes(key[1])])
        reports = load_donations(connection, study, donations, held, loaded_at, os.cpu_count() or 1, progress.done)
        connection.execute(f"checkpoint {VAULT}")
        connection.execute(f"detach {VAULT}")
        _put_in_place(draft, share.path(study))
    return LoadReport(reports, closed=closed)


@contextmanager
def _beside_the_vault(study: Study) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the study's vault attached for reading, as ``known``, as long as it is open."""
    with duckdb.connect(config=session_settings() | {"threads": 1}) as connection:
        # Whether it may be used at all: these checks are of what is attached as the vault.
        attach_study(connection, study, read_only=True, may_be_older=False)
        for name in (VAULT, "catalogue"):
            connection.execute(f"detach {name}")
        prepare(connection, study)
        attach_vault(connection, study, KNOWN, read_only=True)
        refuse_unfinished(study)
        yield connection


def _who_is_read(
    connection: duckdb.DuckDBPyConnection,
    study: Study,
    settings: Settings,
    loaded_at: datetime,
    donations: list[Donation],
) -> tuple[dict[str, str | None], list[tuple[Any, ...]]]:
    """Why each participant is held, or ``None``; and the keyring, with keys for those who are new. In memory alone."""
    connection.execute(f"attach ':memory:' as {VAULT}")
    lay_out_vault(connection)
    connection.execute("delete from vault.raw.secrets")
    for table in OF_CONSENT:
        connection.execute(f"insert into vault.raw.{table} select * from {KNOWN}.raw.{table}")
    note_who_takes_part(connection, study, settings, loaded_at, is_logged=False)
    found = held_back(connection, donations), connection.execute("select * from vault.raw.keyring").fetchall()
    connection.execute(f"detach {VAULT}")
    return found


def _lay_out(connection: duckdb.DuckDBPyConnection, share: Share, keys: list[tuple[Any, ...]]) -> None:
    """Fill a new shard with what its load must know."""
    lay_out_vault(connection)
    connection.execute("delete from vault.raw.secrets")
    for table in OF_NOBODY:
        connection.execute(f"insert into vault.raw.{table} select * from {KNOWN}.raw.{table}")
    if keys:
        connection.executemany("insert into vault.raw.keyring values (?, ?, ?, ?, ?)", keys)
    for table in OF_THEIRS:
        connection.execute(
            f"insert into vault.raw.{table} by name "
            f"select theirs.* from {KNOWN}.raw.{table} as theirs semi join vault.raw.keyring using (participant_no)"
        )
    for table, column, numbers in NUMBERED:
        ((taken,),) = connection.execute(f"select coalesce(max({column}), 0) from vault.raw.{table}").fetchall()
        connection.execute(f"select max(nextval('vault.raw.{numbers}')) from range({taken})")
    connection.execute("insert into vault.raw.store_version values ($version)", {"version": VERSION})
    connection.execute(
        "create table vault.main.share as select $number::integer as number, $of::integer as shares",
        {"number": share.number, "of": share.of},
    )


def _put_in_place(draft: Path, place: Path) -> None:
    draft.chmod(0o600)
    sync(draft)
    place.parent.mkdir(mode=0o700, exist_ok=True)
    _step("complete")
    draft.replace(place)
    sync(place.parent)


def _step(name: str) -> None:
    """Where a load of a shard can be killed; tests do."""
