"""Consent given in an electronic form: exports of REDCap and Qualtrics become lines of the ledger.

A map says which column means what (``consonance.consent.form_map``). Nothing else of an export is read: names,
addresses and signatures stay where they are. A word that means neither yes nor no is reported, and its
line is not imported: nobody knows what was decided.
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

from consonance.consent.form_map import BadMap, FormMap
from consonance.consent.ledger_file import REGISTER, ConsentEvent, append_to_file, read_ledger
from consonance.consent.notices import read_notices
from consonance.study.codes import NO_CODE, is_code
from consonance.study.folder import Study
from consonance.study.tables import CORRECT_LINES, BadTable, TableReader
from consonance.study.tombstones import erased_codes
from consonance.study.vault import open_study

Tool = Literal["redcap", "qualtrics"]

# What Qualtrics' Status says of a response that somebody gave.
RESPONSES = ("ip address", "imported", "offline response", "offline", "")
EXPORT_NUMBERS = "Export from Qualtrics again with numeric values, or with the language of Qualtrics set to English."
DECIDE = "If the form is right, add its line at the end of consents.csv; if the ledger is right, correct the form."
SAY_WORDS = "Say in the map which words mean ticked and not ticked: {column: ..., is: ..., is_not: ...}."


@dataclass
class ImportReport:
    """What an import did: events added, events that the ledger had already, lines left out by reason, faults."""

    added: int = 0
    known: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    remedies: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"left_out": dict(self.left_out)}


def import_form(study: Study, path: Path, tool: Tool, form: FormMap) -> ImportReport:
    """Add to ``consents.csv`` the events of an export of a consent form that the ledger does not have yet.

    Args:
        study: Whose ledger.
        path: The export, a CSV in UTF-8.
        tool: What it was exported from.
        form: Which column means what.

    Raises:
        BadTable: the export, the ledger or the notices cannot be used. Then nothing is changed.
        BadMap: the map names a notice that is not registered.
        StoreError, VaultKeyError: the vault, which knows who was erased, cannot be opened.
    """
    registered = [notice["form_version"] for notice in read_notices(study)]
    if form.form_version not in registered:
        raise BadMap("The map's form_version is not in notices.csv.", REGISTER)
    ledger = [event for _, event in read_ledger(study, registered)]
    known = {event.meaning() for event in ledger}
    # Of several lines about one moment the last one counts.
    counting = {_decision(event): event for event in ledger}
    report = ImportReport()
    reader = TableReader(path)
    events = list(_events(reader, tool, form, report))
    last_lines = {_decision(event): line for line, event in events}
    with open_study(study, read_only=True) as connection:
        erased = erased_codes(connection, [event.participant_code for _, event in events])
    added = []
    for line, event in events:
        last = counting.get(_decision(event))
        if event.participant_code in erased:
            report.left_out["withdrawn and erased"] += 1
        elif line != last_lines[_decision(event)]:
            report.left_out["corrected further down"] += 1
        elif last and event.meaning() == last.meaning():
            report.known += 1
        elif last and event.meaning() in known and not _grants_no_more(event, last):
            reader.fault(line, "grants what a later line of the ledger about the same moment does not grant", DECIDE)
        else:
            added.append(event)
    report.faults = reader.faults
    report.remedies = [remedy for remedy in reader.remedies if remedy != CORRECT_LINES]  # the other lines were imported
    report.added = len(added)
    if added:
        append_to_file(study.consents_path, added)
    return report


def _decision(event: ConsentEvent) -> tuple[str, datetime]:
    """What a further line of the ledger corrects: whose decision it is, and of when."""
    return event.participant_code, event.occurred_at


def _grants_no_more(event: ConsentEvent, than: ConsentEvent) -> bool:
    if event.event == "withdrawn" or than.event == "withdrawn":
        return event.event == "withdrawn"
    return (
        set(event.purposes) <= set(than.purposes)
        and (event.history_from or date.min) >= (than.history_from or date.min)
        and (event.history_to or date.max) <= (than.history_to or date.max)
    )


def _events(reader: TableReader, tool: Tool, form: FormMap, report: ImportReport) -> Iterable[tuple[int, ConsentEvent]]:
    """Each event of the export, with its line."""
    own = ["Status", "Finished"] if tool == "qualtrics" else []
    rows = reader.rows(list(dict.fromkeys([*form.columns(), *own])))
    if tool == "qualtrics":
        # Three header rows: names, questions, and JSON import ids.
        if len(rows) < 2 or not all("ImportId" in value for value in rows[1][1].values()):
            raise BadTable(
                f"{reader.path} lacks Qualtrics' three header rows.",
                "Export it from Qualtrics again as CSV, and do not open it in a spreadsheet before the import.",
            )
        rows = rows[2:]
    for line, row in rows:
        reason = _why_left_out(tool, form, row)
        if tool == "qualtrics" and (foreign := _unknown_word(row)):
            reader.fault(
                line, f"has a word in {foreign} that is not one of Qualtrics' words in English", EXPORT_NUMBERS
            )
        elif reason:
            report.left_out[reason] += 1
        elif unknown := [box.column for box in form.boxes if box.is_unknown(row)]:
            reader.fault(line, f"has a word in {unknown[0]} that means neither yes nor no", SAY_WORDS)
        elif event := _event(reader, line, form, row):
            yield line, event


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
    """The column of Qualtrics' own with an unknown word, if there is one: labels are in the language of the Qualtrics user."""
    status = row["Status"].casefold()
    if not (status.isdigit() or status in RESPONSES or _is_trial(status)):
        return "Status"
    return None if row["Finished"].casefold() in ("1", "true", "0", "false") else "Finished"


def _is_trial(status: str) -> bool:
    """Status is 0 or IP Address for a response, 4 if imported, 16 if offline; 1, 2, 8, 9, 12, 17 … are trials or spam."""
    if status.isdigit():
        return status not in ("0", "4", "16")
    return re.search("preview|test|spam", status, re.IGNORECASE) is not None


def _event(reader: TableReader, line: int, form: FormMap, row: dict[str, str]) -> ConsentEvent | None:
    faults = len(reader.faults)
    code = row[form.participant_code]
    if not is_code(code):
        reader.fault(line, NO_CODE)
    moment = reader.moment(line, form.occurred_at, _with_offset(row[form.occurred_at], form.time_zone))
    first, last = (
        reader.day(line, column, row[column]) if column else None for column in (form.history_from, form.history_to)
    )
    if first and last and first > last:
        reader.fault(line, "has a first day of history that is after the last day")
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
