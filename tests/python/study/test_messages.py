"""What is printed and logged of an error holds no content, and no caught error is written into a message."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click
import duckdb
import pytest
from conftest import SmallStudy
from dbt.adapters.duckdb.environments import local
from report_marts import Shape, make

from consonance.cli.commands import cli
from consonance.cli.main import status_of
from consonance.study import dbt_plugin
from consonance.study.dbt_command import PROJECT
from consonance.study.vault import open_study
from consonance.study.withheld import DEBUG_VARIABLE, WITHHELD

CANARY = "canary-jane-doe"
# Each makes DuckDB quote a row in its message.
QUOTING = {
    "conversion": f"select cast(who as integer) from (values ('{CANARY}')) as t (who)",
    "constraint": f"create temp table t (who varchar primary key); insert into t values ('{CANARY}'), ('{CANARY}')",
    "JSON": f"select who::json from (values ('{{{CANARY}')) as t (who)",
    "date": f"select strptime(who, '%Y') from (values ('{CANARY}')) as t (who)",
    "error": f"select error(who) from (values ('{CANARY}')) as t (who)",
}
CAUGHT = ("Exception", "BaseException")
# These are of files and locks.
OF_FILES = ("duckdb.IOException",)
# Who looks for the words of a lock in a message, and says them alone.
FINDS_LOCK = "StoreInUse.said_by"
# Where the message of an error is looked at: for a word that says what kind it is.
READERS = {
    ("consonance/study/vault.py", "_attach"),  # is the file locked, is the key wrong?
    ("consonance/study/dbt_plugin.py", "_opened"),
    ("consonance/study/store_errors.py", "store_error"),  # is it locked, damaged, or without a table?
    ("consonance/checks/leaks/contents.py", "is_encrypted_database"),
    ("consonance/desk/answers.py", "answer_to"),  # of an analyst's own query on what the analyst may read
    ("loaders/streams.py", "write"),  # handed to the other thread, which raises it
    ("loaders/streams.py", "make"),
}


def failing(statement: str) -> Callable[[], Any]:
    def run() -> Any:
        with duckdb.connect() as connection:
            return connection.execute(statement).fetchall()

    return run


@pytest.mark.parametrize("name", QUOTING)
def test_neither_the_terminal_nor_dbt_quotes_a_row(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(duckdb.Error, match=CANARY):
        failing(QUOTING[name])()
    assert status_of(failing(QUOTING[name])) == 1
    said = "".join(capsys.readouterr())
    assert CANARY not in said and "DuckDB could not run a statement" in said and DEBUG_VARIABLE in said
    assert local.DuckDBCursorWrapper is dbt_plugin.QuietCursor
    with duckdb.connect() as connection, pytest.raises(duckdb.Error) as quiet:
        cursor = local.DuckDBConnectionWrapper(connection, None).cursor()
        cursor.execute(QUOTING[name])
        cursor.fetchall()
    assert CANARY not in str(quiet.value) and WITHHELD in str(quiet.value)
    assert quiet.value.__context__ is None


def test_errors_of_statements_keep_their_message_for_who_writes_models() -> None:
    with duckdb.connect() as connection:
        cursor = local.DuckDBConnectionWrapper(connection, None).cursor()
        with pytest.raises(duckdb.BinderException, match="no_such_column"):
            cursor.execute("select no_such_column from (select 1 as one)")
        assert cursor.execute("select 1").fetchall() == [(1,)]


def test_an_error_that_nobody_foresaw_is_a_sentence_without_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> None:
        raise ValueError(f"invalid literal: {CANARY}")

    assert status_of(broken) == 1
    said = " ".join("".join(capsys.readouterr()).split())
    assert CANARY not in said and "Traceback" not in said
    assert "ValueError at tests/python/study/test_messages.py, line" in said


def test_the_operator_may_ask_for_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DEBUG_VARIABLE, "1")
    with pytest.raises(duckdb.Error, match=CANARY):
        status_of(failing(QUOTING["conversion"]))


# What dbt says is tried above.
RUNS_DBT = ("check", "site")


def commands(group: click.Group, names: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*names, name))
        else:
            yield (*names, name)


# What a command needs beside the study. The others take nothing.
ARGUMENTS = {
    "publish": ["--tier", "controlled"], "withdraw": ["P1", "--yes"], "consent receipt": ["P1"],
    "export training": ["{tmp}/training"], "export openesm": ["{tmp}/openesm"], "audit export": ["{tmp}/log"],
}  # fmt: skip


def spoil(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> None:
    """Whoever reads the column gets an error of DuckDB that quotes what is in it."""
    schema, name = table.rsplit(".", 1)
    ((kind,),) = connection.execute(f"select typeof(any_value({column})) from {table}").fetchall()
    connection.execute(f"alter table {table} rename to {name}_as_it_was")
    value = f"cast('{CANARY}' || {column} as {'bigint' if kind == 'VARCHAR' else kind})"
    connection.execute(f"create view {table} as select * replace ({value} as {column}) from {schema}.{name}_as_it_was")


def test_no_command_quotes_a_row_that_duckdb_cannot_read(
    small: SmallStudy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small.admit("P1")
    small.load()
    make(small.study.warehouse_path, Shape(persons=3, days=1))
    with duckdb.connect(str(small.study.warehouse_path)) as connection:
        spoil(connection, "marts.participants", "participant_id")
    shutil.copy(small.study.warehouse_path, small.study.desk_path)
    with open_study(small.study) as connection:
        for table, column in (("keyring", "participant_no"), ("consent_events", "ledger_line"), ("study", "as_of")):
            spoil(connection, f"vault.raw.{table}", column)
    failed = set()
    for names in commands(cli):
        command: click.Command = cli
        for name in names:
            assert isinstance(command, click.Group)
            command = command.commands[name]
        has_study = "--study" in {option for parameter in command.params for option in parameter.opts}
        if not has_study or names[0] in RUNS_DBT:
            continue
        given = [one.format(tmp=tmp_path) for one in ARGUMENTS.get(" ".join(names), [])]
        status_of(partial(cli, [*names, *given, "--study", str(small.root)]))
        said = "".join(capsys.readouterr())
        assert CANARY not in said and "Traceback" not in said, names
        if "could not run a statement" in said:
            failed.add(" ".join(names))
    assert failed >= {"load", "attack", "report", "consent status", "consent receipt", "publish", "withdraw"}
    for log in (path for folder in ("logs", "target") for path in (PROJECT / folder).rglob("*.log")):
        assert CANARY not in log.read_text(encoding="utf-8", errors="replace")


def test_a_load_quotes_nothing_that_participants_gave(small: SmallStudy, capsys: pytest.CaptureFixture[str]) -> None:
    """Codes that are enrolled are the operator's own. What stands in a column of codes may be a name or an address."""
    small.admit("P1")
    small.enrol("P2", gender=f"{CANARY}-gender")
    fields = (
        "ts",
        "ms_played",
        "username",
        "platform",
        "spotify_track_uri",
        "master_metadata_track_name",
        "reason_end",
    )
    small.donate("P1", [{field: f"{CANARY}-{number}"} for number, field in enumerate(fields)])
    small.donate("P1", f'[{{"ts": "2023-05-01T10:00:00Z", "ms_played": {CANARY}', name="damaged.zip")
    (small.study.surveys / "answers.csv").write_text(
        "participant_code,instrument,item,answer,answered_at\n"
        f"{CANARY},panas,upset,3,2025-02-01T10:00:00+00:00\n"
        f"P1,panas,upset,{CANARY}-answer,2025-02-01T10:00:00+00:00\n"
        f"P1,panas,{CANARY}-item,3,{CANARY}-moment\n",
        encoding="utf-8",
    )
    for more in ([], ["--json"], []):
        status_of(partial(cli, ["load", "--study", str(small.root), *more]))
        # A file that is refused as a whole says so too.
        small.enrol("P3", birth_year=f"{CANARY}-year") if more else None
    said = "".join(capsys.readouterr())
    assert "rejected" in said and "answers.csv" in said and "has no year in birth_year" in said
    assert CANARY not in said


