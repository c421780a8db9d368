"""A withdrawal under way: what it must know of whom it erases, kept until it has ended.

It lies in the study folder, in ``.withdrawing/``, encrypted under the vault's key: who is erased, how many
rows each table held of them, the hashes of the stores, the releases they are in, and the witnesses by
which the erasure is judged. Whoever starts the command again after it was killed goes on from it. When
the certificate is written it is deleted.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import portalocker

from consonance.erasure.participant_tables import People, Relation, count_rows, relations
from consonance.erasure.study_files import StudyFiles, find
from consonance.erasure.unique_values import take_down
from consonance.study.errors import ConsonanceError
from consonance.study.files import sha256_of, sync
from consonance.study.folder import Study
from consonance.study.key import read_key
from consonance.study.last_run import why_outdated
from consonance.study.tokens import Tokens
from consonance.study.vault import attach_study, attach_to_read, attach_under_key, lock_down, prepare, session_settings
from loaders.side_files import side_files

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
        people: Whom it erases: one participant, or those whom a backup has brought back.
        tokens: Their tombstones, in the order of their codes.
        requested_at: When the participant asked for it, ISO 8601 in UTC; ``None`` if a backup brought them back.
        begun_at: When the command was first started.
        usernames: The user names of their donated accounts.
        donations: Tokens of the donations that are theirs alone.
        releases: Those that hold them.
        rows: Their rows by store and table, before.
        papers: What the operator's files hold of them, before.
        files: Size and SHA-256 of each store and table of the operator's, before.
    """

    people: People
    tokens: tuple[str, ...]
    requested_at: str | None
    begun_at: str
    usernames: tuple[str, ...]
    donations: tuple[str, ...]
    releases: tuple[Release, ...]
    rows: dict[str, dict[str, int]]
    papers: StudyFiles
    files: dict[str, dict[str, int | str]]

    @property
    def is_replay(self) -> bool:
        return self.requested_at is None

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Operation:
        # An older version wrote more.
        known = {known.name for known in fields(cls)}
        content = {name: value for name, value in json.loads(text).items() if name in known}
        return cls(
            **content
            | {
                "people": People(**{key: tuple(values) for key, values in content["people"].items()}),
                **{name: tuple(content[name]) for name in ("tokens", "usernames", "donations")},
                "papers": StudyFiles(**content["papers"]),
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
            portalocker.lock(handle, portalocker.LOCK_EX | portalocker.LOCK_NB)
        except portalocker.LockException:
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
        prepare(connection, study)
        attach_operation(connection, study)
        ((text,),) = connection.execute("select content from operation.facts").fetchall()
    return Operation.from_json(text)


def attach_operation(connection: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Attach what ``begin`` wrote as ``operation``, to a connection that is prepared."""
    attach_under_key(connection, study.pending / DATABASE, "operation", read_key(study), read_only=True)


def draft(study: Study, codes: Sequence[str], requested_at: datetime | None) -> Operation:
    """What a withdrawal of ``codes`` would be about. Nothing of the study is changed.

    Args:
        study: Whose.
        codes: The participants' codes.
        requested_at: When they asked for it, in UTC without an offset; ``None`` if a backup brought them back.

    Raises:
        StoreError, VaultKeyError: a store cannot be opened.
    """
    with _opened(study) as (connection, tables):
        tokens = Tokens.of(connection)
        people = People.of(connection, codes)
        numbers = {"numbers": list(people.participant_no)}
        return Operation(
            people=people,
            tokens=tuple(tokens.participant(code) for code in codes),
            requested_at=requested_at.isoformat(timespec="milliseconds") if requested_at else None,
            begun_at=datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="seconds"),
            usernames=tuple(
                name
                for (name,) in connection.execute(
                    """
                    select unnest(usernames) as name from vault.raw.members where list_contains($numbers, participant_no)
                    except
                    select unnest(usernames) from vault.raw.members where not list_contains($numbers, participant_no)
                    order by name
                    """,
                    numbers,
                ).fetchall()
            ),
            donations=tuple(
                tokens.donation(sha256)
                for (sha256,) in connection.execute(
                    # What lies under another code too is refused to nobody: of two codes one may be wrong.
                    """
                    select sha256 from vault.raw.donations where list_contains($numbers, participant_no)
                    except
                    select sha256 from vault.raw.donations where not list_contains($numbers, participant_no)
                    order by sha256
                    """,
                    numbers,
                ).fetchall()
            ),
            releases=tuple(
                Release(number, tier, moment)
                for number, tier, moment in connection.execute(
                    """
                    select distinct releases.release_no, releases.tier, strftime(releases.published_at, '%Y-%m-%dT%H:%M:%S')
                    from vault.raw.releases
                    inner join vault.raw.release_keyring on release_keyring.release_no = releases.release_no
                    where list_contains($numbers, release_keyring.participant_no)
                    order by all
                    """,
                    numbers,
                ).fetchall()
            ),
            rows={
                store: count_rows(connection, [table for table in tables if table.database == store], people)
                for store in ("vault", "warehouse")
            },
            papers=find(study, codes),
            files={},
        )


def begin(study: Study, planned: Operation) -> Operation:
    """Take down what must be known of the participants while they are still there, and make it last.

    Raises:
        StoreError, VaultKeyError: a store cannot be opened.
    """
    study.pending.mkdir(mode=0o700, exist_ok=True)
    place = study.pending / DATABASE
    written = place.with_suffix(".new")
    hashes = file_hashes(study)
    with _opened(study, written) as (connection, tables):
        operation = replace(planned, files=hashes)
        take_down(connection, tables, operation.people, is_fresh=why_outdated(connection) is None)
        connection.execute("create table operation.facts (content varchar)")
        connection.execute("insert into operation.facts values ($content)", {"content": operation.as_json()})
        connection.execute("checkpoint operation")
    written.replace(place)
    sync(study.pending)
    sync(study.root)
    return operation


@contextmanager
def _opened(study: Study, written: Path | None = None) -> Iterator[tuple[duckdb.DuckDBPyConnection, list[Relation]]]:
    """Vault and warehouse for reading, their tables of persons, and ``written`` as ``operation``."""
    with duckdb.connect(config=session_settings()) as connection:
        attach_study(connection, study, read_only=True, may_be_stale=True)
        if written:
            attach_under_key(connection, written, "operation", read_key(study))
        tables = [table for table in relations(connection, "vault") if table.schema == "raw"]
        if study.warehouse_path.exists():
            attach_to_read(connection, study.warehouse_path, "warehouse")
            tables += relations(connection, "warehouse")
        lock_down(connection, [])
        yield connection, tables


def end(study: Study) -> None:
    """Delete what the operation knew."""
    (study.pending / DATABASE).unlink(missing_ok=True)
    shutil.rmtree(study.pending, ignore_errors=True)
    sync(study.root)


def file_hashes(study: Study) -> dict[str, dict[str, int | str]]:
    """Size in bytes and SHA-256 of the stores and of the operator's tables, by name."""
    paths: list[Path] = [study.vault_path, study.warehouse_path, study.consents_path, study.participants_path]
    paths += [path for path in side_files(study.surveys) if path.is_file()]
    paths = [path for path in paths if path.exists()]
    with ThreadPoolExecutor() as pool:
        hashes = list(pool.map(sha256_of, paths))
    return {
        study.within(path): {"bytes": path.stat().st_size, "sha256": sha256}
        for path, sha256 in zip(paths, hashes, strict=True)
    }
