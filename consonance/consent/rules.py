"""The rules that SQL beside dbt shares with the models: the macros of ``MACROS``."""

from __future__ import annotations

from functools import cache
from typing import Any

from consonance.release.parameters import parameters
from consonance.study.closed_lists import closed_lists
from consonance.study.declared_tables import Table
from consonance.study.schema import columns_with_purposes, kind_of_owner, owners, tables, titles
from consonance.study.shared_macros import with_macros

MACROS = ("consent.sql", "names.sql", "addresses.sql", "heard_tracks.sql", "connections.sql")


@cache
def with_rules(statement: str) -> str:
    """``statement`` as rendered by Jinja: it may call the shared macros, and go through ``played_texts``, the names of the
    audio features, the ``listed_keys`` of exports, the ``catalogue_columns`` and ``raw_columns`` by table, ``owners`` (the owner column of each raw table
    with rows of participants, and what it holds), ``nobody`` (texts and numbers of the other raw tables), ``given_for`` (the
    raw tables and columns with a purpose) and ``closed_lists`` (the columns of words, and what may stand in them).

    Raises:
        jinja2.UndefinedError: it names something else.
    """
    return with_macros(statement, MACROS, **_values())


@cache
def _values() -> dict[str, Any]:
    named = parameters()
    return {
        "played_texts": titles(),
        "audio_features": named["audio_features"],
        "features_of_plays": named["features_of_plays"],
        "features_without_mean": named["features_without_mean"],
        "listed_keys": sorted(_listed_keys()),
        "catalogue_columns": {table.name: list(table.columns) for table in tables("catalogue.music").values()},
        "raw_columns": {table.name: list(table.columns) for table in tables().values()},
        "owners": owners(),
        "given_for": [_given_for(table) for table in tables().values() if table.purpose]
        + [
            _given_for(table) | {"column": column.name, "purpose": column.purpose, "unless": column.unless}
            for table, column in columns_with_purposes()
        ],
        "closed_lists": [
            {
                "relation": table.place,
                "column": column.name,
                "is_list": "[]" in column.type,
                "words": words,
                "pattern": column.pattern,
                "landed_by": table.landed_by,
            }
            for table, column, words in closed_lists()
        ],
        "nobody": {table.name: _texts_and_numbers(table) for table in tables().values() if table.nobody},
    }


def _given_for(table: Table) -> dict[str, str | None]:
    assert table.owner, "no rows of nobody are given for a purpose"
    return {
        "table": table.name,
        "owner": table.owner,
        "kind": kind_of_owner(table.columns[table.owner].type),
        "column": None,
        "purpose": table.purpose,
        "unless": "false",
        "landed_by": table.landed_by,
    }


def _listed_keys() -> set[str]:
    """The keys of an export that are landed."""
    keys = [column.key for table in tables().values() for column in table.columns.values() if column.key]
    return {name for key in keys for name in ([key] if isinstance(key, str) else key.values())}


def _texts_and_numbers(table: Table) -> tuple[list[str], list[str]]:
    """The columns of a table that may hold a code, and those that may hold a number of a participant."""
    columns = table.columns.values()
    return (
        [column.name for column in columns if column.text == "given" and "[]" not in column.type],
        [column.name for column in columns if column.type.startswith(("integer", "bigint"))],
    )
