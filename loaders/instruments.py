"""Instruments: those that come with the project (``seeds/``), and those of the study (its folder ``instruments/``).

A study defines an instrument by rows in ``instruments/scales.csv`` and ``instruments/items.csv``, with the columns of
``seeds/instrument_scales.csv`` and ``seeds/instrument_items.csv``; docs/instruments.md says how.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import duckdb

from consonance.study.dbt_command import PROJECT
from consonance.study.folder import Study
from consonance.study.tables import BadTable, TableReader
from loaders.load_report import FileReport
from loaders.memory_files import in_memory
from loaders.side_files import name_in_reports, side_files

SCALES, ITEMS = "scales.csv", "items.csv"
SCALE_COLUMNS = ("instrument", "scale", "answer_min", "answer_max", "score_as", "max_missing", "dimension")
ITEM_COLUMNS = ("instrument", "scale", "item", "is_reversed")
# Scores of two instruments can be compared on these alone: they are put on a common axis from -1 to 1.
DIMENSIONS = ("valence", "arousal")
# A name passes the wall if it looks like no address and no number of a person: functions/survey_name.sql.
NAME = re.compile(r"[^\W_](\w|[ .-]){0,59}")
DIGITS = re.compile(r"(\d[ ()/.-]{0,2}){6}")

NOT_TAKEN = "No instrument of the study was taken: their answers are landed and not scored."
SHIPPED = "Give it another name: the instruments of seeds/ stay as they are published."


@dataclass(frozen=True)
class OwnInstruments:
    """What the folder ``instruments/`` of a study defines: rows of the vault, in the order of ``*_COLUMNS``."""

    scales: Sequence[tuple[object, ...]] = ()
    items: Sequence[tuple[object, ...]] = ()


def load_instruments(connection: duckdb.DuckDBPyConnection, study: Study) -> list[FileReport]:
    """Replace the study's own instruments in the vault by what its folder ``instruments/`` says.

    They are taken together or not at all: with a line less a scale would have other scores. If the tables cannot be
    used, the vault has none of them.
    """
    reports = [
        FileReport(
            name_in_reports(study, path),
            not_read="unknown_file",
            advice=[f"Only {SCALES} and {ITEMS} are read in this folder."],
        )
        for path in side_files(study.instruments)
        if path.parent != study.instruments or path.name not in (SCALES, ITEMS)
    ]
    own = OwnInstruments()
    try:
        own = own_instruments(study)
    except BadTable as error:
        reports.append(
            FileReport(study.within(study.instruments), not_read="bad_table", advice=[f"{error} {NOT_TAKEN}"])
        )
    connection.begin()
    for table, columns, rows in (
        ("instrument_scales", SCALE_COLUMNS, own.scales),
        ("instrument_items", ITEM_COLUMNS, own.items),
    ):
        connection.execute(f"delete from vault.raw.{table}")
        if rows:
            places = ", ".join("?" for _ in columns)
            connection.executemany(f"insert into vault.raw.{table} ({', '.join(columns)}) values ({places})", rows)
    connection.commit()
    reports += [
        FileReport(study.within(study.instruments / name), rows_in=len(rows), landed=len(rows))
        for name, rows in ((SCALES, own.scales), (ITEMS, own.items))
        if rows
    ]
    return reports


def known_instruments(connection: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Lay out every instrument that answers may belong to, as two temporary tables.

    ``instrument_ranges`` (instrument, item, scale, answer_min, answer_max, position): one row is one item of one
    scale, of ``seeds/`` or of the study; ``position`` is its place in the form, from 1. ``instrument_item_texts``
    (instrument, item, language, text): one row is the published text of an item in one language (ISO 639-1).

    If the study's own tables cannot be used, it has none: ``load_instruments`` says why.
    """
    try:
        own = own_instruments(study)
    except BadTable:
        own = OwnInstruments()
    connection.execute(
        """
        create or replace temp table instrument_ranges
        (instrument varchar, item varchar, scale varchar, answer_min double, answer_max double, position integer)
        """
    )
    with _seed("instrument_items") as items, _seed("instrument_scales") as scales:
        connection.execute(
            f"""
            insert into instrument_ranges
            select items.instrument, items.item, items.scale, scales.answer_min, scales.answer_max, items.position
            from read_csv('{items}', header = true, all_varchar = true) as items
            inner join read_csv('{scales}', header = true, all_varchar = true) as scales using (instrument, scale)
            """
        )
    with _seed("instrument_item_texts") as texts:
        connection.execute(
            f"""
            create or replace temp table instrument_item_texts as
            select instrument, item, language, text
            from read_csv('{texts}', header = true, all_varchar = true)
            """
        )
    ranges = {row[:2]: row[2:4] for row in own.scales}
    positions = Counter[object]()
    for instrument, scale, item, _ in own.items:
        positions[instrument] += 1
        connection.execute(
            "insert into instrument_ranges values (?, ?, ?, ?, ?, ?)",
            [instrument, item, scale, *ranges[instrument, scale], positions[instrument]],
        )


