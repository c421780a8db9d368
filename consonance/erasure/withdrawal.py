"""Withdrawal: one participant goes, from every store and file, with evidence; as one operation that can be resumed.

1. What must be known of them is taken down (``consonance.erasure.record``). From here on the operation is pending.
2. One transaction in the vault: tombstone, rows deleted, the ledger's lines under their token, audit entry.
3. The operator's files: donation, lines of tables, receipts. The ledger gets the event.
4. The vault is written into a fresh file, which takes its place: the old one holds deleted rows still.
5. Warehouse, dbt's artifacts and logs, site and temporary files go. dbt builds the warehouse anew.
6. Releases that hold them are taken down, the current one is made anew.
7. Every column of vault and warehouse is searched for what only they had, releases for their names. The
   certificate is written.

Every step may be done twice. Killed at any moment, the same command goes on with what is pending.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import duckdb

from consonance.consent.ledger import ConsentEvent, append_to_file, load_ledger, name_erased
from consonance.consent.notices import load_notices
from consonance.consent.rules import with_rules
from consonance.erasure.certificate import Evidence, write_certificate
from consonance.erasure.participant_tables import count_rows, relations
from consonance.erasure.record import Operation, attach_operation, begin, draft, end, only_one, pending
from consonance.erasure.releases import Unpublished, read_handovers, take_down
from consonance.erasure.rewriting import rebuild_warehouse, rewrite_vault
from consonance.erasure.study_files import clear, left_to_do
from consonance.erasure.unique_values import Scan, search, search_for_names
from consonance.release.register import earlier_databases
from consonance.study.audit_log import Entry, Fact, anchor, read_entries, record
from consonance.study.codes import checked_code
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.schema import lay_out_stores
from consonance.study.tokens import Tokens
from consonance.study.tombstones import LABEL_PREFIX, forgotten, label, read_tombstones, remember
from consonance.study.vault import attach_study, attach_to_read, lock_down, open_study, session_settings

NAMES_IN_OTHERS = Path(__file__).with_name("names_in_others.sql")


class UnknownParticipant(ConsonanceError):
    """The study has nothing of anybody of this code."""


class NothingPending(ConsonanceError):
    """No withdrawal was interrupted, and no vault has forgotten one."""


class ErasureIncomplete(ConsonanceError):
    """Something of the participant was found after everything was erased."""


@dataclass(frozen=True)
class Withdrawal:
    """A withdrawal that has ended: the certificate, and what the operator must look at."""

    certificate: Path
    page: Path
    releases: Unpublished
    scan: Scan
    to_do: tuple[str, ...]


def plan(study: Study, code: str, requested_at: datetime) -> Operation:
    """What ``withdraw`` of the participant ``code`` would be about; nothing is erased.

    The ledger is loaded first: what ``consents.csv`` says must be in the vault, and must be in order.

    Args:
        study: Whose participant.
        code: Their participant code.
        requested_at: When they asked for it, in UTC without an offset.

    Raises:
        BadCode: ``code`` is no participant code.
        UnknownParticipant: there is nothing of them, or not any more.
        BadTable: ``consents.csv``, ``notices.csv`` or ``recipients.csv`` cannot be used.
        StoreError, VaultKeyError: a store cannot be opened.
    """
    if checked_code(code).startswith(LABEL_PREFIX):
        raise UnknownParticipant(
            "This stands for a participant who was erased already.", f"The certificate is in {study.withdrawals}."
        )
    read_handovers(study)
    with open_study(study) as connection:
        lay_out_stores(connection)
        load_ledger(connection, study, load_notices(connection, study))
        tombstones = read_tombstones(connection)
    planned = draft(study, [code], requested_at)
    if not planned.rows["vault"] and not planned.papers.are_there:
        moment = tombstones.get(planned.tokens[0])
        raise UnknownParticipant(
            f"The participant was erased on {moment:%Y-%m-%d}." if moment else "The study has nobody of this code.",
            f"The certificate is in {study.withdrawals}." if moment else "Mind the spelling.",
        )
    return planned


def plan_replay(study: Study) -> Operation:
    """What must be erased again because the vault was put back from a backup.

    Raises:
        NothingPending: the vault knows every withdrawal.
        StoreError, VaultKeyError: a store cannot be opened.
    """
    with open_study(study, may_be_stale=True) as connection:
        lay_out_stores(connection)
        missing = forgotten(connection, study)
        tokens = Tokens.of(connection)
        back = [
            code
            for (code,) in connection.execute(
                """
                select participant_code from vault.raw.keyring
                union
                select participant_code from vault.raw.participants
                union
                select participant_code from vault.raw.consent_events
                order by all
                """
            ).fetchall()
            if tokens.participant(code) in missing
        ]
    if not missing:
        raise NothingPending(f"{study.vault_path} knows every withdrawal.", "Nothing is to be replayed.")
    planned = draft(study, back, None)
    # Who is not in the backup at all needs their tombstone back nonetheless.
    return replace(planned, tokens=(*planned.tokens, *sorted(missing.keys() - set(planned.tokens))))


def withdraw(
    study: Study,
    planned: Operation | None = None,
    *,
    rebuild: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> Withdrawal:
    """Erase whom ``planned`` is about, or go on with what was interrupted.

    Args:
        study: Whose participant.
        planned: By ``plan`` or ``plan_replay``; an interrupted withdrawal is finished instead of it.
        rebuild: Whether a current controlled release that holds them is to be made anew.
        progress: Is told what is going on, in a few words.

    Returns:
        Certificate and page, and what is left to do by hand.

    Raises:
        NothingPending: nothing is planned, and nothing was interrupted.
        ErasureIncomplete: something was found afterwards; the operation stays pending.
        WithdrawalBusy, CopyFailed, DbtFailed, StoreError, VaultKeyError: see there; run it again.
    """
    with only_one(study):
        operation = pending(study)
        if operation is None:
            if planned is None:
                raise NothingPending("No withdrawal was interrupted.", "Name the participant's code.")
            progress("taking down what is to be erased")
            operation = begin(study, planned)
        _step("begun")
        progress("deleting rows")
        _delete_rows(study, operation)
        _step("rows deleted")
        progress("clearing the study folder")
        _clear_files(study, operation)
        _step("files cleared")
        progress("writing the vault afresh")
        rewrite_vault(study)
        _step("vault rewritten")
        progress("building the warehouse anew (dbt run)")
        rebuild_warehouse(study)
        _step("warehouse rebuilt")
        releases = take_down(study, operation.releases, rebuild, progress)
        _step("releases taken down")
        progress("searching every store")
        scan, left = _search(study, operation)
        if not scan.passed or any(left.values()):
            raise ErasureIncomplete(
                f"After the erasure something of the participant was found in {', '.join(sorted(scan.hits) or left)}.",
                "Nothing is certified. Run 'consonance withdraw' again; if it stays, please report it.",
            )
        _step("searched")
        to_do = left_to_do(study, operation.people.participant_code, operation.usernames)
        evidence = _note_end(study, operation, scan)
        certificate, page = write_certificate(study, operation, left, releases, scan, to_do, evidence)
        _step("certified")
        end(study)
    return Withdrawal(certificate, page, releases, scan, tuple(to_do))


def _delete_rows(study: Study, operation: Operation) -> None:
    """The transaction in the vault, unless it was done before; then the tombstones beside it."""
    with open_study(study, may_be_stale=True) as connection:
        lay_out_stores(connection)
        tables = [table for table in relations(connection, "vault") if table.schema == "raw"]
        if _entries(connection, operation)[0] is None:
            connection.begin()
            names = _hide_names(connection, operation)
            lines = 0
            for code, token in zip(operation.people.participant_code, operation.tokens, strict=False):
                lines += name_erased(connection, code, label(token))
            for table in tables:
                if whose := table.whose(operation.people):
                    connection.execute(
                        f"delete from {table.place} where list_contains($whose, {table.key})", {"whose": whose}
                    )
            for (schema,) in connection.execute(
                "select schema_name from duckdb_schemas() where database_name = 'vault' and not internal and schema_name not in ('raw', 'main')"
            ).fetchall():
                connection.execute(f'drop schema vault."{schema}" cascade')
            connection.execute(
                "insert into vault.raw.tombstones select unnest($tokens), cast(now() as timestamp) on conflict do nothing",
                {"tokens": list(operation.tokens)},
            )
            connection.execute(
                "insert into vault.raw.erased_donations select unnest($tokens) on conflict do nothing",
                {"tokens": list(operation.donations)},
            )
            facts: dict[str, Fact] = {
                "participants": list(operation.tokens),
                "rows": sum(operation.rows["vault"].values()),
                "ledger_lines": lines,
                "others_texts": names,
                "replayed": int(operation.is_replay),
            }
            record(connection, study, "erased", facts)
            connection.commit()
        anchor(connection, study)
        remember(connection, study)
        connection.execute("checkpoint vault")


def _hide_names(connection: duckdb.DuckDBPyConnection, operation: Operation) -> int:
    """Give others' texts that name them another wording; the number of such texts."""
    for name, value in {
        "numbers": list(operation.people.participant_no),
        "names": [*operation.usernames, *operation.people.participant_code],
        "label": label(operation.tokens[0]),
    }.items():
        connection.execute(f"set variable {name} = $value", {"value": value})
    connection.execute(with_rules(NAMES_IN_OTHERS.read_text(encoding="utf-8")))
    ((texts,),) = connection.execute("select count(*) from texts_to_hide").fetchall()
    return int(texts)


