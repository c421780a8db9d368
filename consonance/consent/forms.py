"""Consent given in an electronic form: exports of REDCap and Qualtrics, as lines of the ledger.

A map says which column means what. Nothing else of an export is looked at: names, addresses and
signatures stay where they are. A box counts as ticked only if it holds what the map, or the tool's
convention, says a ticked box holds. A word that is neither a known yes nor a known no is reported, and
its line is not imported: nobody can tell what was decided.
"""

from __future__ import annotations

import re
import zoneinfo
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import yaml

from consonance.consent.ledger import REGISTER, ConsentEvent, append_to_file, read_ledger
from consonance.consent.notices import read_notices
from consonance.consent.state import EVENTS, PURPOSES
from consonance.study.codes import NO_CODE, is_code
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.tables import MEND, BadTable, TableReader
from consonance.study.tombstones import erased_codes
from consonance.study.vault import open_study

Tool = Literal["redcap", "qualtrics"]

# What REDCap's raw and labelled exports, and Qualtrics' numeric one, hold for a ticked box or a yes.
TICKED = ("1", "checked", "yes", "true")
# And for an empty box or a no: Qualtrics numbers yes 1 and no 2, and writes -99 for a question not seen.
UNTICKED = ("0", "unchecked", "no", "false", "2", "-99")
REQUIRED = ("participant_code", "form_version", "occurred_at", "purposes")
OPTIONAL = ("event", "time_zone", "agreed", "history_from", "history_to")
# What Qualtrics' Status says of a response that somebody gave.
RESPONSES = ("ip address", "imported", "offline response", "offline", "")
EXPORT_NUMBERS = "Export from Qualtrics once more with numeric values, or with the account set to English."
WRITE_MAP = "docs/consent.md shows a map."
SAY_WORDS = "Say in the map what a ticked and an empty box hold: {column: ..., is: ..., is_not: ...}."


class BadMap(ConsonanceError):
    """The map of a consent form cannot be used."""


@dataclass(frozen=True)
class Box:
    """A box of the form: its column, and the values (in lower case) that mean it is ticked, or is not.

    Without ``ticked`` the whole cell is a word for yes or no. With it, the cell may also list one of
    the values among choices that are separated by commas, as Qualtrics writes a question with several
    answers; any other choice is a no, unless ``unticked`` says which ones are. An empty box is a no.
    """

    column: str
    ticked: tuple[str, ...] = ()
    unticked: tuple[str, ...] = ()

    def is_ticked(self, row: dict[str, str]) -> bool:
        cell = row[self.column].casefold()
        return _lists(cell, self.ticked) if self.ticked else cell in TICKED

    def is_unknown(self, row: dict[str, str]) -> bool:
        """Whether the cell is neither a known yes nor a known no."""
        cell = row[self.column].casefold()
        if not cell or self.is_ticked(row):
            return False
        if self.unticked:
            return not _lists(cell, self.unticked)
        return not self.ticked and cell not in UNTICKED


def _lists(cell: str, values: tuple[str, ...]) -> bool:
    return any(f",{value}," in f",{cell}," for value in values)


