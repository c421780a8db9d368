"""Permissions of features: a value of a source reaches what is trained or released only by a join with the permissions.

The one join that is known:

    inner join feat_source_permissions on ….source_id = feat_source_permissions.source_id
    where feat_source_permissions.is_shown

``where`` is that column and nothing else. Every value that this select takes from these relations has passed
``is_shown``. What else might be written (a condition more, another join) is not known as a permission, so that the
value has passed none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from consonance.checks.lineage.flow import NAMES, VALUE, Flow, Origin
from consonance.checks.lineage.layers import MUSIC, SOURCES
from consonance.checks.lineage.project import Model
from consonance.checks.lineage.report import Findings
from consonance.checks.lineage.syntax import Node
from consonance.study.declared_tables import Column
from consonance.study.schema import tables

PERMISSIONS = "feat_source_permissions"
SHOWN, TRAINED = "is_shown", "may_train_models"
SOURCE = f"{PERMISSIONS}.source_id"
# The purpose of consent whose models train, and what a model without persons says in its meta in its place.
TRAINING, TRAINS = "ml_training", "trains_models"
# The layers that analysts see.
SEEN = ("marts", "audit")
# What a matching of names says of the names: no text of them.
MATCHED = ("match_method", "match_confidence", "equals")


def is_join_of_permissions(condition: Node, column: Callable[[Node], Flow]) -> bool:
    """Whether the condition of a join is that a source is the source of a row of permissions, and nothing else."""
    if condition["type"] != "COMPARE_EQUAL" or {condition[side]["class"] for side in ("left", "right")} != {
        "COLUMN_REF"
    }:
        return False
    names = [str(condition[side]["column_names"][-1]).lower() for side in ("left", "right")]
    copies = [column(condition[side]).copy_of for side in ("left", "right")]
    return names == ["source_id", "source_id"] and sum(SOURCE in copy for copy in copies) == 1


def permissions_of(condition: Flow) -> frozenset[str]:
    """The permissions that ``where`` asks for, if it is one column of permissions and nothing else."""
    return frozenset(flag for flag in (SHOWN, TRAINED) if f"{PERMISSIONS}.{flag}" in condition.copy_of)


def kinds_of(database: str, table: str, column: str) -> tuple[str, ...]:
    """What the column of a loaded table says of a participant, or is for the permissions: a value, or names.

    A column of a seed or a view says nothing.
    """
    declared = declared_column(database, table, column)
    if declared is None:
        return ()
    if declared.kind:
        return (declared.kind,)
    return (VALUE,) if declared.licensed else (NAMES,) if declared.text == "names" else ()


def declared_column(database: str, table: str, column: str) -> Column | None:
    """The declaration of the column of a loaded table; none of a seed or a view."""
    schema, name = table.split(".")
    declared = tables(f"{database}.{schema}").get(name) if schema in SOURCES.values() else None
    return declared.columns[column] if declared else None


def check_catalogue(findings: Findings) -> None:
    """Check that the catalogue declares no column with data of persons."""
    for table in tables(f"catalogue.{MUSIC}").values():
        for column in table.columns.values():
            if column.privacy != "open":
                findings.of_file(
                    "project",
                    f"{MUSIC}.{table.name}",
                    "consonance/study/stores.yml",
                    f"{MUSIC}.{table.name}.{column.name} of the catalogue is {column.privacy}.",
                    "The catalogue holds no data of persons: leave the column out, or load it into the vault.",
                )


def check_permissions(model: Model, columns: Mapping[str, Flow], findings: Findings) -> None:
    """Check the columns of a model right of the wall: what values have passed, and that no names of a source pass.

    Args:
        model: Right of the wall.
        columns: What flows into each of its columns.
        findings: Where to add what is found.
    """
    needed = [SHOWN] if model.layer in SEEN else []
    if _trains(model):
        needed.append(TRAINED)
    for name, flow in columns.items():
        for flag in needed:
            values = [origin for origin in flow.origins if VALUE in origin.kinds and flag not in origin.permissions]
            if values:
                findings.of_model(
                    "permission",
                    model,
                    1,
                    f"{model.name}.{name} contains values of features that have not passed {PERMISSIONS}.{flag}: {_way(values, flow)}.",
                    f"Take them from {'feat_training_values' if flag == TRAINED else 'feat_track_source_values or what is made of it'}.",
                )
        if texts := [
            origin for origin in flow.origins if NAMES in origin.kinds and not _is_matched(flow.origins[origin])
        ]:
            findings.of_model(
                "leak",
                model,
                1,
                f"{model.name}.{name} contains a text of a feature source: {_way(texts, flow)}.",
                "Such a text may say anything, also who heard the track: take names from anon_tracks.",
            )


def _trains(model: Model) -> bool:
    purposes = model.meta.get("purposes")
    named = purposes if isinstance(purposes, Mapping) else {}
    return bool(model.meta.get(TRAINS)) or any(TRAINING in str(purpose).split(" or ") for purpose in named)


def _is_matched(way: Iterable[str]) -> bool:
    """Whether a text became the result of a comparison on its way, or a hash of what a source is."""
    return any(column.rpartition(".")[2] in MATCHED or column.endswith("_digest") for column in way)


def _way(origins: Sequence[Origin], flow: Flow) -> str:
    shortest = min((flow.origins[origin] for origin in origins), key=lambda way: (len(way), way))
    return " > ".join(shortest)
