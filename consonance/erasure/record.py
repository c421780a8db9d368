"""The erasure record: what a withdrawal must remember of whom it erases, until it is finished.

It is a database in the folder ``.withdrawing/`` of the study, encrypted with the vault's key. It holds who is
erased, how many rows each table had of them, the hashes of the stores, the releases they are in, and the values
unique to them. If the command is stopped, the next one reads it and goes on. At the end it is deleted.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import duckdb
import portalocker

from consonance.erasure.participant_tables import People, opened_stores
from consonance.erasure.study_files import StudyFiles, file_hashes
from consonance.erasure.unique_values import RECORD, record_unique_values
from consonance.study.desk import DESK
from consonance.study.errors import ConsonanceError
from consonance.study.files import sync
from consonance.study.folder import Study
from consonance.study.key import read_key
from consonance.study.last_run import why_outdated
from consonance.study.tombstones import label
from consonance.study.vault import attach_under_key, prepare, session_settings

FILE = "record.duckdb"
# What version 0.1 called the file, and some of what it says.
OLD_FILE = "operation.duckdb"
OLD_NAMES = {"papers": "study_files"}


class WithdrawalBusy(ConsonanceError):
    """Another withdrawal is under way."""


class UnreadableRecord(ConsonanceError):
    """A withdrawal was interrupted, and another version of this program wrote its record."""


@dataclass(frozen=True)
class Release:
    """A release that the participant is in, as the release register has it."""

    number: int
    tier: str
    published_at: str | None


@dataclass(frozen=True)
class ErasureRecord:
    """What one withdrawal knows from its beginning.

    Attributes:
        people: Whom it erases: one participant, or those whom a stale backup has brought back.
        tokens: Their tombstones, in the order of their codes.
        requested_at: When the participant asked for it, ISO 8601 in UTC; ``None`` for a stale backup.
        begun_at: When the command was first started, ISO 8601 in UTC.
        usernames: The user names of their Spotify accounts.
        tool_ids: What donation tools call them, if that is not their code.
        donations: Tokens of the donations that are theirs alone.
        releases: Those that hold them.
        rows: Their rows by store and table, before.
        study_files: What the study files hold of them, before.
        files: Size and SHA-256 of the stores and the operator's tables, before.
    """

    people: People
    tokens: tuple[str, ...]
    requested_at: str | None
    begun_at: str
    usernames: tuple[str, ...]
    donations: tuple[str, ...]
    releases: tuple[Release, ...]
    rows: dict[str, dict[str, int]]
    study_files: StudyFiles
    files: dict[str, dict[str, int | str]]
    tool_ids: tuple[str, ...] = ()  # a record of an earlier version has none

    @property
    def is_replay(self) -> bool:
        """Whether it erases again whom a stale backup has brought back."""
        return self.requested_at is None

    @property
    def names(self) -> tuple[str, ...]:
        """The texts by which others may call the participants: user names and codes."""
        return (*self.usernames, *self.people.participant_code)

    @property
    def labels(self) -> dict[str, str]:
        """What stands for each participant code from now on. A replay has more tokens than codes."""
        return dict(zip(self.people.participant_code, map(label, self.tokens), strict=False))

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> ErasureRecord:
        """The record that ``as_json`` wrote, or version 0.1.

        Raises:
            ValueError, KeyError, TypeError: ``text`` is something else.
        """
        content = {OLD_NAMES.get(name, name): value for name, value in json.loads(text).items()}
        known = {field.name for field in fields(cls)}
        return cls(
            **{name: value for name, value in content.items() if name in known}
            | {
                "people": People(**{key: tuple(values) for key, values in content["people"].items()}),
                **{name: tuple(content[name]) for name in ("tokens", "usernames", "donations")},
                "tool_ids": tuple(content.get("tool_ids", ())),
                "study_files": StudyFiles(**content["study_files"]),
                "releases": tuple(Release(**release) for release in content["releases"]),
            }
        )


@contextmanager
def only_one(study: Study) -> Iterator[None]:
    """Keep a second withdrawal away while this one runs.

    Raises:
        WithdrawalBusy: another one runs.
    """
    handle = os.open(study.root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            portalocker.lock(handle, portalocker.LOCK_EX | portalocker.LOCK_NB)
        except portalocker.LockException:
            raise WithdrawalBusy(
                f"Another withdrawal from {study.root} is running.", "Wait until it has ended."
            ) from None
        yield
    finally:
        os.close(handle)


def pending(study: Study) -> ErasureRecord | None:
    """The record of the withdrawal that was interrupted, if there is one.

    A record that was not completely written is removed: nothing was erased before it was.

    Raises:
        UnreadableRecord: another version wrote it, in a form that this one does not know.
        StoreError, VaultKeyError: it cannot be opened.
    """
    if _place(study) is None:
        shutil.rmtree(study.pending, ignore_errors=True)
        return None
    with duckdb.connect(config=session_settings()) as connection:
        prepare(connection, study)
        attach_record(connection, study)
        try:
            ((text,),) = connection.execute(f"select content from {RECORD}.facts").fetchall()
            return ErasureRecord.from_json(text)
        except (duckdb.CatalogException, ValueError, KeyError, TypeError):
            raise UnreadableRecord(
                f"The withdrawal in {study.pending} was begun by another version of consonance.",
                "Finish it with that version ('consonance withdraw' without a code), then use this version again.",
            ) from None


def attach_record(connection: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Attach what ``begin`` wrote, for reading, to a connection that is prepared."""
    place = _place(study) or study.pending / FILE
    attach_under_key(connection, place, RECORD, read_key(study), read_only=True)


def begin(study: Study, planned: ErasureRecord) -> ErasureRecord:
    """Write the record while the participants are still there, and make it last. From here on it is pending.

    Raises:
        StoreError, VaultKeyError: a store cannot be opened.
    """
    study.pending.mkdir(mode=0o700, exist_ok=True)
    place = study.pending / FILE
    draft = place.with_suffix(".new")
    record = replace(planned, files=file_hashes(study))
    with opened_stores(study, {RECORD: draft}) as (connection, tables):
        stores = [table for table in tables if table.database != DESK]  # which shows the same, or is older
        record_unique_values(connection, stores, record.people, is_fresh=why_outdated(connection) is None)
        connection.execute(f"create table {RECORD}.facts (content varchar)")
        connection.execute(f"insert into {RECORD}.facts values ($content)", {"content": record.as_json()})
        connection.execute(f"checkpoint {RECORD}")
    draft.replace(place)
    sync(study.pending)
    sync(study.root)
    return record


def end(study: Study) -> None:
    """Delete the record."""
    for name in (FILE, OLD_FILE):
        (study.pending / name).unlink(missing_ok=True)
    shutil.rmtree(study.pending, ignore_errors=True)
    sync(study.root)


def _place(study: Study) -> Path | None:
    """The file of a record that was completely written, if there is one."""
    return next((study.pending / name for name in (FILE, OLD_FILE) if (study.pending / name).exists()), None)
