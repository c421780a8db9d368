"""Amendment: a participant takes back a purpose or narrows the window, and stays in the study.

What is no longer covered is erased from the vault. The models say which plays that is: dbt judges every row again,
and those with the fate ``purpose_not_granted`` or ``outside_consent_window`` are deleted, with every copy of theirs
(a copy would take their place). What would bring them back later is known by a hash (``erased_plays``). Answers,
libraries and demographics need no step here: each load reads them again, of those who grant them. The give-back pages of
those concerned are deleted. Then vault and warehouse are written into fresh files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from consonance.consent.coverage import OF_SOME_PLAYS, Coverage, delete_history, narrowed, note_applied
from consonance.erasure.erased_plays import erase_plays, erase_returned, note_erased
from consonance.erasure.fetched_tracks import forget_unheard
from consonance.erasure.rewriting import rebuild_warehouse, rewrite_vault
from consonance.erasure.vault_rows import drop_what_dbt_made
from consonance.study.audit_log import Fact, anchor, record
from consonance.study.dbt_command import run_dbt
from consonance.study.files import remove_within
from consonance.study.folder import Study
from consonance.study.tokens import Tokens
from consonance.study.vault import open_study

UNCOVERED_PLAYS = Path(__file__).with_name("uncovered_plays.sql")
# Purposes on which no row of vault and warehouse depends: if one is taken back, there is nothing to erase.
FLAGS = frozenset({"sharing_controlled", "sharing_public"})


@dataclass(frozen=True)
class Narrowed:
    """What one participant took back, and how many plays were erased for it."""

    participant_code: str
    purposes: tuple[str, ...]
    is_window_narrower: bool
    plays: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def erase_uncovered(study: Study, progress: Callable[[str], None] = lambda _: None) -> list[Narrowed]:
    """Erase from the vault what consent covered before and no longer covers.

    Safe to repeat; if it is interrupted, the next call goes on.

    Args:
        study: Loaded.
        progress: Reports each step, in a few words.

    Returns:
        Every participant who took something back since the last call, in order of code.

    Raises:
        CopyFailed, DbtFailed, StoreError, VaultKeyError: see there; call it again.
    """
    with open_study(study) as connection:
        concerned = narrowed(connection)
        if not concerned:
            return []
        if all(one.lost <= FLAGS and not one.is_window_narrower for one in concerned):
            note_applied(connection)
            return [_narrowed(one, 0) for one in concerned]
    losing_some_plays = [one for one in concerned if "listening_history" in one.purposes and _loses_some_plays(one)]
    if losing_some_plays:
        progress("deciding again which plays the consents cover (dbt run)")
        run_dbt(study, "run", "--select", "+int_play_fates")
    progress("erasing the data that consent no longer covers")
    erased = _delete(study, concerned, losing_some_plays)
    for one in concerned:
        remove_within(study.root, study.giveback_of(one.participant_code))  # it shows what was erased
    progress("writing the vault into a fresh file")
    rewrite_vault(study)
    progress("building the warehouse again (dbt run)")
    rebuild_warehouse(study)
    with open_study(study) as connection:
        note_applied(connection)
    return [_narrowed(one, erased.get(one.participant_no, 0)) for one in concerned]


def _loses_some_plays(coverage: Coverage) -> bool:
    return coverage.is_window_narrower or bool(coverage.lost & OF_SOME_PLAYS)


def _delete(study: Study, concerned: list[Coverage], losing_some_plays: list[Coverage]) -> dict[int, int]:
    """Delete rows in one transaction; the number of plays by participant number."""
    erased: dict[int, int] = {}
    with open_study(study) as connection:
        connection.begin()
        for coverage in concerned:
            if "listening_history" in coverage.lost:
                erased[coverage.participant_no] = delete_history(connection, coverage.participant_no)
        without_history = list(erased)
        if losing_some_plays:
            erased |= _delete_plays(connection, [coverage.participant_no for coverage in losing_some_plays])
        if plays := sum(erased.values()):
            forget_unheard(connection, without_history)
            tokens = Tokens.of(connection)
            facts: dict[str, Fact] = {
                "participants": [tokens.participant(coverage.participant_code) for coverage in concerned],
                "purposes": sorted({purpose for coverage in concerned for purpose in coverage.lost}),
                "narrower_windows": sum(coverage.is_window_narrower for coverage in concerned),
                "plays": plays,
            }
            record(connection, study, "uncovered_erased", facts)
        drop_what_dbt_made(connection)
        connection.commit()
        anchor(connection, study)
    return erased


def _delete_plays(connection: duckdb.DuckDBPyConnection, numbers: list[int]) -> dict[int, int]:
    """Delete the uncovered plays of these participants, and what else is kept of them row by row."""
    connection.execute("set variable numbers = $numbers", {"numbers": numbers})
    connection.execute(UNCOVERED_PLAYS.read_text(encoding="utf-8"))
    erased = Counter(erase_plays(connection, "uncovered_plays"))
    note_erased(connection)
    erased.update(erase_returned(connection, numbers))
    # What a rejected row held may be of the same kind; that it was rejected, and why, stays.
    connection.execute(
        "update vault.raw.rejected_rows set listed_fields = null where list_contains($numbers, participant_no)",
        {"numbers": numbers},
    )
    return erased


def _narrowed(coverage: Coverage, plays: int) -> Narrowed:
    return Narrowed(coverage.participant_code, tuple(sorted(coverage.lost)), coverage.is_window_narrower, plays)