def _clear_files(study: Study, operation: Operation) -> None:
    """Donations, lines and receipts; then the ledger gets the event, as every other gets there."""
    for code, token in zip(operation.people.participant_code, operation.tokens, strict=False):
        clear(study, code, label(token))
    with open_study(study) as connection:
        for file in operation.papers.lines:
            # Counts of refused lines are by file: the next load counts them again.
            connection.execute("delete from vault.raw.survey_rejects where file = $file", {"file": file})
        if operation.requested_at:
            registered = load_notices(connection, study)
            load_ledger(connection, study, registered)
            last = connection.execute(
                """
                select event, form_version from vault.raw.consent_events
                where participant_code = $name order by occurred_at desc, ledger_line desc limit 1
                """,
                {"name": label(operation.tokens[0])},
            ).fetchall()
            if last and last[0][0] != "withdrawn":
                moment = datetime.fromisoformat(operation.requested_at)
                event = ConsentEvent(label(operation.tokens[0]), "withdrawn", (), last[0][1], moment, None, None)
                append_to_file(study.consents_path, [event])
                load_ledger(connection, study, registered)
        connection.execute("checkpoint vault")


def _search(study: Study, operation: Operation) -> tuple[Scan, dict[str, dict[str, int]]]:
    """Look for the witnesses in the stores, for names in the releases that stay; count the rows by key again."""
    with duckdb.connect(config=session_settings()) as connection:
        attach_study(connection, study, read_only=True)
        attach_operation(connection, study)
        attach_to_read(connection, study.warehouse_path, "warehouse")
        releases = earlier_databases(study.published) if study.published.exists() else {}
        for number, path in releases.items():
            attach_to_read(connection, path, f"release_{number}")
        lock_down(connection, [])
        stores = {name: relations(connection, name) for name in ("vault", "warehouse")}
        others = [table for number in releases for table in relations(connection, f"release_{number}")]
        rows = {name: count_rows(connection, tables, operation.people) for name, tables in stores.items()}
        scan = search(connection, [*stores["vault"], *stores["warehouse"]], relations(connection, "catalogue"))
        people = operation.people
        search_for_names(
            connection, others, [*people.participant_code, *people.participant_id, *operation.usernames], scan
        )
        return scan, rows