def own_instruments(study: Study) -> OwnInstruments:
    """What the study's folder ``instruments/`` defines; nothing if it has no tables.

    Raises:
        BadTable: a table is missing, or a line cannot be used; every such line is named.
    """
    scales_at, items_at = (study.instruments / name for name in (SCALES, ITEMS))
    if not scales_at.exists() and not items_at.exists():
        return OwnInstruments()
    scales = _Reading(TableReader(scales_at), SCALE_COLUMNS)
    items = _Reading(TableReader(items_at), ITEM_COLUMNS)
    defined = _read_scales(scales)
    _read_items(items, defined)
    with_items = {row[:2] for row in items.rows}
    for scale, line in defined.items():
        if scale not in with_items:
            scales.reader.fault(line, f"has a scale without items in {ITEMS}", f"Add its items to {ITEMS}.")
    scales.reader.close()
    items.reader.close()
    return OwnInstruments(tuple(scales.rows), tuple(items.rows))


@dataclass
class _Reading:
    """One table of instruments as it is read."""

    reader: TableReader
    columns: Sequence[str]
    rows: list[tuple[object, ...]] = field(default_factory=list)

    def lines(self) -> list[tuple[int, dict[str, str]]]:
        """(line, values) of the rows whose names can be used; names in small letters, as those of answers are."""
        usable = []
        for line, row in self.reader.rows(self.columns):
            names = [column for column in self.columns if column in ("instrument", "scale", "item")]
            row.update({name: row[name].lower() for name in names})
            if odd := [name for name in names if not NAME.fullmatch(row[name]) or DIGITS.search(row[name])]:
                self.reader.fault(
                    line,
                    f"has no name in {odd[0]}",
                    "A name has up to 60 letters, digits, spaces and _ . -, and not six digits together.",
                )
            elif row["instrument"] in _shipped():
                self.reader.fault(line, "has the name of an instrument of seeds/", SHIPPED)
            else:
                usable.append((line, row))
        return usable


def _read_scales(scales: _Reading) -> dict[tuple[str, str], int]:
    """Read the scales; returns the line of each, by (instrument, scale)."""
    defined: dict[tuple[str, str], int] = {}
    dimensions = set()
    for line, row in scales.lines():
        key = (row["instrument"], row["scale"])
        least, greatest = _number(row["answer_min"]), _number(row["answer_max"])
        dimension = row["dimension"].lower() or None
        if key in defined:
            scales.reader.fault(line, "repeats a scale")
        if least is None or greatest is None or least >= greatest:
            scales.reader.fault(line, "has no smallest and greatest answer in answer_min and answer_max")
        if row["score_as"] not in ("sum", "mean"):
            scales.reader.fault(line, "has neither sum nor mean in score_as")
        if not re.fullmatch(r"\d{1,3}", row["max_missing"]):
            scales.reader.fault(line, "has no whole number in max_missing")
        if dimension not in (None, *DIMENSIONS):
            scales.reader.fault(line, f"has something else than {', '.join(DIMENSIONS)} or nothing in dimension")
        if dimension and (row["instrument"], dimension) in dimensions:
            scales.reader.fault(line, "repeats a dimension of its instrument")
        dimensions.add((row["instrument"], dimension))
        defined[key] = line
        scales.rows.append((*key, least, greatest, row["score_as"], row["max_missing"], dimension))
    return defined


def _read_items(items: _Reading, defined: dict[tuple[str, str], int]) -> None:
    seen = set()
    for line, row in items.lines():
        key = (row["instrument"], row["scale"], row["item"])
        if key[:2] not in defined:
            items.reader.fault(line, f"has a scale that {SCALES} does not have", f"Add the scale to {SCALES}.")
        if key in seen:
            items.reader.fault(line, "repeats an item of its scale")
        if row["is_reversed"].lower() not in ("true", "false"):
            items.reader.fault(line, "has neither true nor false in is_reversed")
        seen.add(key)
        items.rows.append((*key, row["is_reversed"].lower() == "true"))


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _shipped() -> frozenset[str]:
    """The names of the instruments that come with the project."""
    text = (PROJECT / "seeds" / "instruments.csv").read_text(encoding="utf-8")
    return frozenset(row["instrument"] for row in csv.DictReader(io.StringIO(text)))


def _seed(name: str) -> AbstractContextManager[str]:
    """The address under which DuckDB reads a seed."""
    return in_memory((PROJECT / "seeds" / f"{name}.csv").read_bytes(), ".csv")
