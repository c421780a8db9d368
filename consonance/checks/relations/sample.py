"""The declared relations on a sample of the study: its models are made twice, and the second time must change nothing.

Everything is in memory. ``sample.sql`` takes the sample; its models are made by the statements that dbt ran for the
paired rebuild. Then all relations are applied to a copy of its vault, and its models are made again. Only if that
changes something, each relation is applied alone, so that the finding says on what the column depends. ``clocks`` is applied
to another copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from consonance.checks.comparison import Comparison, Difference, match_persons
from consonance.checks.declarations import declared_grains
from consonance.checks.paired_rebuild import COPIED
from consonance.checks.relations.declared import CLOCKS, IDENTITIES, ON_SAMPLE, TOGETHER, Relation, left_out
from consonance.checks.relations.replay import lay_out_warehouse, replay, statements_of_run
from consonance.consent.rules import with_rules
from consonance.study.folder import Study
from consonance.study.schema import lay_out_catalogue, lay_out_vault
from consonance.study.shared_macros import with_macros
from consonance.study.vault import attach_to_read, attach_vault, lock_down, prepare, session_settings

SQL = Path(__file__).with_name("sample.sql")
HELD_PEOPLE = Path(__file__).with_name("held_people.sql")
# About how many plays, and how many answers, a sample has at most: more find little more, and take longer.
ROWS = 8_000
HELD_BACK = "held_back"


@dataclass
class Sampled:
    """What was compared on the sample, and what differs."""

    plays: int = 0
    differences: list[Difference] = field(default_factory=list)


def compare_samples(study: Study, built: Study, workspace: Path, marker: str, rows: int = ROWS) -> Sampled:
    """Try the relations of ``ON_SAMPLE``, and ``CLOCKS``, on a sample of ``study``.

    Args:
        study: Loaded.
        built: A study that dbt has built with the folder ``workspace``: of it the functions and seeds are taken.
        workspace: See there.
        marker: Occurs nowhere in ``study``; every changed text holds it.
        rows: About how many plays, and how many answers, the sample has at most.

    Raises:
        ModelFailed: a model fails on the sample.
        StoreError, VaultKeyError: a store cannot be opened.
    """
    statements = statements_of_run(workspace)
    with duckdb.connect(config=session_settings()) as connection:
        prepare(connection, study)
        attach_vault(connection, study, "study", read_only=True)
        attach_to_read(connection, study.catalogue_path, "archive")
        attach_to_read(connection, built.warehouse_path, "template")
        lock_down(connection, [])
        connection.execute("set variable marker = $marker", {"marker": marker})
        _take_sample(connection, rows)
        ((plays,),) = connection.execute(
            "select (select count(*) from vault.raw.extended_plays) + (select count(*) from vault.raw.account_plays)"
        ).fetchall()
        connection.execute(with_rules(HELD_PEOPLE.read_text(encoding="utf-8")))
        replay(connection, statements)
        _keep_as(connection, "original")
        repeated = list(_repeated_rows(connection))
        _copy(connection, "vault", "before", "schema_name = 'raw'")

        def changed_by(relations: Sequence[Relation]) -> list[Difference]:
            _change(connection, relations)
            replay(connection, statements)
            _keep_as(connection, "rebuilt")
            return list(_compared(connection, relations, marker))

        together = changed_by(ON_SAMPLE)
        found = _attributed(together, changed_by) if together else []
        known = {(one.relation, one.column) for one in found}
        found += [one for one in changed_by((CLOCKS,)) if (one.relation, one.column) not in known]
        return Sampled(plays, repeated + found)


def _attributed(
    together: list[Difference], changed_by: Callable[[Sequence[Relation]], list[Difference]]
) -> list[Difference]:
    """The differences of each relation alone; what only several of them show together stays as it is."""
    alone = changed_by(())
    by_identities = {(one.relation, one.column) for one in alone}
    for relation in ON_SAMPLE:
        alone += [one for one in changed_by((relation,)) if (one.relation, one.column) not in by_identities]
    known = {(one.relation, one.column) for one in alone}
    return alone + [one for one in together if (one.relation, one.column) not in known]


def _take_sample(connection: duckdb.DuckDBPyConnection, rows: int) -> None:
    """Attach vault, catalogue and warehouse in memory, and fill the first two from ``study`` and ``archive``."""
    connection.execute("attach ':memory:' as vault; attach ':memory:' as catalogue; attach ':memory:' as warehouse")
    lay_out_vault(connection)
    lay_out_catalogue(connection)
    connection.execute("set variable rows = $rows", {"rows": rows})
    connection.execute(with_macros(SQL.read_text(encoding="utf-8"), (), copied_columns=COPIED))
    lay_out_warehouse(connection, "template")


def _change(connection: duckdb.DuckDBPyConnection, relations: Sequence[Relation]) -> None:
    """Make the vault anew: that of the sample with other identities, and ``relations`` applied to it."""
    connection.execute("detach vault; attach ':memory:' as vault")
    lay_out_vault(connection)
    for table, columns in COPIED.items():
        named = ", ".join(columns)
        connection.execute(f"insert into vault.raw.{table} ({named}) select {named} from before.raw.{table}")
    for relation in (IDENTITIES, *relations):
        relation.apply(connection)


def _keep_as(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Keep the warehouse as ``name``, and begin another one."""
    _copy(connection, "warehouse", name)
    connection.execute("detach warehouse; attach ':memory:' as warehouse")
    lay_out_warehouse(connection, "template")


