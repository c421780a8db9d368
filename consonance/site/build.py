"""The docs site of a study: what an ethics board and an analyst read.

Its pages are made of the marts, of ``audit`` and of what dbt compiled; never of the vault. A number is on a page only if
its row says of how many persons it is, and if these are more than ``small_group_persons``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from consonance.checks.lineage.policy import check_project
from consonance.checks.lineage.project import Project
from consonance.checks.lineage.reviews import Reviews
from consonance.checks.rules import RuleResult
from consonance.checks.study_checks import run_rules
from consonance.release.parameters import small_group
from consonance.report.cells import refuse_small_cells
from consonance.site.codebook import Described, codebook
from consonance.site.fields import followed
from consonance.site.front import front
from consonance.site.pages import render
from consonance.study.dbt_command import PROJECT, run_dbt, target_folder
from consonance.study.folder import Study
from consonance.study.records import records
from consonance.study.settings import Settings
from consonance.study.vault import attach_to_read, lock_down, session_settings


def build_site(study: Study, results: list[RuleResult] | None = None) -> Path:
    """Write ``site/``: the lineage (dbt's static docs), the wall, what happens to each field, the rules, the accounts of the data.

    Args:
        study: With a warehouse.
        results: Of the rules, if they were run just now; else they are run.

    Returns:
        The page to open.

    Raises:
        DbtFailed, NothingToCheck, SmallCells, StoreError: the site cannot be built.
    """
    results = run_rules(study) if results is None else results
    run_dbt(study, "docs", "generate", "--static")
    study.site.mkdir(exist_ok=True)
    lineage = (target_folder() / "static_index.html").read_text(encoding="utf-8")
    # dbt writes where the project is on this machine.
    for place in (f'"{PROJECT}"', f"{PROJECT}/"):
        lineage = lineage.replace(place, '""' if place.startswith('"') else "")
    (study.site / "lineage.html").write_text(lineage, encoding="utf-8")
    project = Project.read(PROJECT, target_folder())
    wall = check_project(project, Reviews.read())
    title = Settings.read(study).title
    (study.site / "fields.html").write_text(
        render("fields.html", title=title, inputs=followed(wall), report=wall), encoding="utf-8"
    )
    functions = sorted(project.functions.values(), key=lambda function: function.name)
    (study.site / "wall.html").write_text(
        render("wall.html", title=title, report=wall, functions=functions), encoding="utf-8"
    )
    with _warehouse(study) as connection:
        tables = codebook(connection)
        facts = _facts(connection, tables)
    (study.site / "codebook.html").write_text(
        render("site_codebook.html", title=title, tables=tables, small_group=small_group()), encoding="utf-8"
    )
    page = study.site / "index.html"
    report = study.report.name if study.report.exists() else None
    page.write_text(
        render("index.html", **facts, title=title, front=front(study), results=results, wall=wall, report=report),
        encoding="utf-8",
    )
    return page


# What the front page says of the marts and of audit, each with the number of persons that a row is of.
QUERIES = {
    "fates": """
        select history_source, fate, count(distinct participant_id) as persons, cast(sum(rows) as bigint) as rows
        from audit.row_accounting
        group by all
        order by all
    """,
    "coverage": """
        select relation, purpose, participants as persons, rows, rows_without_consent
        from audit.consent_coverage
        order by all
    """,
    "features": """
        select history_source, feature, feature_source, match_method, participants as persons, tracks, plays,
            round(100 * share_of_plays, 1) as percent
        from marts.feature_coverage
        where grouped_by = 'all'
        order by history_source, feature, plays desc, feature_source, match_method
    """,
    "without_consent": """
        select cast(coalesce(sum(rows_without_consent), 0) as bigint) as rows, (select count(*) from marts.participants) as persons
        from audit.consent_coverage
    """,
}
# Dropped by each rebuild, and made by 'consonance attack'.
RISK_TABLE = "privacy_risk"
RISKS = """
    select knowledge, points, replace(measure, '_', ' ') as measure, persons, value, low, high
    from audit.privacy_risk
    where attack <> 'membership' and coalesce(attack <> 'unicity' or (points in (1, 4) and wrong_points = 0), true)
    order by attack, wrong_points, points, rowid
"""


@dataclass(frozen=True)
class Told:
    """What the page says: the rows of more persons than ``small_group``, and how many others there are."""

    rows: list[dict[str, Any]]
    left_out: int


@contextmanager
def _warehouse(study: Study) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that has the warehouse in use, and no way to any other file."""
    with duckdb.connect(config=session_settings()) as connection:
        attach_to_read(connection, study.warehouse_path, "site")
        connection.execute("use site")
        lock_down(connection, [])
        yield connection


def _facts(connection: duckdb.DuckDBPyConnection, tables: Sequence[Described]) -> dict[str, Any]:
    is_measured = any((table.schema, table.name) == ("audit", RISK_TABLE) for table in tables)
    return {
        **{name: _told(connection, query) for name, query in QUERIES.items()},
        "small_group": small_group(),
        "risks": _told(connection, RISKS) if is_measured else Told([], 0),
        "tables": [table.name for table in tables if table.schema == "marts"],
    }


def _told(connection: duckdb.DuckDBPyConnection, query: str) -> Told:
    """What ``query`` finds, without the rows of few persons.

    Raises:
        SmallCells: its rows do not say of how many persons they are.
    """
    found = connection.execute(query)
    columns = [column[0] for column in found.description or []]
    rows = records(found)
    shown = [row for row in rows if not 0 < row.get("persons", 0) <= small_group()]
    refuse_small_cells(shown, columns, "consonance/site/build.py")
    return Told(shown, len(rows) - len(shown))
