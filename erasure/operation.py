"""A withdrawal under way: what it must know of whom it erases, kept until it has ended.

It lies in the study folder, in ``.withdrawing/``, encrypted under the vault's key: who is erased, how many
rows each table held of them, the hashes of the stores, the releases they are in, and the witnesses by
which the erasure is judged. Whoever starts the command again after it was killed goes on from it. When
the certificate is written it is deleted.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from erasure.holdings import Person, count_rows, relations
from erasure.witnesses import take_down
from stores.errors import ConsonanceError
from stores.files import sha256_of, sync
from stores.key import read_key
from stores.study import Study
from stores.vault import attach_study, attach_to_read, attach_under_key, lock_down, prepare, session_settings

DATABASE = "operation.duckdb"


class WithdrawalBusy(ConsonanceError):
    """Another withdrawal is under way."""


@dataclass(frozen=True)
class Release:
    """A release that the participant is in, as the vault's book has it."""

    number: int
    tier: str
    published_at: str | None


@dataclass(frozen=True)
class Operation:
    """What one withdrawal knows from its beginning.

    Attributes:
        person: Whom it erases.
        token: Their tombstone.
        requested_at: When the participant asked for it, ISO 8601 in UTC.
        begun_at: When the command was first started.
        is_replay: It erases again somebody whom a backup has brought back.
        usernames: The user names of their donated accounts.
        donations: Tokens of their donations.
        releases: Those that hold them.
        rows: Their rows by store and table, before.
        files: Size and SHA-256 of each store and table of the operator's, before.
    """

    person: Person
    token: str
    requested_at: str
    begun_at: str
    is_replay: bool
    usernames: tuple[str, ...]
    donations: tuple[str, ...]
    releases: tuple[Release, ...]
    rows: dict[str, dict[str, int]]
    files: dict[str, dict[str, int | str]]

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Operation:
        content = json.loads(text)
        return cls(
            **content
            | {
                "person": Person(**content["person"]),
                "usernames": tuple(content["usernames"]),
                "donations": tuple(content["donations"]),
                "releases": tuple(Release(**release) for release in content["releases"]),
            }
        )


@contextmanager
def only_one(study: Study) -> Iterator[None]:
    """Keep a second withdrawal away.

    Raises:
        WithdrawalBusy: one is under way.
    """
    handle = os.open(study.root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WithdrawalBusy(
                f"Another withdrawal from {study.root} is under way.", "Wait until it has ended."
            ) from None
        yield
    finally:
        os.close(handle)


def pending(study: Study) -> Operation | None:
    """The withdrawal that was interrupted, if there is one; what was never begun in earnest is removed.

    Raises:
        StoreError, VaultKeyError: it cannot be opened.
    """
    if not (study.pending / DATABASE).exists():
        shutil.rmtree(study.pending, ignore_errors=True)
        return None
    with duckdb.connect(config=session_settings()) as connection:
        attach_operation(connection, study)
        ((text,),) = connection.execute("select content from operation.facts").fetchall()
    return Operation.from_json(text)


def attach_operation(connection: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Attach what ``begin`` wrote as ``operation``, to any connection."""
    prepare(connection, study)
    attach_under_key(connection, study.pending / DATABASE, "operation", read_key(study), read_only=True)


def begin(study: Study, draft: Operation) -> Operation:
    """Take down what must be known of the participant while they are still there, and make it last.

    Args:
        study: Nothing of it is changed.
        draft: The operation without rows and files.

    Raises:
        StoreError, VaultKeyError: a store cannot be opened.
    """
    study.pending.mkdir(mode=0o700, exist_ok=True)
    place = study.pending / DATABASE
    with duckdb.connect(config=session_settings()) as connection:
        attach_study(connection, study, read_only=True, may_forget=True)
        attach_under_key(connection, place.with_suffix(".new"), "operation", read_key(study))
        if study.warehouse_path.exists():
            attach_to_read(connection, study.warehouse_path, "warehouse")
        lock_down(connection, [])
        vault = [table for table in relations(connection, "vault") if table.schema == "raw"]
        warehouse = relations(connection, "warehouse") if study.warehouse_path.exists() else []
        take_down(connection, vault + warehouse, draft.person)
        rows = {
            "vault": count_rows(connection, vault, draft.person),
            "warehouse": count_rows(connection, warehouse, draft.person),
        }
        operation = Operation(**{**draft.__dict__, "rows": rows, "files": file_hashes(study)})
        connection.execute("create table operation.facts as select $content as content", {"content": operation.as_json()})
        connection.execute("checkpoint operation")
        connection.execute("detach operation")
    place.with_suffix(".new").replace(place)
    sync(study.pending)
    sync(study.root)
    return operation


def end(study: Study) -> None:
    """Delete what the operation knew."""
    (study.pending / DATABASE).unlink(missing_ok=True)
    shutil.rmtree(study.pending, ignore_errors=True)
    sync(study.root)


def file_hashes(study: Study) -> dict[str, dict[str, int | str]]:
    """Size in bytes and SHA-256 of the stores and of the operator's tables, by name."""
    paths: list[Path] = [study.vault_path, study.warehouse_path, study.consents_path, study.participants_path]
    paths += sorted(study.surveys.glob("*.csv"))
    return {
        study.within(path): {"bytes": path.stat().st_size, "sha256": sha256_of(path)} for path in paths if path.exists()
    }
