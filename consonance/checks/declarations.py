"""What the models declare in their yml, read from the files of the project and not from what dbt made of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import yaml

from consonance.study.dbt_command import PROJECT

# The first schemas lie left of the wall, and in the vault.
LEFT = ("staging", "intermediate")
# The tables that repeat what models declare.
DECLARED = ("audit.purposes", "audit.consent_coverage")


def declared_needs() -> list[tuple[str, str, str]]:
    """(relation, purpose, condition on the rows that need it) of every model right of the wall that says so in its yml."""
    return [
        (f"{schema}.{model['name']}", str(purpose), "true" if condition is True else str(condition))
        for schema, model in _models()
        for purpose, condition in (model.get("config", {}).get("meta", {}).get("purposes") or {}).items()
    ]


def declared_grains() -> dict[str, list[tuple[str, ...]]]:
    """For each relation that a model right of the wall makes, the columns in which no two rows are alike: one list for each
    test ``unique`` and ``one_row_per`` of its yml.
    """
    grains: dict[str, list[tuple[str, ...]]] = {}
    for schema, model in _models():
        found = grains.setdefault(f"{schema}.{model['name']}", [])
        found += [
            tuple(test["one_row_per"]["arguments"]["columns"])
            for test in model.get("data_tests", ())
            if isinstance(test, Mapping) and "one_row_per" in test
        ]
        found += [(column["name"],) for column in model.get("columns", ()) if "unique" in column.get("data_tests", ())]
    return grains


def closed_lists() -> list[tuple[str, str]]:
    """(``schema.table.column``, word) of every word of a closed list.

    A list is what the test ``accepted_values`` has, or what models declare, where ``audit`` repeats it.
    """
    declared = [
        (f"{table}.{column}", word)
        for relation, purpose, condition in declared_needs()
        for table in DECLARED
        for column, word in (("relation", relation), ("purpose", purpose), ("condition", condition))
    ]
    return declared + [
        (f"{schema}.{model['name']}.{column['name']}", str(word))
        for schema, model in _models()
        for column in model.get("columns", ())
        for test in column.get("data_tests", ())
        if isinstance(test, Mapping) and "accepted_values" in test
        for word in test["accepted_values"]["arguments"]["values"]
    ]


@cache
def _models() -> tuple[tuple[str, Mapping[str, Any]], ...]:
    return tuple(_read())


def _read() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(schema, declaration) of each model right of the wall: schemas are called after the folders of models/."""
    for path in sorted((PROJECT / "models").glob("*/_*__models.yml")):
        if path.parent.name not in LEFT:
            content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
            for model in content.get("models", ()):
                yield path.parent.name, model
