"""`dbt run --target desk`: marts and audit of an existing warehouse, for whoever has neither vault nor key."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from conftest import SmallStudy
from forks import DBT, Forks

from consonance.study.dbt_command import PROJECT
from consonance.study.doctor import examine
from consonance.study.folder import STUDY_VARIABLE, Study
from consonance.study.last_run import why_outdated

PARTS = ("models", "macros", "functions", "seeds", "analyses", "tests/sql", "docs", *(path.name for path in PROJECT.glob("*.yml")))  # fmt: skip
MY_MART = "select participant_id, count(*) as plays from {{ ref('plays') }} group by participant_id"
MY_MART_YML = """
models:
  - name: my_mart
    description: One row is one participant.
    config: {meta: {purposes: {listening_history: true}}}
    data_tests: [only_consenting]
    columns:
      - {name: participant_id, data_type: varchar, description: Pseudonym., data_tests: [unique, not_null]}
      - {name: plays, data_type: bigint, description: Number of plays.}
"""


@dataclass(frozen=True)
class Desk:
    """A copy of the project, to which an analyst adds models, and the folder of a study."""

    project: Path
    root: Path
    forks: Forks

    def dbt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DBT")}
        environment |= {STUDY_VARIABLE: str(self.root), "PYTHONPATH": str(PROJECT)}
        return self.forks.run([DBT, "--no-use-colors", *arguments, "--target", "desk"], self.project, environment)

    def add(self, name: str, sql: str, properties: str) -> None:
        (self.project / "models" / "marts" / f"{name}.sql").write_text(sql, encoding="utf-8")
        (self.project / "models" / "marts" / f"{name}.yml").write_text(properties, encoding="utf-8")

    def remove(self, name: str) -> None:
        for path in (self.project / "models" / "marts").glob(f"{name}.*"):
            path.unlink()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("desk") / "project"
    for part in PARTS:
        (root / part).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (PROJECT / part).is_dir() else shutil.copy)(PROJECT / part, root / part)
    return root


@pytest.fixture
def desk(demo: SmallStudy, project: Path, forks: Forks, tmp_path: Path) -> Desk:
    """A folder with the warehouse of the synthetic study: no vault, no catalogue, no key."""
    root = tmp_path / "desk"
    root.mkdir(mode=0o700)
    for path in (demo.study.settings_path, demo.study.warehouse_path):
        shutil.copy(path, root / path.name)
    return Desk(project, root, forks)


def contents(root: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table of a study's warehouse but the desk's own note, in the order in which they lie."""
    with duckdb.connect(str(root / "warehouse.duckdb"), read_only=True) as connection:
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() where schema_name <> 'desk' order by 1"
        ).fetchall()
        return {table: connection.execute(f"from {table}").fetchall() for (table,) in tables}


def test_marts_and_audit_are_made_without_vault_and_key(demo: SmallStudy, desk: Desk) -> None:
    with duckdb.connect(str(desk.root / "warehouse.duckdb")) as connection:
        connection.execute("drop table marts.sessions")
        connection.execute("update marts.plays set ms_played = 0")
    built = desk.dbt("build")
    assert built.returncode == 0, built.stdout[-3000:]
    made = re.findall(r"OK created sql \w+ model (\w+)\.", built.stdout)
    assert sorted(set(made)) == ["audit", "marts"]
    assert len(made) == len(
        [path for layer in ("marts", "audit") for path in (desk.project / "models" / layer).glob("*.sql")]
    )
    assert contents(desk.root) == contents(demo.root)
    assert {path.name for path in desk.root.iterdir()} <= {"study.yml", "warehouse.duckdb", ".spill"}


def test_an_analyst_writes_and_tests_a_mart(demo: SmallStudy, desk: Desk) -> None:
    desk.add("my_mart", MY_MART, MY_MART_YML)
    try:
        built = desk.dbt("build", "--select", "my_mart")
        assert built.returncode == 0, built.stdout[-3000:]
        assert "PASS=" in built.stdout and "unique_my_mart_participant_id" in built.stdout
        now = contents(desk.root)
        assert sorted(now.pop("marts.my_mart")) == sorted(
            demo.warehouse("select participant_id, count(*) from marts.plays group by participant_id")
        )
        assert now == contents(demo.root)
    finally:
        desk.remove("my_mart")


@pytest.mark.parametrize(
    ("sql", "selected", "says"),
    [
        (MY_MART, "int_play_fates", r"int_play_fates is not made with '--target desk': only models of marts and audit"),
        (MY_MART, "country_time_zones", r"country_time_zones is not made with '--target desk'"),
        (MY_MART, "my_mart", r"my_mart reads marts\.plays, which the warehouse lacks\. Select it too"),
        ("select participant_id, 1 as plays from read_csv('/etc/hostname') as t (participant_id)", "my_mart", "disabled by configuration"),
        ("select participant_code as participant_id, 1 as plays from vault.raw.keyring", "my_mart", "does not exist"),
    ],
    ids=["a model left of the marts", "a seed", "a relation that is not there", "a file outside", "the vault"],
)  # fmt: skip
def test_what_the_desk_cannot_make_is_refused(desk: Desk, sql: str, selected: str, says: str) -> None:
    if "reads" in says:
        with duckdb.connect(str(desk.root / "warehouse.duckdb")) as connection:
            connection.execute("drop table marts.plays")
    before = contents(desk.root)
    desk.add("my_mart", sql, MY_MART_YML)
    try:
        refused = desk.dbt("seed" if "zones" in selected else "run", "--select", selected)
    finally:
        desk.remove("my_mart")
    assert refused.returncode != 0
    assert re.search(says, refused.stdout), refused.stdout[-2000:]
    assert contents(desk.root) == before


def test_without_a_warehouse_it_says_what_is_missing(desk: Desk) -> None:
    (desk.root / "warehouse.duckdb").unlink()
    refused = desk.dbt("run")
    assert refused.returncode != 0
    assert "warehouse.duckdb does not exist. Run 'dbt run' where the vault is" in refused.stdout
    assert [path.name for path in desk.root.iterdir()] == ["study.yml"]


@pytest.mark.thorough
def test_the_next_run_with_the_vault_knows_what_the_desk_made(demo_copy: SmallStudy, desk: Desk) -> None:
    """Else a mart of an analyst's that is given up would keep its rows, whoever withdraws."""

    def outdated() -> str | None:
        with demo_copy.opened(warehouse=True) as connection:
            return why_outdated(connection)

    demo_copy.dbt("run")
    assert outdated() is None
    vault = demo_copy.study.vault_path.read_bytes()
    at_hand = Desk(desk.project, demo_copy.root, desk.forks)
    at_hand.add("my_mart", MY_MART, MY_MART_YML)
    try:
        made = at_hand.dbt("run", "--select", "my_mart")
    finally:
        at_hand.remove("my_mart")
    assert made.returncode == 0, made.stdout[-2000:]
    assert demo_copy.study.vault_path.read_bytes() == vault
    assert "with '--target desk'" in str(outdated())
    found = [finding for finding in examine(Study.find(demo_copy.root)).findings if "--target desk" in finding.what]
    assert [(finding.remedy, finding.is_grave) for finding in found] == [("Run 'dbt run'.", False)]
    demo_copy.dbt("run")
    assert outdated() is None
    assert "marts.my_mart" not in contents(demo_copy.root)
    assert not demo_copy.warehouse("select 1 from duckdb_schemas() where schema_name = 'desk'")