@dataclass(frozen=True)
class FormMap:
    """Which column of an export means what.

    Attributes:
        participant_code, occurred_at: Columns.
        form_version: The notice that the form shows.
        purposes: The box of each purpose that the form asks for.
        event: What a line of the export is.
        time_zone: Of ``occurred_at`` where it has no offset.
        agreed: Whoever left this box empty did not consent at all.
        history_from, history_to: Columns with dates.
    """

    participant_code: str
    form_version: str
    occurred_at: str
    purposes: dict[str, Box]
    event: str = "granted"
    time_zone: zoneinfo.ZoneInfo | None = None
    agreed: Box | None = None
    history_from: str | None = None
    history_to: str | None = None

    @classmethod
    def read(cls, path: Path) -> FormMap:
        """Read and check a map.

        Raises:
            BadMap: no such file, no YAML, something unknown or missing in it.
        """
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            raise BadMap(f"{path} is not readable as YAML.", WRITE_MAP) from None
        if not isinstance(content, dict):
            raise BadMap(f"{path} holds no settings.", WRITE_MAP)
        if unknown := sorted(map(str, content.keys() - {*REQUIRED, *OPTIONAL})):
            raise BadMap(
                f"{path} says {', '.join(unknown)}, which nobody reads.",
                f"Known are {', '.join((*REQUIRED, *OPTIONAL))}.",
            )
        if missing := [name for name in REQUIRED if not content.get(name)]:
            raise BadMap(f"{path} does not say {missing[0]}.", WRITE_MAP)
        purposes = content["purposes"]
        if not isinstance(purposes, dict) or not purposes.keys() <= set(PURPOSES):
            raise BadMap(
                f"{path} maps other purposes than the ledger knows.",
                f"Known are {', '.join(PURPOSES)}, each with its box.",
            )
        event = content.get("event") or "granted"
        if event not in EVENTS:
            raise BadMap(f"{path} has another event than {', '.join(EVENTS)}.", WRITE_MAP)
        zone = content.get("time_zone")
        try:
            time_zone = zoneinfo.ZoneInfo(str(zone)) if zone else None
        except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
            raise BadMap(f"{path} has no IANA zone in time_zone.", "Write it like Europe/Berlin.") from None
        return cls(
            participant_code=str(content["participant_code"]),
            form_version=str(content["form_version"]),
            occurred_at=str(content["occurred_at"]),
            purposes={purpose: _box(path, purposes[purpose]) for purpose in PURPOSES if purpose in purposes},
            event=str(event),
            time_zone=time_zone,
            agreed=_box(path, content["agreed"]) if content.get("agreed") else None,
            history_from=content.get("history_from"),
            history_to=content.get("history_to"),
        )

    @property
    def boxes(self) -> list[Box]:
        """Every box it names; the one for the agreement first."""
        return [*([self.agreed] if self.agreed else []), *self.purposes.values()]

    def columns(self) -> list[str]:
        """Every column it names, each once."""
        named = [self.participant_code, self.occurred_at, self.history_from, self.history_to]
        return list(dict.fromkeys([name for name in named if name] + [box.column for box in self.boxes]))


@dataclass
class ImportReport:
    """What an import did: events added, those that the ledger held already, lines left out and why, faults."""

    added: int = 0
    known: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    remedies: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"left_out": dict(self.left_out)}


def import_form(study: Study, path: Path, tool: Tool, form: FormMap) -> ImportReport:
    """Add to ``consents.csv`` what an export of a consent form says and the ledger does not yet.

    Args:
        study: Whose ledger.
        path: The export, a CSV in UTF-8.
        tool: What it was exported from.
        form: Which column means what.

    Raises:
        BadTable: the export, the ledger or the notices cannot be used; nothing is changed then.
        BadMap: the map names a notice that is not registered.
        StoreError, VaultKeyError: the vault, which knows who was erased, cannot be opened.
    """
    registered = [notice["form_version"] for notice in read_notices(study)]
    if form.form_version not in registered:
        raise BadMap("The map's form_version is not in notices.csv.", REGISTER)
    known = {event.meaning() for _, event in read_ledger(study, registered)}
    report = ImportReport()
    reader = TableReader(path)
    events = list(_events(reader, tool, form, report))
    with open_study(study, read_only=True) as connection:
        erased = erased_codes(connection, [event.participant_code for event in events])
    added = []
    for event in events:
        meaning = event.meaning()
        if event.participant_code in erased:
            report.left_out["withdrawn and erased"] += 1
        elif meaning in known:
            report.known += 1
        else:
            known.add(meaning)
            added.append(event)
    report.faults = reader.faults
    report.remedies = [remedy for remedy in reader.remedies if remedy != MEND]  # the other lines were imported
    report.added = len(added)
    if added:
        append_to_file(study.consents_path, added)
    return report


def _box(path: Path, content: object) -> Box:
    if isinstance(content, str):
        return Box(content)
    if isinstance(content, dict) and content.keys() <= {"column", "is", "is_not"} and content.get("column"):
        return Box(str(content["column"]), _words(content.get("is", [])), _words(content.get("is_not", [])))
    raise BadMap(f"{path} has a box that is neither a column nor 'column', 'is' and 'is_not'.", WRITE_MAP)


