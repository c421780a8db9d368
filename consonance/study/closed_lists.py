"""The closed lists that ``stores.yml`` names: which words a column of words may have."""

from __future__ import annotations

import csv
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import yaml

from consonance.study.dbt_command import PROJECT
from consonance.study.declared_tables import IN_A_LIST, STORES, BadDeclaration, Column, Table
from consonance.study.feature_sources import known_sources
from consonance.study.schema import tables
from consonance.study.shared_macros import listed_by

ENTRIES = Path(__file__).with_name("audit_entries.yml")
FEATURES = PROJECT / "seeds" / "audio_features.csv"


def _features() -> list[str]:
    with FEATURES.open(encoding="utf-8", newline="") as file:
        return [row["feature"] for row in csv.DictReader(file)]


def _entries() -> list[str]:
    return list(yaml.load(ENTRIES.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))


# What a column may name in place of a list of its own.
LISTS: Mapping[str, Callable[[], Sequence[str]]] = {
    "purposes": lambda: listed_by("consent.sql", "consent_purposes"),
    "audit entries": _entries,
    "feature sources": known_sources,
    "features": _features,
    "zones": lambda: sorted(zoneinfo.available_timezones()),
}


def words_of(column: Column) -> list[str] | None:
    """The words that ``column`` may have; ``None`` if they are no list.

    Raises:
        BadDeclaration: it names a list that there is not.
    """
    if found := IN_A_LIST.search(column.type):
        return [word.strip().strip("'") for word in found[1].split(",")]
    if not isinstance(column.words, str):
        return None if column.words is None else list(column.words)
    if column.words not in LISTS:
        raise BadDeclaration(
            f"{STORES.name}: {column.name} has its words from {column.words}, and there is no such list.",
            f"LISTS in {Path(__file__).name} has {', '.join(LISTS)}.",
        )
    return list(LISTS[column.words]())


@cache
def closed_lists() -> list[tuple[Table, Column, list[str] | None]]:
    """Every column of words that has a list, with the list; or ``None`` and a pattern that its words match."""
    return [
        (table, column, words_of(column))
        for schema in ("vault.raw", "catalogue.music")
        for table in tables(schema).values()
        for column in table.columns.values()
        if column.text == "words" and not column.words_of
    ]