def _copy(connection: duckdb.DuckDBPyConnection, database: str, name: str, which: str = "true") -> None:
    """Copy the rows of the tables of ``database``, as they lie, into the new database ``name``."""
    connection.execute(f"detach database if exists {name}; attach ':memory:' as {name}")
    for schema, table in connection.execute(
        f"select distinct schema_name, table_name from duckdb_columns() where database_name = $database and not internal and {which}",
        {"database": database},
    ).fetchall():
        connection.execute(f'create schema if not exists {name}."{schema}"')
        connection.execute(f'create table {name}."{schema}"."{table}" as select * from {database}."{schema}"."{table}"')


def _compared(
    connection: duckdb.DuckDBPyConnection, relations: Sequence[Relation], marker: str
) -> Iterator[Difference]:
    codes = connection.execute("select participant_code, other_code, moved_weeks from vault.codes").fetchall()
    match_persons(connection, codes, "before.raw.keyring", "vault.raw.keyring")
    relation = IDENTITIES if not relations else relations[0] if len(relations) == 1 else TOGETHER
    yield from Comparison(
        connection,
        marker,
        finding=relation.finding,
        changed=relation.name,
        with_order=True,
        left_out=left_out(relations),
    ).differences()
    if any(relation.name == HELD_BACK for relation in relations):
        yield from _held_back_rows(connection)


def _repeated_rows(connection: duckdb.DuckDBPyConnection) -> Iterator[Difference]:
    """Tables of which several rows are alike in what must tell them apart. A rule asks this of the study; the people of the
    sample have data of every kind, also where a study has none.
    """
    there = {place for (place,) in connection.execute(TABLES_OF_SAMPLE).fetchall()}
    for relation, grains in declared_grains().items():
        for columns in grains if relation in there else ():
            named = ", ".join(f'"{column}"' for column in columns)
            known = " and ".join(f'"{column}" is not null' for column in columns) if len(columns) == 1 else "true"
            repeated = f"select 1 from original.{relation} where {known} group by {named} having count(*) > 1 limit 1"
            if connection.execute(repeated).fetchall():
                yield Difference(relation, columns[0], f"has several rows with one {', '.join(columns)}", HELD_BACK)


TABLES_OF_SAMPLE = "select schema_name || '.' || table_name from duckdb_tables() where database_name = 'original'"


def _held_back_rows(connection: duckdb.DuckDBPyConnection) -> Iterator[Difference]:
    """Tables that have a row of somebody who holds back the purpose that it needs, by what the models declare, or of
    somebody without a consent that counts.
    """
    (relation,) = (one for one in ON_SAMPLE if one.name == HELD_BACK)
    needed = connection.execute(
        "select relation, purpose, condition from rebuilt.audit.purposes order by all"
    ).fetchall()
    ((without_consent,),) = connection.execute(
        "select list(pseudonym) from vault.held_back where purpose is null"
    ).fetchall()
    for place in dict.fromkeys(place for place, _, _ in needed):
        conditions = {
            purpose: f"({condition}) and participant_id in (select pseudonym from vault.held_back where purpose = '{purpose}')"
            for table, purpose, condition in needed
            if table == place
        }
        conditions["every purpose"] = f"list_contains({without_consent}, participant_id)"
        counts = ", ".join(f"count(*) filter (where {condition})" for condition in conditions.values())
        found = connection.execute(f"select {counts} from rebuilt.{place}").fetchall()[0]
        for purpose, rows in zip(conditions, found, strict=True):
            if rows:
                yield Difference(place, "", f"has rows of somebody who holds back {purpose}", relation.name)
