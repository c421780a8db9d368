"""What must hold before data leave the study folder, and the note that they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from consonance.consent.state import LEDGER_STATE
from consonance.export.folder import CannotExport
from consonance.study.audit_log import Fact, anchor, record
from consonance.study.folder import Study
from consonance.study.last_run import why_outdated

KIND = "exported"


def refuse_outdated(connection: duckdb.DuckDBPyConnection) -> None:
    """Refuse to export from a warehouse that is not what dbt would make now.

    Args:
        connection: With ``vault`` and ``warehouse``.

    Raises:
        CannotExport: the warehouse is outdated.
    """
    if why := why_outdated(connection):
        raise CannotExport(f"Nothing was exported. {why}", "Run 'dbt run' first.")


def refuse_without_consent(
    connection: duckdb.DuckDBPyConnection, persons: Sequence[str], purposes: Sequence[str], release: int | None = None
) -> None:
    """Refuse to export somebody who does not grant every purpose today: consent may have changed since the build.

    Args:
        connection: With ``vault``.
        persons: The pseudonyms of who is to be exported.
        purposes: Which all of them must grant.
        release: The release of their pseudonyms; ``None`` for those of the warehouse.

    Raises:
        CannotExport: somebody does not.
    """
    keys = "vault.raw.keyring" if release is None else "vault.raw.release_keyring"
    ((lacking,),) = connection.execute(
        f"""
        select count(*)
        from (select unnest($persons) as pseudonym) as persons
        left join {keys} as keys
            on keys.pseudonym = persons.pseudonym
            {"" if release is None else "and keys.release_no = $release"}
        left join ({LEDGER_STATE}) as ledger_state on ledger_state.participant_no = keys.participant_no
        where not coalesce(list_has_all(ledger_state.purposes, $purposes), false)
        """,
        {"persons": list(persons), "purposes": list(purposes)} | ({} if release is None else {"release": release}),
    ).fetchall()
    if lacking:
        raise CannotExport(
            f"Nothing was exported: {lacking} of the participants do not grant {', '.join(purposes)} any more.",
            "Run 'consonance load' and 'dbt run' first."
            if release is None
            else "Publish again, and export from the new release.",
        )


def note(connection: duckdb.DuckDBPyConnection, study: Study, facts: Mapping[str, Fact]) -> int:
    """Enter an export into the audit log.

    Args:
        connection: With the vault for writing.
        study: Whose vault.
        facts: What was exported: words, counts and hashes.

    Returns:
        The number of the entry.
    """
    connection.begin()
    number = record(connection, study, KIND, facts)
    connection.commit()
    anchor(connection, study)
    return number
