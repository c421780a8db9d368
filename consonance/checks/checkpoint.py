"""The Great Expectations checkpoint: rules, run on a study's vault and its warehouse, or a release.

Results hold counts and nothing else: no value of a participant leaves the database.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consonance.checks.rules import Rule, all_rules
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.vault import attach_study, attach_to_read, lock_down

# Great Expectations phones home unless told not to before it is imported.
os.environ["GX_ANALYTICS_ENABLED"] = "false"

import great_expectations as gx
import sqlalchemy as sa
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.expectations.core.expect_table_row_count_to_equal import ExpectTableRowCountToEqual
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy
from sqlalchemy.pool import StaticPool

# The name under which rules of releases see the study that a release was made of.
MADE = "made"
# Its figures lie in the order of the attacks; dbt does not make it.
RISK = "audit.privacy_risk"


class NothingToCheck(ConsonanceError):
    """The study has no warehouse yet."""


@dataclass(frozen=True)
class RuleResult:
    """How a rule turned out: ``violations`` is ``None`` if it could not be run."""

    rule: Rule
    passed: bool
    violations: int | None

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule.name,
            "suite": self.rule.suite,
            "what": self.rule.what,
            "passed": self.passed,
            "violations": self.violations,
            "remedy": None if self.passed else self.rule.remedy,
        }


def run_checkpoint(
    study: Study,
    rules: list[Rule] | None = None,
    *,
    warehouse: Path | None = None,
    beside: Mapping[str, Path] | None = None,
) -> list[RuleResult]:
    """Run ``rules`` and say which hold.

    Args:
        study: Whose vault tells the truth.
        rules: All of a study, if not given.
        warehouse: The database that is judged; the study's warehouse if not given.
        beside: Other databases that the rules may read, by the name under which they see them.

    Raises:
        NothingToCheck: there is no warehouse yet.
        StoreError, VaultKeyError: a store cannot be opened.
    """
    rules = all_rules() if rules is None else rules
    warehouse = study.warehouse_path if warehouse is None else warehouse
    if not warehouse.exists():
        raise NothingToCheck(f"{study.root} has no warehouse yet.", "Run 'dbt run' first.")
    with _engine_events(study, {"warehouse": warehouse, **(beside or {})}):
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
        source = context.data_sources.add_sql(
            "study",
            connection_string="duckdb:///:memory:",
            kwargs={"poolclass": StaticPool},  # type: ignore[call-arg]
        )
        engine = source.get_engine()
        relations = _assembled_relations(engine)
        definitions = []
        for rule in rules:
            query = rule.query
            for name, relation in relations.items():
                query = query.replace(f"{{{name}}}", relation)
            # The rows of a rule are its violations: there must be none.
            asset = source.add_query_asset(rule.name, query=f"select * from ({query}) as violations")
            suite = gx.ExpectationSuite(name=rule.name)
            suite.add_expectation(ExpectTableRowCountToEqual(value=0, description=rule.what))
            definitions.append(
                gx.ValidationDefinition(
                    name=rule.name,
                    data=asset.add_batch_definition_whole_table("whole"),
                    suite=context.suites.add(suite),
                )
            )
        checkpoint = gx.Checkpoint(
            name="study",
            validation_definitions=[context.validation_definitions.add(definition) for definition in definitions],
            result_format={"result_format": "BASIC", "partial_unexpected_count": 0},
        )
        run = context.checkpoints.add(checkpoint).run()
    found = {}
    for outcome in run.run_results.values():
        (result,) = outcome.results
        failed_to_run = bool(result.exception_info.get("raised_exception", True))
        found[outcome.suite_name] = None if failed_to_run else int(result.result["observed_value"])
    return [RuleResult(rule, found[rule.name] == 0, found[rule.name]) for rule in rules]


@contextmanager
def _engine_events(study: Study, databases: Mapping[str, Path]) -> Iterator[None]:
    """Every engine made meanwhile sees the stores, read-only and locked, and buffers its results.

    DuckDB drops a pending result when its connection goes back to the pool, and Great Expectations
    fetches after that. It also keeps references to its connections, so the stores are detached by us.
    """
    made: list[Any] = []

    def attach(connection: Any, _record: object) -> None:
        made.append(connection)
        attach_study(connection, study, read_only=True)
        for name, path in databases.items():
            attach_to_read(connection, path, name)
        lock_down(connection, [])

    def buffer(
        _connection: object, cursor: Any, _statement: str, _parameters: object, context: Any, _many: bool
    ) -> None:
        if cursor.description:
            context.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(cursor, initial_buffer=cursor.fetchall())

    sa.event.listen(sa.Engine, "connect", attach)
    sa.event.listen(sa.Engine, "after_cursor_execute", buffer)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "connect", attach)
        sa.event.remove(sa.Engine, "after_cursor_execute", buffer)
        for connection in made:
            for store in ("vault", "catalogue", *databases):
                connection.execute(f"detach database if exists {store}")
            connection.close()


def _assembled_relations(engine: sa.Engine) -> dict[str, str]:
    """Relations over every table right of the wall, found in its catalogue and not in a list of ours.

    ``strings``: each distinct text with its place. ``persons``: each participant of each table, with
    purposes of which one is needed, as audit.purposes declares: by every row of the table, or by rows that
    are there (``is_every_row``). A table that declares nothing needs what nobody grants. ``times``: each participant's first and last time in
    each temporal column. ``clocks``: how closely each number of a mart follows each local time beside it,
    participant by participant. ``ids``: each id that stands for a person or something of a person's, as
    text or number. ``ids_elsewhere``: the same of the databases beside. ``unordered``: each row that lies
    before one that belongs before it.
    """
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text(
                """
                select table_catalog, table_schema, table_name, column_name, data_type
                from information_schema.columns
                where
                    table_catalog not in ('memory', 'vault', 'catalogue', 'system', 'temp')
                    and table_schema not in ('reference', 'information_schema')
                order by table_catalog, table_schema, table_name, ordinal_position
                """
            )
        ).fetchall()
        declared: dict[str, list[tuple[list[str], str]]] = {}
        if any(tuple(row[:3]) == ("warehouse", "audit", "purposes") for row in rows):
            for table, purpose, condition in connection.execute(
                sa.text("select relation, purpose, condition from warehouse.audit.purposes order by all")
            ).fetchall():
                declared.setdefault(str(table), []).append((str(purpose).split(" or "), str(condition)))
    columns: dict[str, dict[str, dict[str, str]]] = {}
    for database, schema, table, column, data_type in rows:
        columns.setdefault(str(database), {}).setdefault(f"{schema}.{table}", {})[str(column)] = str(data_type)
    # Without any column of its kind a relation is empty, and still has its columns.
    strings = ["select '' as place, '' as value where false"]
    persons = ["select '' as place, '' as participant_id, [''] as purposes, true as is_every_row where false"]
    times = [
        "select '' as place, '' as participant_id, cast(null as timestamp) as first_time, cast(null as timestamp) as last_time where false"
    ]
    clocks = [
        "select '' as place, '' as participant_id, 0 as rows, 0.0 as spread_s, 0.0 as step, 0.0 as fit where false"
    ]
    for table, types in columns.get("warehouse", {}).items():
        if table.startswith("marts.") and "participant_id" in types:
            clocks += _clocks(table, types)
        for column, data_type in types.items():
            if data_type == "VARCHAR":
                strings.append(
                    f'select distinct \'{table}.{column}\' as place, "{column}" as value from warehouse.{table} where "{column}" is not null'
                )
            if "participant_id" in types and _is_temporal(data_type):
                times.append(
                    f"select '{table}.{column}' as place, participant_id, cast(min(\"{column}\") as timestamp) as first_time, "
                    f'cast(max("{column}") as timestamp) as last_time from warehouse.{table} group by participant_id'
                )
        if "participant_id" in types:
            persons += [
                f"select distinct '{table}' as place, participant_id, {purposes} as purposes, {condition == 'true'} as is_every_row from warehouse.{table} where {condition}"
                for purposes, condition in declared.get(table, [([], "true")])
            ]
    elsewhere = [database for database in columns if database not in ("warehouse", MADE)]
    return {
        "strings": _union(strings),
        "persons": _union(persons),
        "times": _union(times),
        "clocks": _union(clocks),
        "ids": _union(_ids("warehouse", columns.get("warehouse", {}))),
        "ids_elsewhere": _union([select for database in elsewhere for select in _ids(database, columns[database])]),
        "unordered": _union(_unordered(columns.get("warehouse", {}))),
    }


def _union(selects: list[str]) -> str:
    return "(" + " union all ".join(selects) + ")"


def _is_temporal(data_type: str) -> bool:
    return data_type == "DATE" or data_type.startswith("TIMESTAMP")


def _clocks(table: str, types: Mapping[str, str]) -> list[str]:
    """What measures how each number of a table follows each time: by a straight line of so many units a second."""
    times = [column for column, data_type in types.items() if _is_temporal(data_type)]
    numbers = [
        column
        for column, data_type in types.items()
        if data_type in ("INTEGER", "BIGINT", "UBIGINT", "HUGEINT", "FLOAT", "DOUBLE") and not column.endswith("_id")
    ]
    return [
        f"""
        select
            '{table}.{number} beside {time}' as place,
            participant_id,
            count(*) as rows,
            stddev_pop(epoch("{time}")) as spread_s,
            -- Three digits: what drifts by an hour in ten days is no clock.
            cast(printf('%.3g', regr_slope("{number}", epoch("{time}"))) as double) as step,
            regr_r2("{number}", epoch("{time}")) as fit
        from warehouse.{table}
        where "{number}" is not null and "{time}" is not null
        group by participant_id
        """
        for time in times
        for number in numbers
    ]


def _ids(database: str, tables: Mapping[str, Mapping[str, str]]) -> list[str]:
    """What finds the ids of persons and of what is theirs; a track is everybody's unless it is private."""
    found = ["select '' as place, cast(null as varchar) as text_id, cast(null as bigint) as number_id where false"]
    for table, types in tables.items():
        for column, data_type in types.items():
            if not column.endswith("_id") or (column == "track_id" and "is_private" not in types):
                continue
            where = " where is_private" if column == "track_id" else ""
            # Numbers tell one record from another and hardly repeat; names repeat in every row.
            kinds = {
                "VARCHAR": f"distinct '{table}.{column}', \"{column}\", null",
                "BIGINT": f"'{table}.{column}', null, \"{column}\"",
            }
            if data_type in kinds:
                found.append(f"select {kinds[data_type]} from {database}.{table}{where}")
    return found


def _unordered(tables: Mapping[str, Mapping[str, str]]) -> list[str]:
    """What finds the rows that lie before one whose pseudonym, or else whose columns, come first."""
    found = ["select '' as place where false"]
    for table, types in tables.items():
        if table == RISK:
            continue
        keys = ["participant_id"] if "participant_id" in types else list(types)
        row = "row(" + ", ".join(f'"{key}"' for key in keys) + ")"
        found.append(
            f"select '{table}' as place from (select {row} as current_row, lag({row}) over () as previous_row from warehouse.{table}) where current_row < previous_row"
        )
    return found
