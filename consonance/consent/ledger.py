"""The consent ledger in the vault: a copy of ``consents.csv`` to which lines are only added."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

import duckdb

from consonance.consent.ledger_file import COLUMNS, ConsentEvent, read_ledger
from consonance.consent.state import EVENTS
from consonance.study.audit_log import anchor, record
from consonance.study.codes import NO_CODE, is_code
from consonance.study.folder import Study
from consonance.study.tables import CORRECT_LINES, BadTable, refuse_erased
from consonance.study.tokens import Tokens

ONLY_GROWS = (
    "Restore consents.csv from a copy; nothing was loaded from it. Lines may only be added: "
    "to correct a mistake, add a line at the end with the same occurred_at."
)


def load_ledger(
    connection: duckdb.DuckDBPyConnection, study: Study, registered: Collection[str], *, is_logged: bool = True
) -> list[ConsentEvent]:
    """Add to ``raw.consent_events`` the lines of ``consents.csv`` that were not loaded before.

    Lines are compared by what they say: spaces, quotes, line endings, delimiter, comments and the
    way in which a moment or a list of purposes is written make no difference.

    Args:
        connection: With the vault attached.
        study: Whose ledger.
        registered: The form versions of ``notices.csv``.
        is_logged: Whether the audit log gets an entry; not in a vault that is thrown away.

    Returns:
        The events that were added.

    Raises:
        BadTable: a line cannot be used, or names somebody who was erased, or a line that was loaded before was
            changed, removed or moved. Then nothing is loaded.
    """
    lines = read_ledger(study, registered)
    refuse_erased(connection, study.consents_path, [(line, event.participant_code) for line, event in lines])
    tokens = Tokens.of(connection)
    hashes = [_line_hash(tokens, event) for _, event in lines]
    loaded = _loaded_lines(connection, tokens)
    known = [line_hash for _, line_hash in loaded]
    if hashes[: len(known)] != known:
        raise BadTable(
            f"{study.consents_path} differs from the ledger that was loaded before: "
            f"{_first_difference([line for line, _ in lines], hashes, known)}.",
            ONLY_GROWS,
        )
    new = lines[len(known) :]
    _refuse_no_codes(study.consents_path, new)
    added = [event for _, event in new]
    first = loaded[-1][0] + 1 if loaded else 1
    if added:
        connection.begin()
        try:
            _append(connection, first, added, hashes[len(known) :])
            if is_logged:
                record(connection, study, "consent_events", _facts(tokens, first, added))
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        if is_logged:
            anchor(connection, study)
    return added


def _refuse_no_codes(path: Path, lines: Sequence[tuple[int, ConsentEvent]]) -> None:
    """Check the codes of new lines. Lines that were loaded before stay as they are."""
    faults = [f"line {line} {NO_CODE}" for line, event in lines if not is_code(event.participant_code)]
    if faults:
        raise BadTable(f"{path} cannot be used: {'; '.join(faults[:10])}.", CORRECT_LINES)


def name_erased(connection: duckdb.DuckDBPyConnection, code: str, name: str) -> int:
    """Put ``name`` for the participant ``code`` in the vault's ledger; the lines stay.

    Runs within the caller's transaction. ``consents.csv`` must get the same name.

    Returns:
        The number of lines concerned.
    """
    tokens = Tokens.of(connection)
    _loaded_lines(connection, tokens)
    renamed = connection.execute(
        f"update vault.raw.consent_events set participant_code = $name where participant_code = $code "
        f"returning ledger_line, {', '.join(COLUMNS)}",
        {"name": name, "code": code},
    ).fetchall()
    for number, *values in renamed:
        connection.execute(
            "update vault.raw.ledger_lines set line_hash = ? where ledger_line = ?",
            [_line_hash(tokens, ConsentEvent(*values)), number],
        )
    return len(renamed)


def _line_hash(tokens: Tokens, event: ConsentEvent) -> str:
    return tokens.token("ledger line", event.meaning())


def _loaded_lines(connection: duckdb.DuckDBPyConnection, tokens: Tokens) -> list[tuple[int, str]]:
    """(number, hash) of every line that was loaded. Vaults of before 2026-12 have events without hashes."""
    lines = connection.execute("select ledger_line, line_hash from vault.raw.ledger_lines order by ledger_line")
    if found := [(int(number), str(line_hash)) for number, line_hash in lines.fetchall()]:
        return found
    events = connection.execute(
        f"select ledger_line, {', '.join(COLUMNS)} from vault.raw.consent_events order by ledger_line"
    ).fetchall()
    found = [(number, _line_hash(tokens, ConsentEvent(*values))) for number, *values in events]
    if found:
        connection.executemany("insert into vault.raw.ledger_lines values (?, ?)", found)
    return found


def _first_difference(lines: Sequence[int], found: Sequence[str], known: Sequence[str]) -> str:
    """What happened to the first line that is not as it was loaded, with its line in the file."""
    place = next((place for place, (one, other) in enumerate(zip(found, known, strict=False)) if one != other), None)
    if place is None:
        missing = len(known) - len(found)
        return f"its last {'line is' if missing == 1 else f'{missing} lines are'} missing"
    if found[place] in known[place + 1 :]:
        moved = known[place] in found[place + 1 :]
        return f"line {lines[place]} was moved" if moved else f"a line before line {lines[place]} was removed"
    if known[place] in found[place + 1 :]:
        return f"line {lines[place]} was inserted between lines that were loaded before"
    return f"line {lines[place]} was changed"


def _facts(tokens: Tokens, first: int, events: Sequence[ConsentEvent]) -> dict[str, int | list[str]]:
    """What the audit log keeps of new lines: how many of each kind, where, and whose, by token."""
    counts = Counter(event.event for event in events)
    return {
        "first_line": first,
        "last_line": first + len(events) - 1,
        **{event: counts[event] for event in EVENTS},
        "participants": sorted({tokens.participant(event.participant_code) for event in events}),
    }


def _append(
    connection: duckdb.DuckDBPyConnection, first: int, events: Sequence[ConsentEvent], hashes: Sequence[str]
) -> None:
    numbers = range(first, first + len(events))
    connection.executemany(
        "insert into vault.raw.consent_events values (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            [
                number,
                event.participant_code,
                event.event,
                list(event.purposes),
                event.form_version,
                event.occurred_at,
                event.history_from,
                event.history_to,
            ]
            for number, event in zip(numbers, events, strict=True)
        ],
    )
    connection.executemany(
        "insert into vault.raw.ledger_lines values (?, ?)",
        [list(pair) for pair in zip(numbers, hashes, strict=True)],
    )
