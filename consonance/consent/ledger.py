"""The consent ledger: ``consents.csv``, which the operator writes, and its copy in the vault. Lines are only added."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb

from consonance.consent.state import EVENTS, PURPOSES
from consonance.study.audit_log import anchor, record
from consonance.study.codes import NO_CODE, is_code
from consonance.study.folder import Study
from consonance.study.tables import CORRECT_LINES, BadTable, TableReader, append_rows, refuse_erased
from consonance.study.tokens import Tokens

COLUMNS = ("participant_code", "event", "purposes", "form_version", "occurred_at", "history_from", "history_to")
ONLY_GROWS = (
    "Restore consents.csv from a copy; nothing was loaded from it. Lines may only be added: "
    "correct a mistake by a further line at the end, with the same occurred_at."
)
REGISTER = "Register the notice with 'consonance consent notice FILE --version VERSION --language LANGUAGE'."


@dataclass(frozen=True)
class ConsentEvent:
    """One decision of a participant.

    Attributes:
        participant_code: Who.
        event: One of ``EVENTS``.
        purposes: What is granted from then on, of ``PURPOSES``.
        form_version: The notice they read.
        occurred_at: When, in UTC, without an offset, to the millisecond.
        history_from: First consented day of their history; ``None`` means no bound.
        history_to: Last consented day.
    """

    participant_code: str
    event: str
    purposes: tuple[str, ...]
    form_version: str
    occurred_at: datetime
    history_from: date | None
    history_to: date | None

    def meaning(self) -> str:
        """What the line says, however it is written: equal for equal events, as canonical JSON."""
        return json.dumps(
            [
                self.participant_code,
                self.event,
                sorted(set(self.purposes)),
                self.form_version,
                self.occurred_at.isoformat(timespec="milliseconds"),
                self.history_from and self.history_from.isoformat(),
                self.history_to and self.history_to.isoformat(),
            ],
            separators=(",", ":"),
        )


def read_ledger(study: Study, registered: Collection[str]) -> list[tuple[int, ConsentEvent]]:
    """What ``consents.csv`` says: (line of the file, event), in its order.

    Args:
        study: Whose ledger.
        registered: The form versions of ``notices.csv``.

    Raises:
        BadTable: a line cannot be used, or names a notice that is not registered.
    """
    reader = TableReader(study.consents_path)
    events = []
    for line, row in reader.rows(COLUMNS):
        if not row["participant_code"]:
            reader.fault(line, "has no participant_code")
        if row["event"] not in EVENTS:
            reader.fault(line, f"has another event than {', '.join(EVENTS)}")
        purposes = tuple(purpose for purpose in re.split(r"[;,|\s]+", row["purposes"]) if purpose)
        if unknown := [purpose for purpose in purposes if purpose not in PURPOSES]:
            reader.fault(line, f"has {len(unknown)} unknown purposes (known are {', '.join(PURPOSES)})")
        if not row["form_version"]:
            reader.fault(line, "names no form_version")
        elif row["form_version"] not in registered:
            reader.fault(line, "names a form_version that notices.csv does not register", REGISTER)
        first, last = _day(reader, line, "history_from", row), _day(reader, line, "history_to", row)
        if first and last and first > last:
            reader.fault(line, "has a history_from after its history_to")
        moment = reader.moment(line, "occurred_at", row["occurred_at"])
        if moment is None:
            continue
        moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        event = ConsentEvent(row["participant_code"], row["event"], purposes, row["form_version"], moment, first, last)
        events.append((line, event))
    reader.close()
    return events


def load_ledger(connection: duckdb.DuckDBPyConnection, study: Study, registered: Collection[str]) -> list[ConsentEvent]:
    """Add to ``raw.consent_events`` the lines of ``consents.csv`` that were not loaded before.

    Lines are compared by what they say: spaces, quotes, line endings, delimiter, comments and the
    way in which a moment or a list of purposes is written make no difference.

    Args:
        connection: With the vault attached.
        study: Whose ledger.
        registered: The form versions of ``notices.csv``.

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
            f"{study.consents_path} is not the ledger that was loaded before: "
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
            record(connection, study, "consent_events", _facts(tokens, first, added))
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        anchor(connection, study)
    return added


def _refuse_no_codes(path: Path, lines: Sequence[tuple[int, ConsentEvent]]) -> None:
    """Check the codes of new lines. Lines that were loaded before stay as they are."""
    faults = [f"line {line} {NO_CODE}" for line, event in lines if not is_code(event.participant_code)]
    if faults:
        raise BadTable(f"{path} cannot be used: {'; '.join(faults[:10])}.", CORRECT_LINES)


def append_to_file(path: Path, events: Sequence[ConsentEvent]) -> None:
    """Add lines at the end of ``consents.csv``, in its own delimiter and line endings."""
    rows = []
    for event in events:
        values = (
            event.participant_code,
            event.event,
            " ".join(event.purposes),
            event.form_version,
            event.occurred_at.isoformat(timespec="milliseconds") + "+00:00",
            event.history_from or "",
            event.history_to or "",
        )
        rows.append(dict(zip(COLUMNS, values, strict=True)))
    append_rows(path, rows)


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


def _day(reader: TableReader, line: int, column: str, row: dict[str, str]) -> date | None:
    if not row[column]:
        return None
    try:
        return date.fromisoformat(row[column])
    except ValueError:
        reader.fault(line, f"has no date in {column} (such as 2020-01-31)")
        return None