def _note_end(study: Study, operation: Operation, scan: Scan) -> Evidence:
    """Note in the audit log that nothing was found, once, and read back what it keeps of the operation."""
    with open_study(study) as connection:
        erased, searched = _entries(connection, operation)
        if searched is None:
            facts: dict[str, Fact] = {
                "participants": list(operation.tokens),
                "columns": scan.columns,
                "rows": scan.rows,
                "found": 0,
            }
            record(connection, study, "erasure_searched", facts)
            erased, searched = _entries(connection, operation)
        anchor(connection, study)
        connection.execute("checkpoint vault")
    assert erased and searched
    return Evidence(erased, searched)


def _entries(connection: duckdb.DuckDBPyConnection, operation: Operation) -> tuple[Entry | None, Entry | None]:
    """The operation's two entries of the audit log: the rows were deleted, nothing was found.

    Somebody may have been erased before, and something of theirs have been brought back since.
    """
    begun_at = datetime.fromisoformat(operation.begun_at)
    found = {
        entry.kind: entry
        for entry in read_entries(connection)
        if entry.moment >= begun_at and json.loads(entry.facts).get("participants") == list(operation.tokens)
    }
    return found.get("erased"), found.get("erasure_searched")


def _step(name: str) -> None:
    """Where a withdrawal can be killed; tests do."""
