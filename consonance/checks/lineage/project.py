"""The dbt project as the check of the wall sees it: the manifest, the compiled SQL, the loaders' tables.

A value object, so that a test can alter any part of it and check what comes of that.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import yaml

from consonance.checks.lineage.jinja import PACKAGE, jinja_names
from consonance.checks.lineage.reviews import digest_of
from consonance.study.errors import ConsonanceError
from consonance.study.schema import lay_out_stores

PACKAGES = frozenset({PACKAGE, "dbt", "dbt_duckdb"})
# Settings of data tests that are SQL, and what dbt sets itself.
SETTINGS_OF_TESTS = {"where": None, "fail_calc": "count(*)", "warn_if": "!= 0", "error_if": "!= 0"}


class NoManifest(ConsonanceError):
    """dbt has not compiled the project."""


@dataclass(frozen=True)
class Model:
    """A model, and an analysis as far as it has the same parts.

    Attributes:
        relation: ``database.schema.name`` of what it makes, in small letters.
        layer: The folder of ``models/`` it is in.
        materialized: view, table, …
        file, compiled: Paths within the project, of the source and of the compiled SQL.
        source: As written, with Jinja.
        sql: As compiled.
        privacy: Each column that the YAML declares, with its class.
        extras: Settings that run or keep SQL beside the model's own (hooks, headers, stored failures).
        meta: What the YAML says of the model as a whole: the purposes that its rows need.
    """

    name: str
    relation: str
    layer: str
    materialized: str
    language: str
    file: str
    compiled: str
    source: str
    sql: str
    privacy: Mapping[str, str | None]
    extras: tuple[str, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DataTest(Model):
    """A data test.

    Attributes:
        generic: Of which test it is an instance, such as ``not_null``; empty, if it is a file of its own.
        arguments: What the YAML calls that with.
        settings: Those of its settings that are SQL.
    """

    generic: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    settings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Function:
    """A declassifier: a function node of dbt.

    Attributes:
        relation: ``database.schema.name``.
        accepts: For each argument the kinds of columns that it may be made of.
        needs: Kinds that an argument must be made of.
        values: What it can give beside null, if that is a closed list; None if it is not.
        only: Arguments that must be one column, unchanged: each with the columns that it may be, ``relation.column``.
        kind: ``sql scalar``; other kinds are not read.
        meta: All of the YAML's meta.
    """

    name: str
    relation: str
    file: str
    compiled: str
    source: str
    sql: str
    kind: str
    arguments: tuple[str, ...]
    meta: Mapping[str, Any]

    @property
    def accepts(self) -> Mapping[str, Sequence[str]]:
        declared = self.meta.get("accepts")
        return declared if isinstance(declared, Mapping) else {}

    @property
    def needs(self) -> Mapping[str, Sequence[str]]:
        return dict(self.meta.get("needs") or {})

    @property
    def values(self) -> frozenset[Any] | None:
        return frozenset(self.meta["values"]) if "values" in self.meta else None

    @property
    def digest(self) -> str:
        """Of its body without regard to white space, and of what its arguments may be; a review names it."""
        terms = [self.arguments, self.accepts, self.needs, self.only, sorted(map(str, self.values or ()))]
        text = " ".join(self.sql.split()) + json.dumps(terms, sort_keys=True)
        return digest_of(text)

    @property
    def only(self) -> Mapping[str, Sequence[str]]:
        declared = self.meta.get("only") or {}
        return {name: [columns] if isinstance(columns, str) else columns for name, columns in declared.items()}


@dataclass(frozen=True)
class Macro:
    """A macro of the project.

    Attributes:
        digest: Of its text without regard to white space; a review names it.
        names: What its Jinja uses that it does not define.
        overrides: Whether a macro of dbt or its adapter bears the same name.
        source: As written.
    """

    name: str
    file: str
    digest: str
    names: frozenset[str]
    overrides: bool
    source: str = ""


@dataclass(frozen=True)
class Project:
    """Everything that the check looks at.

    Attributes:
        models, analyses, tests, functions, macros: By name.
        tables: Relations that no model makes: ``database.schema.name`` of the loaders' tables and of
            seeds, with their columns.
        seeds: The relations that are seeds.
        hooks: What runs before or after all models, as written.
        oddities: Nodes of kinds that this project does not use, with their files.
        variables: What dbt_project.yml gives a value.
    """

    models: Mapping[str, Model]
    analyses: Mapping[str, Model]
    tests: Mapping[str, DataTest]
    functions: Mapping[str, Function]
    macros: Mapping[str, Macro]
    tables: Mapping[str, tuple[str, ...]]
    seeds: frozenset[str]
    hooks: tuple[str, ...]
    oddities: tuple[tuple[str, str], ...] = ()
    variables: frozenset[str] = frozenset()

    @classmethod
    def read(cls, root: Path, target: Path) -> Project:
        """The project in ``root`` as ``dbt compile`` left it in ``target``.

        Raises:
            NoManifest: it has not been compiled.
        """
        path = target / "manifest.json"
        if not path.exists():
            raise NoManifest(f"{path} does not exist.", "Run 'dbt compile' first.")
        manifest = json.loads(path.read_text(encoding="utf-8"))
        by_kind: dict[str, list[dict[str, Any]]] = {}
        for node in [*manifest["nodes"].values(), *manifest["functions"].values()]:
            by_kind.setdefault(node["resource_type"], []).append(node)
        foreign = frozenset(macro["name"] for macro in manifest["macros"].values() if macro["package_name"] != PACKAGE)
        seeds = {_relation(node): _header(root / node["original_file_path"]) for node in by_kind.get("seed", [])}
        known = {"model", "analysis", "test", "function", "seed", "operation"}
        odd = [node for kind, of_kind in by_kind.items() if kind not in known for node in of_kind]
        for kind in ("metrics", "semantic_models", "saved_queries"):
            odd += manifest.get(kind, {}).values()
        odd += [node for node in by_kind.get("seed", []) if _extras(node)]
        odd += [
            node
            for of_kind in (*by_kind.values(), manifest["macros"].values())
            for node in of_kind
            if node["package_name"] not in PACKAGES
        ]
        odd += [
            node for node in manifest["sources"].values() if node["meta"] or node["source_meta"] or node["external"]
        ]
        return cls(
            models={node["name"]: _model(node) for node in by_kind.get("model", [])},
            analyses={node["name"]: _model(node) for node in by_kind.get("analysis", [])},
            tests={node["name"]: _data_test(node) for node in by_kind.get("test", [])},
            functions={node["name"]: _function(node) for node in by_kind.get("function", [])},
            macros={
                macro["name"]: _macro(macro, foreign)
                for macro in manifest["macros"].values()
                if macro["package_name"] == PACKAGE
            },
            tables=_loaded_tables() | seeds,
            seeds=frozenset(seeds),
            hooks=tuple(node["raw_code"] for node in by_kind.get("operation", [])),
            oddities=tuple((f"{node['resource_type']} {node['name']}", node["original_file_path"]) for node in odd),
            variables=frozenset(yaml.safe_load((root / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]),
        )

    def with_model(self, name: str, **changes: Any) -> Project:
        """The same project with a model altered."""
        return replace(self, models={**self.models, name: replace(self.models[name], **changes)})

    def with_function(self, name: str, **changes: Any) -> Project:
        """The same project with a function altered."""
        return replace(self, functions={**self.functions, name: replace(self.functions[name], **changes)})


def _relation(node: Mapping[str, Any]) -> str:
    return f"{node['database']}.{node['schema']}.{node['alias']}".lower()


def _model(node: Mapping[str, Any]) -> Model:
    return Model(
        name=node["name"],
        relation=_relation(node),
        layer=node["fqn"][1],
        materialized=node["config"]["materialized"],
        language=node["language"],
        file=node["original_file_path"],
        compiled=node.get("compiled_path") or node["original_file_path"],
        source=node["raw_code"],
        sql=node.get("compiled_code") or "",
        privacy={
            column["name"].lower(): (column.get("config") or {}).get("meta", {}).get("privacy")
            for column in node["columns"].values()
        },
        extras=_extras(node),
        meta=node["config"].get("meta") or {},
    )


def _data_test(node: Mapping[str, Any]) -> DataTest:
    called = node.get("test_metadata") or {}
    config = node["config"]
    return DataTest(
        **vars(_model(node)),
        generic=called.get("name", ""),
        arguments=called.get("kwargs", {}),
        settings=tuple(name for name, usual in SETTINGS_OF_TESTS.items() if config.get(name) not in (None, usual)),
    )


def _extras(node: Mapping[str, Any]) -> tuple[str, ...]:
    config = node["config"]
    extras = [key for key in ("pre-hook", "post-hook", "sql_header", "store_failures", "plugin") if config.get(key)]
    if config.get("store_failures_as") not in (None, "ephemeral"):
        extras.append("store_failures_as")
    return tuple(extras)


def _function(node: Mapping[str, Any]) -> Function:
    return Function(
        name=node["name"],
        relation=_relation(node),
        file=node["original_file_path"],
        compiled=node["compiled_path"],
        source=node["raw_code"],
        sql=node["compiled_code"],
        kind=f"{node['language']} {node['config']['type']}",
        arguments=tuple(argument["name"].lower() for argument in node["arguments"]),
        meta=node["config"]["meta"],
    )


def _macro(macro: Mapping[str, Any], foreign: frozenset[str]) -> Macro:
    text = macro["macro_sql"]
    return Macro(
        name=macro["name"],
        file=macro["original_file_path"],
        digest=digest_of(" ".join(text.split())),
        names=jinja_names(text) - {macro["name"]},
        overrides=bool({macro["name"], macro["name"].split("__", 1)[-1]} & foreign)
        or macro["name"].startswith("materialization_"),
        source=text,
    )


def _header(path: Path) -> tuple[str, ...]:
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(name.strip().lower() for name in next(csv.reader(file)))


def _loaded_tables() -> dict[str, tuple[str, ...]]:
    """The tables that loaders write, as their own statements make them in an empty database."""
    with duckdb.connect() as connection:
        for store in ("vault", "catalogue"):
            connection.execute(f"attach ':memory:' as {store}")
        lay_out_stores(connection)
        rows = connection.execute(
            """
            select database_name || '.' || schema_name || '.' || table_name, list(column_name order by column_index)
            from duckdb_columns()
            where database_name in ('vault', 'catalogue') and not internal
            group by all
            """
        ).fetchall()
    return {relation.lower(): tuple(column.lower() for column in columns) for relation, columns in rows}
