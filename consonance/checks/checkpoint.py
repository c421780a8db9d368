"""The Great Expectations checkpoint: runs rules on a study's vault and its warehouse, or on a release.

Results hold places and counts and nothing else: no value of a participant leaves the database.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from consonance.checks.rule_relations import write_out
from consonance.checks.rule_tables import Fetch
from consonance.checks.rules import NothingToCheck, Rule, RuleResult, Violations, all_rules
from consonance.study.folder import Study
from consonance.study.literals import literal
from consonance.study.settings import Settings
from consonance.study.vault import attach_study, attach_to_read, lock_down

# Great Expectations sends usage statistics unless this is set before it is imported.
os.environ["GX_ANALYTICS_ENABLED"] = "false"

import great_expectations as gx
import sqlalchemy as sa
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.expectations.core.expect_table_row_count_to_equal import ExpectTableRowCountToEqual
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy
from sqlalchemy.pool import StaticPool


def run_checkpoint(
    study: Study,
    rules: Sequence[Rule] | None = None,
    *,
    warehouse: Path | None = None,
    beside: Mapping[str, Path] | None = None,
) -> list[RuleResult]:
    """Run ``rules`` and give their results in the same order.

    Args:
        study: Its vault says what is true.
        rules: All rules of a study if not given.
        warehouse: The database that is checked; the study's warehouse if not given.
        beside: Other databases that the rules may read, by the name under which they see them.

    Raises:
        NothingToCheck: there is no warehouse yet.
        StoreError, VaultKeyError: a store cannot be opened.
    """
    rules = all_rules() if rules is None else rules
    warehouse = study.warehouse_path if warehouse is None else warehouse
    if not warehouse.exists():
        raise NothingToCheck(f"{study.root} has no warehouse yet.", "Run 'dbt run' first.")
    with _stores_attached(study, {"warehouse": warehouse, **(beside or {})}):
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
        source = context.data_sources.add_sql(
            "study",
            connection_string="duckdb:///:memory:",
            kwargs={"poolclass": StaticPool},  # type: ignore[call-arg]
        )
        with source.get_execution_engine().engine.connect() as connection:
            queries = write_out([rule.query for rule in rules], partial(_rows, connection), _settings(study))
            connection.commit()  # else the temporary tables go with the connection
        validations = [
            context.validation_definitions.add(_no_rows(context, source, rule, query))
            for rule, query in zip(rules, queries, strict=True)
        ]
        checkpoint = gx.Checkpoint(
            name="study",
            validation_definitions=validations,
            result_format={"result_format": "BASIC", "partial_unexpected_count": 0},
        )
        run = context.checkpoints.add(checkpoint).run()
        counted = {outcome.suite_name: _violations(outcome) for outcome in run.run_results.values()}
        with source.get_execution_engine().engine.connect() as connection:
            return [
                RuleResult(
                    rule, counted[rule.name], _places(partial(_rows, connection), rule, query, counted[rule.name])
                )
                for rule, query in zip(rules, queries, strict=True)
            ]


def _settings(study: Study) -> dict[str, str]:
    """What ``study.yml`` says now, as a relation: the vault says what a load made of it."""
    as_of = Settings.read(study).as_of
    moment = literal(as_of.replace(tzinfo=None).isoformat()) if as_of else "null"
    return {"settings": f"(select cast({moment} as timestamp) as as_of)"}


def _rows(connection: Any, statement: str) -> Sequence[Sequence[Any]]:
    """Run a statement as it is: a colon in a text is no parameter."""
    done = connection.exec_driver_sql(statement)
    return done.fetchall() if done.returns_rows else []


def _places(fetch: Fetch, rule: Rule, query: str, violations: int | None) -> tuple[Violations, ...]:
    """Where the violations of a rule are: by column, what is wrong and how often, and nothing of what is there."""
    if not violations:
        return ()
    there = [name for name, *_ in fetch(f"describe ({query})")]
    place = "place" if "place" in there else literal(rule.relation.removeprefix("warehouse.").removeprefix("vault."))
    detail = "detail" if "detail" in there else "''"
    line = "min(line)" if "line" in there else "cast(null as bigint)"
    found = fetch(f"select {place}, {detail}, {line}, count(*) from ({query}) as violations group by all order by all")
    return tuple(Violations(str(where), str(what), row, int(rows)) for where, what, row, rows in found)


def _no_rows(context: Any, source: Any, rule: Rule, query: str) -> gx.ValidationDefinition:
    """The expectation that a rule's query returns no row: its rows are the violations."""
    asset = source.add_query_asset(rule.name, query=f"select * from ({query}) as violations")
    suite = gx.ExpectationSuite(name=rule.name)
    suite.add_expectation(ExpectTableRowCountToEqual(value=0, description=rule.what))
    return gx.ValidationDefinition(
        name=rule.name,
        data=asset.add_batch_definition_whole_table("whole"),
        suite=context.suites.add(suite),
    )


def _violations(outcome: Any) -> int | None:
    """How many rows a rule's query returned; ``None`` if it could not be run."""
    (result,) = outcome.results
    if result.exception_info.get("raised_exception", True):
        return None
    return int(result.result["observed_value"])


@contextmanager
def _stores_attached(study: Study, databases: Mapping[str, Path]) -> Iterator[None]:
    """Every engine made meanwhile reads the stores, locked, and buffers its results.

    DuckDB drops a pending result when its connection goes back to the pool, and Great Expectations
    fetches after that. It also keeps references to its connections, so the stores are detached here.
    """
    made: list[Any] = []

    def attach(connection: Any, _record: object) -> None:
        attach_study(connection, study, read_only=True)
        for name, path in databases.items():
            attach_to_read(connection, path, name)
        lock_down(connection, [])
        made.append(connection)  # one that could not be set up is closed by who made it

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
