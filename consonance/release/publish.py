"""The gate: builds a release, runs every check, and publishes it in one step, or leaves nothing behind.

Until then everything is in ``published/.making-<id>/``. Readers keep what they have open: ``published/current``
is a link to one whole release, and then to the next.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import duckdb

from consonance.checks.check import Check, CheckResult
from consonance.checks.history import note_checks
from consonance.release import register
from consonance.release.certificate import CERTIFICATE, PAGE, write_certificate
from consonance.release.contents import DATABASE
from consonance.release.description import Table, described_tables, write_codebook, write_datapackage
from consonance.release.making import TIERS, NothingToPublish, build, draw_members, purpose_of
from consonance.release.package import write_tables
from consonance.release.register import CURRENT, WORK_PREFIX, Entry, Member
from consonance.release.release_checks import OF_EVERYBODY, ON_FILES, ON_RELEASE, ON_STUDY, Candidate
from consonance.release.workspace import locked, temporary_files_in
from consonance.study.child_processes import guarded
from consonance.study.copies import copy_stores, share_catalogue
from consonance.study.errors import ConsonanceError
from consonance.study.files import sync
from consonance.study.folder import Study
from consonance.study.schema import lay_out_stores
from consonance.study.settings import Settings
from consonance.study.store_errors import StoreInUse
from consonance.study.vault import attach_warehouse, open_study, session_settings

STORE_PATIENCE_S = 120.0

T = TypeVar("T")


class GateClosed(ConsonanceError):
    """A check failed; nothing was published."""


class CannotWrite(ConsonanceError):
    """The release cannot be written to the disk."""


class LedgerChanged(ConsonanceError):
    """Consent changed while the release was made."""


@dataclass(frozen=True)
class Release:
    """A published release; ``ledger`` is the fingerprint of the consent that it was made with."""

    number: int
    tier: str
    folder: Path
    participants: int
    results: tuple[CheckResult, ...]
    ledger: str

    @property
    def database(self) -> Path:
        return self.folder / DATABASE

    @property
    def certificate(self) -> Path:
        return self.folder / CERTIFICATE

    @property
    def page(self) -> Path:
        return self.folder / PAGE


def publish(
    study: Study,
    tier: str,
    *,
    on_study: Sequence[Check[Candidate]] = ON_STUDY,
    on_release: Sequence[Check[Candidate]] = ON_RELEASE,
    on_files: Sequence[Check[Candidate]] = ON_FILES,
    after: Release | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Release:
    """Build a release of ``tier`` from ``study``, run the checks, and publish it.

    Args:
        study: Loaded, with a warehouse.
        tier: ``controlled`` or ``public``.
        on_study, on_release, on_files: The checks; see ``consonance.release.release_checks``.
        after: The release that the same command has just published. If it has everybody of this one, and consent has
            not changed, its results count for the checks that look at how tables are made, and not at who is in them.
        progress: Reports what is going on, in a few words.

    Returns:
        The release, in ``published/<number>`` with ``published/current`` pointing at it.

    Raises:
        GateClosed: a check failed.
        CannotWrite, LedgerChanged, NotAnonymous, NothingToPublish, PublishBusy, ShiftsUsedUp, UnknownRelease: see there.
        ConsonanceError: a store cannot be opened, or dbt failed. In every case nothing is published.
    """
    if tier not in TIERS:
        raise ValueError(f"no tier {tier}")
    if not study.warehouse_path.exists():
        raise NothingToPublish(f"{study.root} has no warehouse yet.", "Run 'dbt run' first.")
    published = study.published.absolute()
    if not published.exists():
        published.mkdir()
        published.chmod(0o755)  # a release is for others
    work = published / f"{WORK_PREFIX}{secrets.token_hex(4)}"
    with locked(published) as lock, guarded(published, work, lock) as say:
        work.mkdir(mode=0o700)  # it has copies of the stores
        with temporary_files_in(work / "tmp"):
            try:
                checks = _Checks(on_study, on_release, on_files, after)
                return _make_and_publish(Study(study.root.absolute()), tier, work, checks, progress, say)
            except OSError as error:
                raise CannotWrite(
                    f"Nothing was published: {published} cannot be written to ({error.strerror}).",
                    "Free disk space, or give yourself the right to write there. If 'current' there is not a link, move it away.",
                ) from error


@dataclass(frozen=True)
class _Copies:
    """Copies of the stores, and what the vault said when they were made.

    Attributes:
        before: The study as it is.
        made: Without a warehouse; becomes the study that the release is made of.
        number: Of the release.
        as_of: The day on which consent is judged.
        ledger: Fingerprint of the ledger's state.
    """

    before: Study
    made: Study
    number: int
    as_of: datetime
    ledger: str


@dataclass(frozen=True)
class _Checks:
    """The checks of a publish, in the order in which they are run."""

    on_study: Sequence[Check[Candidate]]
    on_release: Sequence[Check[Candidate]]
    on_files: Sequence[Check[Candidate]]
    after: Release | None

    def known(self, copies: _Copies, members: Sequence[Member]) -> dict[str, CheckResult]:
        """The results of the release before that count for one with ``members`` too."""
        if self.after is None or self.after.ledger != copies.ledger:
            return {}
        with open_study(copies.before, read_only=True) as vault:
            if not {member.participant_no for member in members} <= register.members_of(vault, self.after.number):
                return {}
        note = f"Tested for release {self.after.number}, which the same command has made and which has everybody of this one: "
        return {
            result.name: replace(result, summary=note + result.summary)
            for result in self.after.results
            if result.name in OF_EVERYBODY
        }


def _make_and_publish(
    study: Study,
    tier: str,
    work: Path,
    checks: _Checks,
    progress: Callable[[str], None],
    say: Callable[[str], None],
) -> Release:
    created = datetime.now(UTC).replace(tzinfo=None)
    progress("copying the stores")
    copies = _copy(study, work, progress)
    members, demographics = build(copies.made, work, draw_members(copies.made, tier), tier, progress)
    if not members:
        raise NothingToPublish(
            f"Nothing was published: the participants who grant {purpose_of(tier)} have no data to release.",
            "They need an active consent to listening_history or emotion_reports; for the public tier also a play of 30 seconds.",
        )
    entry = Entry(copies.number, tier, copies.as_of, created, members)
    with open_study(copies.before) as vault:
        register.note(vault, entry)
    earlier = register.earlier_databases(work.parent)
    candidate = Candidate(copies.number, tier, copies.before, copies.made, work / "release", earlier, work)
    known = checks.known(copies, members)
    results = [known[check.name] for check in checks.on_study if check.name in known]
    results += _checked(study, [check for check in checks.on_study if check.name not in known], candidate, progress)
    progress("writing the files")
    tables = _write_files(candidate, created)
    results += _checked(study, checks.on_release, candidate, progress)

    def certify() -> str:
        return write_certificate(candidate, tables, len(members), results, copies.as_of, created, demographics)

    certify()  # the checks of files read it too
    results += _checked(study, checks.on_files, candidate, progress)
    digest = certify()
    progress("publishing")
    say(f"number {copies.number}")
    _switch(study, candidate, replace(entry, certificate_sha256=digest), copies.ledger, progress)
    return Release(
        copies.number, tier, study.published / str(copies.number), len(members), tuple(results), copies.ledger
    )


def _copy(study: Study, work: Path, progress: Callable[[str], None]) -> _Copies:
    """Copy the stores while nobody writes to them, after cleaning up what a killed publish left."""
    with ExitStack() as stack:
        # In dbt's order: warehouse, then vault. So neither waits for the other while it keeps one open.
        _patiently(lambda: _hold_warehouse(stack, study), progress)
        vault = _patiently(lambda: stack.enter_context(open_study(study, writes_catalogue=True)), progress)
        lay_out_stores(vault)
        register.sweep(vault, study, work.parent, keep=work)
        ((as_of,),) = vault.execute("select as_of from vault.raw.study").fetchall()
        vault.execute("checkpoint vault")
        vault.execute("checkpoint catalogue")
        before = copy_stores(study, [study.vault_path, study.warehouse_path], work / "before")
        made = copy_stores(study, [study.vault_path], work / "made")
        for copy in (before, made):
            share_catalogue(study, copy)
        return _Copies(
            before=before,
            made=made,
            number=register.next_number(vault),
            as_of=as_of,
            ledger=register.ledger_fingerprint(vault),
        )


def _write_files(candidate: Candidate, created: datetime) -> list[Table]:
    """Write everything but the certificate; returns what is in the tables."""
    write_tables(candidate.made, candidate.workspace, candidate.folder, candidate.tier)
    tables = described_tables(candidate.folder / DATABASE)
    title = Settings.read(candidate.before).title
    facts = {"study": title, "release": candidate.number, "tier": candidate.tier}
    write_codebook(candidate.folder, tables, facts)
    write_datapackage(candidate.folder, tables, candidate.number, title, candidate.tier, created)
    return tables


def _checked(
    study: Study, checks: Sequence[Check[Candidate]], candidate: Candidate, progress: Callable[[str], None]
) -> Iterator[CheckResult]:
    """Run one check after the other, and note each in the history of ``study``; the first that fails ends the publish."""
    for check in checks:
        progress(f"running the check '{check.name}'")
        try:
            result = check.run(candidate)
        except Exception as error:
            why = error.what if isinstance(error, ConsonanceError) else f"{type(error).__name__}."
            raise GateClosed(
                f"Nothing was published: the check '{check.name}' could not be run: {why}",
                error.remedy if isinstance(error, ConsonanceError) else "Run 'consonance check' and 'dbt build'.",
            ) from error
        note_checks(study, [result], (candidate.number, candidate.tier))
        if not result.passed:
            raise GateClosed(f"Nothing was published: the check '{check.name}' failed. {result.summary}", result.remedy)
        yield result


def _switch(
    study: Study, candidate: Candidate, entry: Entry, fingerprint: str, progress: Callable[[str], None]
) -> None:
    """Write the release into the release register, move it into place, point ``current`` at it, confirm.

    The vault stays open from the comparison of the ledger to the end: nobody can withdraw in between.
    """
    published = candidate.workspace.parent
    place = published / str(entry.number)
    _make_last(candidate.folder)
    link = candidate.workspace / CURRENT
    link.symlink_to(str(entry.number))
    with ExitStack() as stack:
        vault = _patiently(lambda: stack.enter_context(open_study(study)), progress)
        if register.ledger_fingerprint(vault) != fingerprint:
            raise LedgerChanged(
                "Nothing was published: consent changed while the release was made.",
                "Run 'dbt run', then publish again.",
            )
        register.note(vault, entry)
        try:
            candidate.folder.rename(place)
            sync(published)
            link.replace(published / CURRENT)
            sync(published)
        except OSError:
            if not register.is_published(published, entry.number):
                register.forget(vault, entry.number)
            raise
        register.confirm(vault, study, entry.number)


def _make_last(folder: Path) -> None:
    """Write every file of ``folder`` to the disk, and make it read-only."""
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o755 if path.is_dir() else 0o444)
        sync(path)


def _hold_warehouse(stack: ExitStack, study: Study) -> None:
    """Keep others from writing to the warehouse."""
    connection = stack.enter_context(duckdb.connect(config=session_settings()))
    attach_warehouse(connection, study)


def _patiently(open_store: Callable[[], T], progress: Callable[[str], None]) -> T:
    """Open a store as soon as no other program uses it.

    Raises:
        StoreInUse: it is still in use after ``STORE_PATIENCE_S``.
    """
    until = time.monotonic() + STORE_PATIENCE_S
    while True:
        try:
            return open_store()
        except StoreInUse as error:
            if time.monotonic() > until:
                raise
            progress(f"waiting: {error.what}")
            time.sleep(0.1)
