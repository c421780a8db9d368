"""The audit log: what was done to a study, as a chain of hashes in the vault.

Each entry has the hash of the entry before it: if one is changed, removed or moved, every later one is wrong. A chain
cannot show that its end was cut off. The anchor does: the number and the hash of the last entry, signed with the
vault's key of tokens, in ``audit.head`` beside the vault. Who has the vault's key can rewrite both; an export that
somebody else keeps shows that too (``consonance.study.audit_verification``).

An entry has counts, words of closed lists, hashes and keyed tokens: nothing that a participant gave, and no code.
``audit_entries.yml`` lists what an entry of each kind may hold.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import yaml

from consonance.consent.state import PURPOSES
from consonance.study.errors import ConsonanceError
from consonance.study.feature_sources import known_sources
from consonance.study.files import replace_file
from consonance.study.folder import Study
from consonance.study.tokens import Tokens

Fact = int | str | Sequence[str] | None

GENESIS = "0" * 64
BROKEN_ANCHOR = "broken_anchor"
DECLARED = Path(__file__).with_name("audit_entries.yml")
HASH, TOKEN = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{32}")


class UndeclaredEntry(ConsonanceError):
    """An entry would hold what is not declared."""


@dataclass(frozen=True)
class Entry:
    """One entry.

    Attributes:
        number: From 1 on, without gaps.
        moment: When, in UTC, without an offset.
        kind: What was done.
        facts: A JSON object, as it was hashed.
        software_version: Of consonance.
        previous_hash: The hash of the entry before it; of the first one 64 zeros.
        entry_hash: SHA-256, in hex.
    """

    number: int
    moment: datetime
    kind: str
    facts: str
    software_version: str
    previous_hash: str
    entry_hash: str = ""

    def computed_hash(self) -> str:
        """SHA-256 of the previous hash and the entry as a JSON array without spaces."""
        content = json.dumps(
            [self.number, self.moment.isoformat(timespec="microseconds"), self.kind, self.facts, self.software_version],
            separators=(",", ":"),
        )
        return hashlib.sha256((self.previous_hash + content).encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "moment": self.moment.isoformat(timespec="microseconds"),
            "kind": self.kind,
            "facts": self.facts,
            "software_version": self.software_version,
            "previous_hash": self.previous_hash,
            "entry_hash": self.entry_hash,
        }


@dataclass(frozen=True)
class Anchor:
    """What ``audit.head`` or an export says: how many entries there are, and the hash of the last."""

    entries: int
    head: str


def record(connection: duckdb.DuckDBPyConnection, study: Study, kind: str, facts: Mapping[str, Fact]) -> int:
    """Add an entry, within the caller's transaction if there is one; ``anchor`` comes after its commit.

    If the log does not reach what ``audit.head`` was signed for, an entry that says so comes first: a
    log that was cut off is never continued without a trace.

    Args:
        connection: With the vault attached for writing, its tables laid out.
        study: Whose vault it is.
        kind: What is done, in one word.
        facts: What ``audit_entries.yml`` lists for ``kind``, or a part of it.

    Returns:
        The entry's number.

    Raises:
        UndeclaredEntry: ``facts`` has something else.
    """
    _refuse_undeclared(kind, facts)
    last = _last(connection)
    broken = _broken_anchor(connection, study)
    if broken:
        last = _append(connection, last, BROKEN_ANCHOR, {"how": broken, "entries": last.number if last else 0})
    return _append(connection, last, kind, facts).number


def anchor(connection: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Sign the last entry in ``audit.head``, or that there is none yet; after the transaction that recorded it."""
    last = _last(connection)
    signed = Anchor(last.number, last.entry_hash) if last else Anchor(0, GENESIS)
    content = {**signed.__dict__, "signature": _signature(connection, signed)}
    replace_file(study.audit_head_path, (json.dumps(content) + "\n").encode())


def anchor_faults(entries: Sequence[Entry], signed: Anchor, place: str) -> list[str]:
    """What is missing of the entries that ``signed`` was signed for. It may be behind, if a program was killed."""
    if len(entries) < signed.entries:
        return [f"the log has {len(entries)} entries, but {place} was written for {signed.entries}"]
    if signed.entries and entries[signed.entries - 1].entry_hash != signed.head:
        return [f"entry {signed.entries} is not the entry that {place} was written for"]
    return []


