"""Pages are made of marts and audit alone, and say of nothing that is of few persons."""

from __future__ import annotations

import ast
from pathlib import Path

import duckdb
import pytest

from consonance.release.parameters import small_group
from consonance.report.cells import SmallCells
from consonance.site import build
from consonance.study.dbt_command import PROJECT

PAGES = ("consonance/site", "consonance/report")
# Of the module that opens the stores pages may use what opens no vault.
OPENS_NO_VAULT = {"attach_to_read", "lock_down", "session_settings", "StoreError"}
FORBIDDEN = ("consonance.study.key", "consonance.study.keyring", "consonance.study.tokens")
# Where SQL is run: what it finds goes through a gate for small cells there, or is no number of a page.
RUNS_SQL = {
    "consonance/site/build.py": {"_warehouse", "_told"},
    # Bars of few persons are put together or left out: test_codebook.py.
    "consonance/site/codebook.py": {"codebook", "_entries", "_empty", "_words", "_persons_of", "_numbers"},
    "consonance/report/reading.py": {"persons", "counted", "_run", "opened"},
    "consonance/report/features.py": {"choose"},
}


def sources() -> dict[str, ast.Module]:
    return {
        path.relative_to(PROJECT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for folder in PAGES
        for path in (PROJECT / folder).rglob("*.py")
    }


def test_pages_never_open_the_vault() -> None:
    for file, tree in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                assert not [
                    one.name for one in node.names if one.name.startswith(("consonance.study.vault", *FORBIDDEN))
                ], file
            if isinstance(node, ast.ImportFrom) and node.module:
                assert not node.module.startswith(FORBIDDEN), file
                names = {one.name for one in node.names}
                if node.module == "consonance.study.vault":
                    assert names <= OPENS_NO_VAULT, f"{file} opens the vault: take what it needs from marts or audit"
                assert not (node.module == "consonance.study" and names & {"vault", "key", "keyring", "tokens"}), file
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("vault_path", "key_path"), f"{file} opens the vault"


def test_sql_of_pages_is_run_where_small_cells_are_refused() -> None:
    for file, tree in sources().items():
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        running = {
            function.name
            for function in functions
            for node in ast.walk(function)
            if isinstance(node, ast.Attribute) and node.attr in ("execute", "sql", "query", "from_query")
            and isinstance(node.value, ast.Name | ast.Attribute) and "connection" in ast.unparse(node.value)
        }  # fmt: skip
        assert running <= RUNS_SQL.get(file, set()), file


def test_the_site_leaves_out_rows_of_few_persons_and_refuses_rows_that_do_not_say() -> None:
    few = small_group()
    with duckdb.connect() as connection:
        found = build._told(
            connection, f"select * from (values ('a', {few + 1}), ('b', {few}), ('c', 0)) as t (name, persons)"
        )
        assert [row["name"] for row in found.rows] == ["a", "c"] and found.left_out == 1
        for query in ("select 'a title' as title, 1 as participants", "select 'p1' as participant_id, 99 as persons"):
            with pytest.raises(SmallCells, match=r"consonance/site/build\.py does not say of how many persons"):
                build._told(connection, query)


def test_every_query_of_the_front_page_says_of_how_many_persons_it_is() -> None:
    for query in (*build.QUERIES.values(), build.RISKS):
        assert "persons" in query
    template = Path(build.__file__).with_name("templates") / "index.html"
    assert all(f"{name}.rows" in template.read_text(encoding="utf-8") for name in (*build.QUERIES, "risks"))
