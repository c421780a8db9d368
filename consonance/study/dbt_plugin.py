"""What dbt loads at connection time, so that a bare ``dbt run`` finds the study by itself.

``profiles.yml`` names this module as a dbt-duckdb plugin. It opens the study's warehouse, attaches its
vault and catalogue, then closes every other way out: a model can read the attached stores and the
project's seeds, nothing else. What dbt prints and logs of an error quotes no row. For the target ``desk`` it opens the
warehouse alone. At the end of a complete run ``macros/desk.sql`` lets it write the desk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.environments import local
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt.adapters.duckdb.utils import TargetConfig
from dbt_common.exceptions import DbtRuntimeError

from consonance.study.dbt_command import PROJECT, log_folder, target_folder
from consonance.study.desk import files_to_write, write_desk
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.last_run import project_digest
from consonance.study.literals import literal
from consonance.study.modes import close_folders, close_to_others, keep_to_owner
from consonance.study.store_errors import StoreError
from consonance.study.vault import VAULT, attach_study, lock_down, prepare, session_settings, why_not_opened
from consonance.study.withheld import of_statement_alone
from consonance.study.work_folders import PAIRED_REBUILD


class QuietCursor(local.DuckDBCursorWrapper):
    """What dbt runs statements with: dbt prints and logs the messages of errors, and these may quote a row."""

    def execute(self, sql: str, bindings: Any = None) -> Any:
        run = super().execute
        return of_statement_alone(lambda: run(sql, bindings))  # type: ignore[no-untyped-call]

    def __getattr__(self, name: str) -> Any:
        found = super().__getattr__(name)  # type: ignore[no-untyped-call]
        return partial(_quietly, found) if name.startswith("fetch") else found


def _quietly(fetch: Callable[..., Any], *arguments: Any) -> Any:
    return of_statement_alone(lambda: fetch(*arguments))


# dbt-duckdb has no setting for it.
local.DuckDBCursorWrapper = QuietCursor  # type: ignore[misc]


class Plugin(BasePlugin):
    """Attaches a study's stores to dbt's connection and locks it."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        self.has_vault = plugin_config.get("has_vault", True)
        self.study: Study | None = None
        self.connection: duckdb.DuckDBPyConnection | None = None

    def update_connection_config(self, creds: DuckDBCredentials, config: dict[str, Any]) -> None:
        with _as_an_error_of_dbt():
            self.study = self.study or self._found()
            config.update(session_settings())
            # dbt opens it once more, which gives the same database. It would pass on DuckDB's message about a lock.
            self.connection = _opened(self.study.warehouse_path, config)
        creds.path = str(self.study.warehouse_path)

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        assert self.study is not None, "dbt-duckdb configures the connection after its settings"
        with _as_an_error_of_dbt():
            if self.has_vault:
                attach_study(conn, self.study, may_be_older=False)
            else:
                prepare(conn, self.study)
                # dbt makes the schemas of what is selected before a hook can refuse it: an empty store takes them.
                conn.execute(f"ATTACH ':memory:' AS {VAULT}")
        lock_down(conn, [PROJECT / "seeds"], files_to_write(self.study) if self.has_vault else ())
        self.connection = conn

    def configure_cursor(self, cursor: duckdb.DuckDBPyConnection) -> None:
        # No parameter: for the first one DuckDB imports pandas, which costs half a second.
        cursor.execute(f"set variable project_digest = {literal(project_digest())}")

    def store(self, target_config: TargetConfig) -> None:
        """Write the desk, of the relations that the macro ``write_desk`` names; nobody would open that of a paired rebuild."""
        assert self.study is not None and self.connection is not None, "dbt is connected when the models have been made"
        if self.study.root.name.startswith(PAIRED_REBUILD):
            return
        with _as_an_error_of_dbt(), self.connection.cursor() as cursor:
            write_desk(cursor, self.study, target_config.config["relations"])

    def _found(self) -> Study:
        """The study, closed to others. Once in a run: dbt connects anew whenever no thread of its own is connected."""
        study = Study.find()
        keep_to_owner()
        close_to_others(study)
        close_folders([target_folder(), log_folder()])
        if not self.has_vault and not study.warehouse_path.exists():
            raise StoreError(
                f"{study.warehouse_path} does not exist.",
                "Run 'dbt run' where the vault is, or ask who runs the study for the warehouse.",
            )
        return study


def _opened(path: Path, config: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """The warehouse.

    Raises:
        StoreError: it is damaged, or another process has it open.
    """
    try:
        return duckdb.connect(str(path), config=config)
    except duckdb.Error as error:
        raise why_not_opened(path, str(error)) from None


@contextmanager
def _as_an_error_of_dbt() -> Iterator[None]:
    """What a person can put right is said without a traceback."""
    try:
        yield
    except ConsonanceError as error:
        raise DbtRuntimeError(str(error)) from None
