"""Withdrawal: erase a participant from every store and study file, with evidence.

``withdraw`` lists the steps. Before the first step ends nothing is erased; from then on the withdrawal is pending
(``consonance.erasure.record``), and no load runs until it is finished. Every step may be done twice: if the command
is stopped at any moment, it is started again and goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from consonance.erasure.certificate import write_certificate
from consonance.erasure.evidence import note_search
from consonance.erasure.exports import exports_to_delete
from consonance.erasure.ledger_event import enter_withdrawal
from consonance.erasure.planning import NothingPending
from consonance.erasure.record import ErasureRecord, begin, end, only_one, pending
from consonance.erasure.releases import Unpublished, unpublish
from consonance.erasure.rewriting import rebuild_warehouse, rewrite_vault
from consonance.erasure.search import Scan, search_stores
from consonance.erasure.study_files import clear, left_to_do, others_enrolled
from consonance.erasure.vault_rows import delete_rows
from consonance.study.folder import Study


@dataclass(frozen=True)
class Withdrawal:
    """A withdrawal that has ended: the certificate, and what the operator must look at."""

    certificate: Path
    page: Path
    releases: Unpublished
    scan: Scan
    to_do: tuple[str, ...]


def withdraw(
    study: Study,
    planned: ErasureRecord | None = None,
    *,
    rebuild: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> Withdrawal:
    """Erase whom ``planned`` is about, or go on with what was interrupted.

    Args:
        study: Whose participant.
        planned: By ``plan`` or ``plan_replay``; an interrupted withdrawal is finished instead of it.
        rebuild: Whether a current controlled release that holds them is published again without them.
        progress: Reports each step, in a few words.

    Returns:
        Certificate and page, and what is left to do by hand.

    Raises:
        NothingPending: nothing is planned, and nothing was interrupted.
        ErasureIncomplete: something was found afterwards; the withdrawal stays pending.
        WithdrawalBusy, CopyFailed, DbtFailed, StoreError, VaultKeyError: see there; run it again.
    """
    step = partial(_step, progress=progress)
    with only_one(study):
        record = pending(study)
        if record is None:
            if planned is None:
                raise NothingPending("No withdrawal was interrupted.", "Name the participant's code.")
            with step("recording what is to be erased"):
                record = begin(study, planned)
        with step("deleting rows"):
            delete_rows(study, record)
        with step("clearing the study files"):
            clear(study, record.labels)
            enter_withdrawal(study, record)
        with step("writing the vault into a fresh file"):
            rewrite_vault(study)
        with step("building the warehouse again (dbt run)"):
            rebuild_warehouse(study)
        with step("unpublishing releases"):
            releases = unpublish(study, record.releases, rebuild, progress)
        with step("searching every store"):
            scan, left = search_stores(study, record)
        with step("writing the certificate"):
            codes = record.people.participant_code
            others = others_enrolled(study, codes)
            to_do = left_to_do(study, codes, [*record.usernames, *record.tool_ids], others)
            to_do += exports_to_delete(study, [release.number for release in record.releases])
            evidence = note_search(study, record, scan)
            certificate, page = write_certificate(study, record, left, releases, scan, to_do, evidence)
        end(study)
    return Withdrawal(certificate, page, releases, scan, tuple(to_do))


@contextmanager
def _step(name: str, progress: Callable[[str], None]) -> Iterator[None]:
    progress(name)
    yield
    _done(name)


def _done(step: str) -> None:
    """Where a withdrawal can be killed; tests do."""