def test_no_message_is_made_of_a_caught_error() -> None:
    found = [
        f"{file.relative_to(PROJECT).as_posix()}, line {line}"
        for folder in ("consonance", "loaders")
        for file in sorted((PROJECT / folder).rglob("*.py"))
        for line in quoted_errors(file.relative_to(PROJECT).as_posix(), file.read_text(encoding="utf-8"))
    ]
    assert not found, f"The message of an error may quote a row: use kind_of() of consonance/study/withheld.py. {found}"


def test_the_check_of_messages_can_fail() -> None:
    handler = "try:\n    pass\nexcept {}:\n    x = {}\n"
    for kind in ("Exception as error", "duckdb.Error as error", "(OSError, duckdb.DataError) as error"):
        for used in ("f'{error}'", "str(error)", "error.args", "Report(error)", "'%s' % error"):
            assert list(quoted_errors("x.py", handler.format(kind, used))) == [4], (kind, used)
        for used in ("type(error).__name__", "kind_of(error)", "isinstance(error, KeyError)"):
            assert list(quoted_errors("x.py", handler.format(kind, used))) == []
    assert list(quoted_errors("x.py", handler.format("OSError as error", "f'{error.strerror}'"))) == []


def quoted_errors(file: str, text: str) -> Iterator[int]:
    """The lines where an error of DuckDB, or any error, is used for more than its kind."""
    tree = ast.parse(text)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for handler in (node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and node.name and node.type):
        kinds = ast.unparse(handler.type)  # type: ignore[arg-type]
        if not ("duckdb." in kinds or kinds in CAUGHT) or kinds in OF_FILES:
            continue
        for node in (part for statement in handler.body for part in ast.walk(statement)):
            if isinstance(node, ast.Name) and node.id == handler.name and not _is_harmless(node, parents, file):
                yield node.lineno


def _is_harmless(name: ast.Name, parents: dict[ast.AST, ast.AST], file: str) -> bool:
    user = parents[name]
    if isinstance(user, ast.Raise):
        return True
    if isinstance(user, ast.Call) and ast.unparse(user.func) in (
        "type",
        "isinstance",
        "kind_of",
        "unforeseen",
        "getattr",
        # These say one kind of error apart from another, by the functions above.
        "explain",
        "is_interrupt",
    ):
        return True
    if isinstance(user, ast.Call) and ast.unparse(user.func) == "str":
        reader = parents[user]
        return (isinstance(reader, ast.Call) and ast.unparse(reader.func) == FINDS_LOCK) or _is_reader(
            file, user, parents
        )
    if isinstance(user, ast.Attribute) and user.attr in (
        "what",
        "remedy",
        "reason",
        "position",
        "strerror",
        "__traceback__",
    ):
        return True
    return _is_reader(file, name, parents)


def _is_reader(file: str, node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    while not isinstance(node, ast.FunctionDef | ast.Module):
        node = parents[node]
    return (file, getattr(node, "name", "")) in READERS
