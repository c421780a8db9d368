"""Tombstones: a keyed token for each participant who was erased, so that nobody brings them back.

They are in the vault, and in ``tombstones.csv`` beside it. A stale backup of the vault lacks the withdrawals since:
the file has them, and the vault is not opened until they are replayed. Without the vault's key of tokens nobody can
find out whose a token is.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime

import duckdb

from consonance.study.codes import is_code
from consonance.study.errors import ConsonanceError
from consonance.study.files import replace_file
from consonance.study.folder import Study
from consonance.study.tokens import Tokens

# What takes the place of the code of an erased participant begins with this.
LABEL_PREFIX = "erased-"
TOKEN = re.compile(r"[0-9a-f]{32}")
HEADER = ("token", "erased_at")


class StaleBackup(ConsonanceError):
    """The vault is older than a withdrawal: it has data of somebody who was erased."""


class WithdrawalUnfinished(ConsonanceError):
    """A withdrawal is running, or was interrupted."""


def label(token: str) -> str:
    """What the ledger calls an erased participant, and the beginning of what replaces texts of others that named them."""
    return LABEL_PREFIX + token


def read_tombstones(connection: duckdb.DuckDBPyConnection) -> dict[str, datetime]:
    """The tombstones of the attached ``vault``: token to moment, in UTC; none in one of before 2026-12."""
    if not _has_tombstones(connection):
        return {}
    return dict(connection.execute("select token, erased_at from vault.raw.tombstones order by token").fetchall())


def erased_codes(connection: duckdb.DuckDBPyConnection, codes: list[str]) -> set[str]:
    """Those of ``codes`` that were erased."""
    tombstones = read_tombstones(connection)
    if not tombstones:
        return set()
    tokens = Tokens.of(connection)
    return {code for code in codes if is_code(code) and tokens.participant(code) in tombstones}


def refuse_unfinished(study: Study) -> None:
    """Check that no withdrawal was interrupted.

    Raises:
        WithdrawalUnfinished: a withdrawal was interrupted, or is running.
    """
    if study.pending.exists():
        raise WithdrawalUnfinished(
            f"A withdrawal from {study.root} was begun and is not finished.",
            "If none is running, run 'consonance withdraw' without a code: it finishes the withdrawal.",
        )


def remember(connection: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Write every tombstone of the vault, and those the file has already, to ``tombstones.csv``."""
    tombstones = read_file(study) | read_tombstones(connection)
    if tombstones:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows((token, f"{moment.isoformat()}Z") for token, moment in sorted(tombstones.items()))
        replace_file(study.tombstones_path, text.getvalue().encode())


def read_file(study: Study) -> dict[str, datetime]:
    """The tombstones of ``tombstones.csv``: token to moment.

    Raises:
        StaleBackup: the file was changed by hand.
    """
    try:
        lines = list(csv.reader(io.StringIO(study.tombstones_path.read_text(encoding="utf-8"))))
        if lines[0] != list(HEADER) or not all(TOKEN.fullmatch(token) for token, _ in lines[1:]):
            raise ValueError
        return {
            token: datetime.fromisoformat(moment).astimezone(UTC).replace(tzinfo=None) for token, moment in lines[1:]
        }
    except FileNotFoundError:
        return {}
    except (ValueError, IndexError):
        raise StaleBackup(
            f"{study.tombstones_path} cannot be read.",
            "It lists who must not come back. Restore it from a copy, or move it away: the next withdrawal writes the "
            "vault's own tombstones to a new file.",
        ) from None


def missing_tombstones(connection: duckdb.DuckDBPyConnection, study: Study) -> Mapping[str, datetime]:
    """The tombstones of the file that the attached ``vault`` lacks."""
    in_file = read_file(study)
    known = read_tombstones(connection) if in_file else {}
    return {token: moment for token, moment in in_file.items() if token not in known}


def refuse_stale_backup(connection: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Check that the attached ``vault`` has every tombstone of the file.

    Raises:
        StaleBackup: it lacks one.
    """
    if missing := missing_tombstones(connection, study):
        raise StaleBackup(
            f"{study.vault_path} is older than {len(missing)} withdrawal{'s' if len(missing) > 1 else ''}: "
            "it is a stale backup, and may have data of participants who were erased.",
            "Run 'consonance withdraw --replay': it erases them again.",
        )


def _has_tombstones(connection: duckdb.DuckDBPyConnection) -> bool:
    return bool(
        connection.execute(
            "select 1 from duckdb_tables() where database_name = 'vault' and schema_name = 'raw' and table_name = 'tombstones'"
        ).fetchall()
    )
