"""The policy of the wall: what may read what, what may flow where, and what a person must have reviewed.

What cannot be followed is a finding, like a leak. Each part of the policy has its module: ``labels``,
``declassifiers``, ``purposes``, ``permissions``, ``unread_sql``, ``implicit_uses``; here are the layers, and the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from consonance.checks.lineage.declassifiers import check_calls, check_digests, check_function
from consonance.checks.lineage.implicit_uses import check_chosen_values, compare_with_reviews
from consonance.checks.lineage.labels import Labels, check_classes
from consonance.checks.lineage.layers import LAYERS, RIGHT, SEEDS, SOURCES, VAULT, WALL
from consonance.checks.lineage.permissions import check_catalogue, check_permissions
from consonance.checks.lineage.project import Model, Project
from consonance.checks.lineage.purposes import check_given, check_purposes, check_reviewed_givers
from consonance.checks.lineage.randomness import check_randomness
from consonance.checks.lineage.report import Findings, LineageReport, LineageRow
from consonance.checks.lineage.reviewed_code import check_code
from consonance.checks.lineage.reviews import REVIEWED, Reviews
from consonance.checks.lineage.statement import relations_of
from consonance.checks.lineage.unread_sql import TESTS_OF_DBT, check_data_test, check_jinja, check_settings
from consonance.checks.lineage.unread_sql import check_project as check_unread_sql
from consonance.checks.risk.thresholds import all_thresholds
from consonance.release.parameters import weak_thresholds
from consonance.study.dbt_command import PROJECT, run_dbt, target_folder
from consonance.study.folder import Study

# What dbt need not compile for this check: unit tests see no data, and of dbt's own tests the arguments are read instead.
LEFT_OUT = ("--exclude", "resource_type:unit_test", *(f"test_name:{name}" for name in TESTS_OF_DBT))
# Compiling is Python's work alone: a second thread would only wait for the first.
COMPILE = ("compile", "--threads", "1", *LEFT_OUT)


def check_lineage(study: Study, workspace: Path | None = None) -> LineageReport:
    """Compile the project for ``study`` and check what it would do.

    Args:
        study: dbt compiles against its stores.
        workspace: Where dbt writes its files; the project's folder if not given.

    Raises:
        DbtFailed: the project does not compile.
        BadReview: the list of reviewed uses cannot be read.
    """
    run_dbt(study, *COMPILE, workspace=workspace)
    return check_project(Project.read(PROJECT, target_folder(workspace)), Reviews.read())


def check_project(project: Project, reviews: Reviews) -> LineageReport:
    """Check a project as it was compiled. It reads no data, and no file beside the project's."""
    findings = Findings()
    unfollowed = check_unread_sql(project, reviews, findings)
    allowed_macros = frozenset(project.macros.keys() - unfollowed)
    labels = Labels(project, findings, reviews)
    layers = _layers(project)
    for function in project.functions.values():
        check_function(function, labels, findings)
    for model in sorted(project.models.values(), key=lambda model: model.name):
        labels.columns_of(model)
        _check_model(model, labels, layers, reviews, findings)
        check_jinja(model, allowed_macros, project.variables, findings)
    for name in sorted(reviews.memories.keys() - project.models.keys()):
        what = f"There is no model {name} that could read itself."
        findings.of_file("review", name, REVIEWED.name, what, "Remove it from the memories.")
    check_classes(project, labels.readings, findings)
    check_digests(project, reviews, findings)
    check_reviewed_givers(project, reviews, findings)
    check_code(reviews, findings)
    check_randomness(reviews, findings)
    check_catalogue(findings)
    for weak in weak_thresholds(all_thresholds):
        findings.of_file("project", weak.name, weak.file, weak.what, weak.remedy)
    _check_analyses(project, layers, allowed_macros, findings)
    for test in project.tests.values():
        check_data_test(test, allowed_macros, project, findings)
    uses = compare_with_reviews(project, labels.choices.values(), reviews, findings)
    check_chosen_values(project, labels.chosen_values, reviews, findings)
    return LineageReport(
        _released_columns(project, labels), uses, findings.in_order(), _staged_columns(project, labels)
    )


def _check_model(model: Model, labels: Labels, layers: Mapping[str, str], reviews: Reviews, findings: Findings) -> None:
    project, reading = labels.project, labels.readings[model.name]
    check_settings(model, findings)
    _check_reads(model, reading.reads, layers, findings)
    if model.layer == WALL:
        for line in reading.stars:
            findings.of_model("unresolved", model, line, "At the wall, * is not allowed.", "Name every column.")
    models = {other.relation: other for other in project.models.values()}
    if model.layer == WALL:
        check_given(model, labels.readings, models, reviews, findings)
    functions = {function.relation: function for function in project.functions.values()}
    check_calls(model, reading.calls, functions, labels, findings)
    if model.layer in RIGHT:
        reads = [name for name, _ in reading.reads]
        check_purposes(model, "participant_id" in reading.columns, reads, models, findings)
        check_permissions(model, labels.columns_of(model).named(), findings)


def _check_reads(model: Model, reads: Iterable[tuple[str, int]], layers: Mapping[str, str], findings: Findings) -> None:
    """Check that a model reads the layers alone that its own layer may read."""
    allowed = LAYERS[model.layer].reads if model.layer in LAYERS else frozenset()
    for name, line in reads:
        if name in layers and layers[name] not in allowed:
            findings.of_model(
                "layer",
                model,
                line,
                f"{model.name} ({model.layer}) reads {name}.",
                f"Models of {model.layer} read {', '.join(sorted(allowed)) or 'nothing'}.",
            )


def _layers(project: Project) -> dict[str, str]:
    """The layer of every relation that the project knows."""
    tables = {name: SOURCES.get(name.rpartition(".")[0], "elsewhere") for name in project.tables}
    return (
        tables
        | dict.fromkeys(project.seeds, SEEDS)
        | {model.relation: model.layer for model in project.models.values()}
    )


def _check_analyses(
    project: Project, layers: Mapping[str, str], allowed_macros: frozenset[str], findings: Findings
) -> None:
    for analysis in project.analyses.values():
        reads, problems = relations_of(analysis.sql)
        for problem in problems:
            findings.of_model("unresolved", analysis, problem.line, problem.what, problem.remedy)
        _check_reads(analysis, reads, layers, findings)
        for name, line in reads:
            if name not in layers:
                what = f"{analysis.name} reads {name}, which is no relation that the project knows."
                findings.of_model("unresolved", analysis, line, what, "Use ref().")
        check_jinja(analysis, allowed_macros, project.variables, findings)


def _staged_columns(project: Project, labels: Labels) -> dict[str, list[str]]:
    """Every column of ``staging`` with the columns of the stores that it is made of."""
    return {
        f"{model.name}.{name}": sorted({origin.column for origin in flow.origins})
        for model in project.models.values()
        if model.layer == "staging"
        for name, flow in labels.readings[model.name].columns.items()
    }


def _released_columns(project: Project, labels: Labels) -> list[LineageRow]:
    """Every column right of the wall, by relation."""
    rows = []
    for model in project.models.values():
        database, _, relation = model.relation.partition(".")
        if database != VAULT:
            for name, flow in labels.columns_of(model).named().items():
                rows.append(LineageRow(relation, name, tuple(sorted(flow.origins.items()))))
    return sorted(rows, key=lambda row: row.relation)