def _words(values: object) -> tuple[str, ...]:
    return tuple(_as_exported(value) for value in (values if isinstance(values, list) else [values]))


def _as_exported(value: object) -> str:
    """YAML reads a bare Yes as a truth value."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value).casefold()


def _events(reader: TableReader, tool: Tool, form: FormMap, report: ImportReport) -> Iterable[ConsentEvent]:
    own = ["Status", "Finished"] if tool == "qualtrics" else []
    rows = reader.rows(list(dict.fromkeys([*form.columns(), *own])))
    if tool == "qualtrics":
        # Three header rows: names, questions, and JSON import ids.
        if len(rows) < 2 or not all("ImportId" in value for value in rows[1][1].values()):
            raise BadTable(
                f"{reader.path} lacks Qualtrics' three header rows.",
                "Export it from Qualtrics once more as CSV, and do not open it with a spreadsheet before.",
            )
        rows = rows[2:]
    for line, row in rows:
        reason = _why_left_out(tool, form, row)
        if tool == "qualtrics" and (foreign := _unknown_word(row)):
            reader.fault(line, f"holds a word in {foreign} that is none of Qualtrics' in English", EXPORT_NUMBERS)
        elif reason:
            report.left_out[reason] += 1
        elif unknown := [box.column for box in form.boxes if box.is_unknown(row)]:
            reader.fault(line, f"holds a word in {unknown[0]} that is neither a known yes nor a known no", SAY_WORDS)
        elif event := _event(reader, line, form, row):
            yield event


def _why_left_out(tool: Tool, form: FormMap, row: dict[str, str]) -> str | None:
    if tool == "qualtrics":
        if _is_trial(row["Status"]):
            return "a preview, a test or spam"
        if row["Finished"].casefold() not in ("1", "true"):
            return "not finished"
    # REDCap writes a row for each event and instance of a record; those of other forms are empty here.
    if row[form.occurred_at] in ("", "[not completed]"):
        return "not finished"
    if form.agreed and not form.agreed.is_ticked(row) and not form.agreed.is_unknown(row):
        return "did not agree"
    return None


def _unknown_word(row: dict[str, str]) -> str | None:
    """Which of Qualtrics' own columns holds a word that cannot be judged: labels come in the account's language."""
    status = row["Status"].casefold()
    if not (status.isdigit() or status in RESPONSES or _is_trial(status)):
        return "Status"
    return None if row["Finished"].casefold() in ("1", "true", "0", "false") else "Finished"


def _is_trial(status: str) -> bool:
    """Status is 0 or IP Address for a response, 4 imported, 16 offline; 1, 2, 8, 9, 12, 17 … are none."""
    if status.isdigit():
        return status not in ("0", "4", "16")
    return re.search("preview|test|spam", status, re.IGNORECASE) is not None


def _event(reader: TableReader, line: int, form: FormMap, row: dict[str, str]) -> ConsentEvent | None:
    faults = len(reader.faults)
    code = row[form.participant_code]
    if not is_code(code):
        reader.fault(line, NO_CODE)
    moment = reader.moment(line, form.occurred_at, _with_offset(row[form.occurred_at], form.time_zone))
    first, last = (_day(reader, line, column, row) for column in (form.history_from, form.history_to))
    if first and last and first > last:
        reader.fault(line, "has a first day of history after the last")
    if moment is None or len(reader.faults) > faults:
        return None
    purposes = tuple(purpose for purpose, box in form.purposes.items() if box.is_ticked(row))
    return ConsentEvent(
        code,
        form.event,
        () if form.event == "withdrawn" else purposes,
        form.form_version,
        moment.replace(microsecond=moment.microsecond // 1000 * 1000),
        first,
        last,
    )


def _with_offset(text: str, time_zone: zoneinfo.ZoneInfo | None) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return text if moment.tzinfo or not time_zone else moment.replace(tzinfo=time_zone).isoformat()


def _day(reader: TableReader, line: int, column: str | None, row: dict[str, str]) -> date | None:
    if not column or not row[column]:
        return None
    try:
        return date.fromisoformat(row[column])
    except ValueError:
        reader.fault(line, f"has no date in {column} (such as 2020-01-31)")
        return None
