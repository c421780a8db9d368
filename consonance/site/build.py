"""The docs site of a study: what an ethics board and an analyst read."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb

from consonance.checks.lineage.policy import check_project
from consonance.checks.lineage.project import Project
from consonance.checks.lineage.reviews import Reviews
from consonance.checks.rules import RuleResult
from consonance.checks.study_checks import run_rules
from consonance.site.pages import render
from consonance.study.dbt_command import PROJECT, run_dbt, target_folder
from consonance.study.folder import Study
from consonance.study.settings import Settings


def build_site(study: Study, results: list[RuleResult] | None = None) -> Path:
    """Write ``site/``: the lineage (dbt's static docs), the wall, the rules, the accounts of the data.

    Args:
        study: With a warehouse.
        results: Of the rules, if they were run just now; else they are run.

    Returns:
        The page to open.

    Raises:
        DbtFailed, NothingToCheck, StoreError: the site cannot be built.
    """
    results = run_rules(study) if results is None else results
    run_dbt(study, "docs", "generate", "--static")
    study.site.mkdir(exist_ok=True)
    shutil.copyfile(target_folder() / "static_index.html", study.site / "lineage.html")
    project = Project.read(PROJECT, target_folder())
    wall = check_project(project, Reviews.read())
    title = Settings.read(study).title
    functions = sorted(project.functions.values(), key=lambda function: function.name)
    (study.site / "wall.html").write_text(
        render("wall.html", title=title, report=wall, functions=functions), encoding="utf-8"
    )
    page = study.site / "index.html"
    report = study.report.name if study.report.exists() else None
    page.write_text(
        render("index.html", **_facts(study), title=title, results=results, wall=wall, report=report), encoding="utf-8"
    )
    return page


def _facts(study: Study) -> dict[str, Any]:
    with duckdb.connect(str(study.warehouse_path), read_only=True) as connection:

        def rows(statement: str) -> list[tuple[Any, ...]]:
            return connection.execute(statement).fetchall()

        return {
            "sizes": [
                (table, rows(f'select count(*) from marts."{table}"')[0][0])
                for (table,) in rows(
                    "select table_name from information_schema.tables where table_schema = 'marts' order by 1"
                )
            ],
            "fates": rows(
                "select history_source, fate, count(distinct participant_id), cast(sum(rows) as bigint) from audit.row_accounting group by all order by all"
            ),
            "coverage": rows(
                "select relation, purpose, participants, rows, rows_without_consent from audit.consent_coverage order by all"
            ),
            "risks": rows(
                """
                select knowledge, points, replace(measure, '_', ' '), persons, value, low, high
                from audit.privacy_risk
                where attack <> 'membership' and coalesce(attack <> 'unicity' or (points in (1, 4) and wrong_points = 0), true)
                order by attack, wrong_points, points, rowid
                """
            )
            if rows("from information_schema.tables where table_schema = 'audit' and table_name = 'privacy_risk'")
            else [],
            "features": rows(
                "select history_source, feature, feature_source, match_method, tracks, plays, round(100 * share_of_plays, 1) from marts.feature_coverage where grouped_by = 'all' order by history_source, feature, plays desc, feature_source, match_method"
            ),
        }