def read_entries(connection: duckdb.DuckDBPyConnection) -> list[Entry]:
    """The whole log, in order of number."""
    rows = connection.execute(
        """
        select entry_no, moment, kind, facts, software_version, previous_hash, entry_hash
        from vault.raw.audit_log
        order by entry_no, entry_hash
        """
    ).fetchall()
    return [Entry(*row) for row in rows]


def _append(connection: duckdb.DuckDBPyConnection, last: Entry | None, kind: str, facts: Mapping[str, Fact]) -> Entry:
    draft = Entry(
        number=last.number + 1 if last else 1,
        moment=datetime.now(UTC).replace(tzinfo=None),
        kind=kind,
        facts=json.dumps(facts, sort_keys=True, separators=(",", ":")),
        software_version=version("consonance"),
        previous_hash=last.entry_hash if last else GENESIS,
    )
    entry = Entry(**{**draft.__dict__, "entry_hash": draft.computed_hash()})
    connection.execute(
        "insert into vault.raw.audit_log values (?, ?, ?, ?, ?, ?, ?)",
        [
            entry.number,
            entry.moment,
            entry.kind,
            entry.facts,
            entry.software_version,
            entry.previous_hash,
            entry.entry_hash,
        ],
    )
    return entry


def _last(connection: duckdb.DuckDBPyConnection) -> Entry | None:
    entries = read_entries(connection)
    return entries[-1] if entries else None


def _broken_anchor(connection: duckdb.DuckDBPyConnection, study: Study) -> str | None:
    """In a word what is wrong with the anchor, if anything is."""
    signed, broken = read_anchor(connection, study)
    if signed is None:
        return broken
    faults = anchor_faults(read_entries(connection), signed, "")
    return "cut_off_or_replaced" if faults else None


def read_anchor(connection: duckdb.DuckDBPyConnection, study: Study) -> tuple[Anchor | None, str | None]:
    """The anchor, or in a word what is wrong with it; neither if the log has not begun."""
    try:
        content = json.loads(study.audit_head_path.read_text(encoding="utf-8"))
        signed = Anchor(int(content["entries"]), str(content["head"]))
        signature = str(content["signature"])
    except FileNotFoundError:
        return None, "missing" if _last(connection) else None
    except (ValueError, KeyError, TypeError):
        return None, "unsigned"
    if not hmac.compare_digest(signature.encode(), _signature(connection, signed).encode()):
        return None, "unsigned"
    return signed, None


def _signature(connection: duckdb.DuckDBPyConnection, signed: Anchor) -> str:
    return Tokens.of(connection).token("audit head", f"{signed.entries} {signed.head}")


def _refuse_undeclared(kind: str, facts: Mapping[str, Fact]) -> None:
    declared = _declared()
    if kind not in declared:
        raise UndeclaredEntry(
            f"The audit log has no entries of the kind {kind}.", f"Declare it in consonance/study/{DECLARED.name}."
        )
    for name, fact in facts.items():
        if name not in declared[kind] or not (fact is None or _is_what(fact, declared[kind][name])):
            raise UndeclaredEntry(
                f"An entry {kind} of the audit log may not hold this {name}: nothing was written.",
                f"consonance/study/{DECLARED.name} lists what it may hold. Write that, and nothing else.",
            )


def _is_what(fact: Fact, what: str | Sequence[str]) -> bool:
    if what == "count":
        return isinstance(fact, int) and fact >= 0
    if not isinstance(what, str):
        return fact in what
    if what in ("hash", "source"):
        return isinstance(fact, str) and (bool(HASH.fullmatch(fact)) if what == "hash" else fact in known_sources())
    if isinstance(fact, str) or not isinstance(fact, Sequence):
        return False
    return set(fact) <= set(PURPOSES) if what == "purposes" else all(map(TOKEN.fullmatch, fact))


@cache
def _declared() -> Mapping[str, Mapping[str, str | Sequence[str]]]:
    return dict(yaml.load(DECLARED.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
