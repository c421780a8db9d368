"""The docs site of a study: what an ethics board and an analyst read.

Its pages are made of the marts and ``audit`` as they are on the desk, of what dbt compiled, of the results of checks and the
certificates of releases; never of the vault. Three things are of the warehouse, and so a site is not built while dbt runs: the
rules are run on it, dbt's own page describes it, and the figures of the attacks are in it alone.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from consonance.checks.history import Noted, check_history, note_checks
from consonance.checks.lineage.policy import LEFT_OUT, check_project
from consonance.checks.lineage.project import Project
from consonance.checks.lineage.report import LineageReport
from consonance.checks.lineage.reviews import Reviews
from consonance.checks.rules import RuleResult
from consonance.checks.study_checks import run_rules, summed_up
from consonance.release.parameters import small_group
from consonance.report.reading import Origin, of_study
from consonance.site.analyses import answered
from consonance.site.codebook import Described, codebook
from consonance.site.fields import followed
from consonance.site.front import Front, front
from consonance.site.numbers import Told, numbers, opened, risks
from consonance.site.page import Link, Page
from consonance.site.pages import render, render_body
from consonance.site.quality import SUITES, judged_rules, shown_moment, states_of_checks
from consonance.site.releases import certificates, of_version_0_1, risk_figures, without_small_numbers
from consonance.study.child_processes import in_background
from consonance.study.dbt_command import PROJECT, run_dbt, target_folder
from consonance.study.folder import Study
from consonance.study.settings import Settings
from consonance.study.work_folders import SITE, work_folder

LINEAGE = "lineage.html"
# The report is a page of its own, made by another command; here is what is between these.
MAIN = re.compile(r"<main>(.*)</main>", re.DOTALL)
KEPT = "report*.html"
# The browser takes the template of an address for an address, and complains, unless it is for Angular alone.
ICON = re.compile(r'(xlink:href=\\*"\{\{ getIcon)')
# dbt leaves the address of the page's own icon unfilled: the browser looks, now and then, for a file of that name.
UNFILLED = re.compile(r"<link[^>]*\$\{require[^>]*>")


def build_site(study: Study, results: list[RuleResult] | None = None) -> Path:
    """Write ``site/``, in place of an earlier one; reports stay.

    Args:
        study: With a warehouse and a desk.
        results: Of the rules, if they were run just now; else they are run, and noted in the history of checks.

    Returns:
        The page to open.

    Raises:
        DbtFailed, NothingToCheck, NothingToReport, SmallCells, StoreError: the site cannot be built.
    """
    desk = of_study(study)
    if results is None:
        results = run_rules(study)
        note_checks(study, [summed_up("rules", results)])
    with in_background(lambda: run_dbt(study, "docs", "generate", "--static", *LEFT_OUT)) as describing:
        with opened(desk.database) as connection:
            tables = codebook(connection)
        shown = front(desk)
        describing.result()
    pages = _pages(study, desk, results, tables, shown)
    from consonance.site.frame import write_framed  # MkDocs takes a second to import

    with work_folder(study, SITE) as draft:
        write_framed(pages, [Link(LINEAGE, "Lineage of tables", "Privacy")], Settings.read(study).title, draft)
        (draft / LINEAGE).write_text(_lineage_of_tables(), encoding="utf-8")
        _replace(study.site, draft)
    return study.site / "index.html"


def _replace(site: Path, draft: Path) -> None:
    site.mkdir(exist_ok=True)
    kept = set(site.glob(KEPT))
    for path in site.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path not in kept:
            path.unlink()
    for path in draft.iterdir():
        path.replace(site / path.name)


def _lineage_of_tables() -> str:
    """The page that dbt makes of tables, without the places of this machine."""
    page = (target_folder() / "static_index.html").read_text(encoding="utf-8")
    page = page.replace(f"{target_folder()}/", "target/").replace(f'"{PROJECT}"', '""').replace(f"{PROJECT}/", "")
    return ICON.sub(r"ng-attr-\1", UNFILLED.sub("", page))


def _pages(
    study: Study, desk: Origin, results: Sequence[RuleResult], tables: Sequence[Described], shown: Front
) -> list[Page]:
    project = Project.read(PROJECT, target_folder())
    wall = check_project(project, Reviews.read())
    history, releases = check_history(study), certificates(study)
    with opened(desk.database) as connection:
        facts = {**numbers(connection), "small_group": small_group()}
        analyses = answered(connection, project.analyses.values())
    report = _report(study)
    first = render(
        "site_front.html",
        **facts,
        front=shown,
        wall=wall,
        rules=_succeeded(results),
        checks=states_of_checks(history),
        has_releases=bool(releases),
        built=shown_moment(next((noted.built for noted in history if noted.built), None)),
        has_report=report is not None,
    )
    return [
        Page("index", Settings.read(study).title, first),
        *([Page("music-and-emotion", "Music and emotion", report)] if report else []),
        Page("analyses/index", "Analyses", render("site_analyses.html", analyses=analyses), "Analyses"),
        *(
            Page(f"analyses/{one.name}", one.question, render("site_analysis.html", analysis=one, **facts), "Analyses")
            for one in analyses
        ),
        *_codebook(project, wall, tables),
        Page(
            "fields",
            "Follow a field",
            render("site_fields.html", inputs=followed(wall), report=wall),
            "Privacy",
            is_wide=True,
        ),
        Page("wall", "The privacy wall", _wall(project, wall), "Privacy"),
        Page("consent", "Consent", render("site_consent.html", grants=shown.grants, **facts), "Privacy"),
        Page("risk", "Residual re-identification risk", _risk(risks(study), releases, facts), "Privacy"),
        *_columns(wall, tables),
        *_quality(results, history, releases),
        *_releases(releases, of_version_0_1(study)),
    ]


def _succeeded(results: Sequence[RuleResult]) -> dict[str, Any]:
    succeeded = sum(result.passed for result in results)
    return {"succeeded": succeeded, "total": len(results), "passed": succeeded == len(results)}


def _report(study: Study) -> str | None:
    """What the report of the study says, if there is one."""
    if not study.report.exists():
        return None
    found = MAIN.search(study.report.read_text(encoding="utf-8"))
    return render("site_report.html", report=found[1], name=study.report.name) if found else None


def _codebook(project: Project, wall: LineageReport, tables: Sequence[Described]) -> list[Page]:
    lineage: dict[str, dict[str, Any]] = {}
    for row in wall.rows:
        lineage.setdefault(row.relation, {})[row.column] = row
    pages = [
        Page(
            "codebook/index",
            "Codebook",
            render("site_codebook_index.html", tables=tables, small_group=small_group()),
            "Codebook",
        )
    ]
    for table in tables:
        name = f"{table.schema}.{table.name}"
        model = project.models.get(table.name)
        page = render(
            "site_codebook.html", table=table, lineage=lineage.get(name, {}), sql=model.sql.strip() if model else ""
        )
        pages.append(Page(f"codebook/{name}", name, page, "Codebook"))
    return pages


def _wall(project: Project, wall: LineageReport) -> str:
    functions = sorted(project.functions.values(), key=lambda function: function.name)
    return render("site_wall.html", report=wall, functions=functions)


def _columns(wall: LineageReport, tables: Sequence[Described]) -> list[Page]:
    group = "Lineage of columns"
    described = {f"{table.schema}.{table.name}" for table in tables}
    relations = sorted({row.relation for row in wall.rows})
    return [
        Page("columns/index", group, render("site_columns_index.html", report=wall), group),
        *(
            Page(
                f"columns/{relation}",
                relation,
                render(
                    "site_columns.html",
                    relation=relation,
                    described=relation in described,
                    rows=[row for row in wall.rows if row.relation == relation],
                ),
                group,
                is_wide=True,
            )
            for relation in relations
        ),
    ]


def _quality(results: Sequence[RuleResult], history: Sequence[Noted], releases: Sequence[dict[str, Any]]) -> list[Page]:
    rules = judged_rules(results, history, releases)
    return [
        Page("quality/index", "Quality rules", render("site_quality.html", rules=rules, suites=SUITES), "Quality"),
        *(
            Page(
                f"quality/{one.rule.name}",
                one.rule.name.replace("_", " ").replace(one.rule.id, f"{one.rule.id}:", 1),
                render("site_rule.html", judged=one, suites=SUITES),
                "Quality",
            )
            for one in rules
        ),
    ]


def _risk(of_marts: Told, releases: Sequence[dict[str, Any]], facts: dict[str, Any]) -> str:
    parts = [("The marts", of_marts, risk_figures(of_marts.rows, "risk-marts"))]
    for release in releases:
        rows = without_small_numbers(release)["risk"]
        if rows:
            name = f"Release {release['release']} ({release['tier']})"
            parts.append((name, Told(rows, 0), risk_figures(rows, f"risk-{release['release']}")))
    return render("site_risk.html", parts=parts, **facts)


def _releases(releases: Sequence[dict[str, Any]], older: Sequence[dict[str, Any]]) -> list[Page]:
    return [
        Page("releases/index", "Releases", render("site_releases.html", releases=releases, older=older), "Releases"),
        *(
            Page(
                f"releases/{release['release']}",
                f"Release {release['release']} ({release['tier']})",
                render_body("certificate.html", **without_small_numbers(release)),
                "Releases",
            )
            for release in releases
        ),
    ]
