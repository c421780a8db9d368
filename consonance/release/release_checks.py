"""What must hold before a release goes out: a list of named callables.

A guard looks at a ``Candidate`` and gives a ``CheckResult``. Guards of ``ON_STUDY`` judge the study that
the release is made of, before files are written (so that what they measure can be released with them);
guards of ``ON_RELEASE`` judge the files. One that raises an error does not hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from consonance.checks.leak_scan import scan_for_leaks
from consonance.checks.lineage.policy import check_lineage
from consonance.checks.non_interference import check_non_interference
from consonance.checks.risk.attacks import record, run_attacks
from consonance.checks.rules import Rule, all_rules, release_rules
from consonance.release.package import DATABASE
from consonance.study.folder import Study
from consonance.study.vault import attach_to_read, session_settings


@dataclass(frozen=True)
class Candidate:
    """A release that is not out yet.

    Attributes:
        number: What it will be called.
        tier: ``controlled`` or ``public``.
        before: The study as it stood when the release was begun: a copy. Its vault tells the truth, and
            knows the release already.
        made: The study that the release is made of: those who agree, under fresh secrets, built by dbt.
        folder: What becomes ``published/<number>``; empty for guards of ``ON_STUDY``.
        earlier: The databases of the releases before it, by number.
        workspace: Where a guard may write; it vanishes with the publish.
    """

    number: int
    tier: str
    before: Study
    made: Study
    folder: Path
    earlier: dict[int, Path]
    workspace: Path


@dataclass(frozen=True)
class CheckResult:
    """How a guard turned out: ``details`` is JSON for the certificate, without anybody's content."""

    name: str
    passed: bool
    summary: str
    details: dict[str, Any] = field(default_factory=dict)
    remedy: str = ""


@dataclass(frozen=True)
class ReleaseCheck:
    """A named check of a candidate."""

    name: str
    run: Callable[[Candidate], CheckResult]


def _rules_of_the_study(candidate: Candidate) -> CheckResult:
    """Admission on the vault as it stood; wall and marts on what dbt made for the release."""
    admission = [rule for rule in all_rules() if rule.suite == "admission"]
    others = [rule for rule in all_rules() if rule.suite != "admission"]
    return _checked(
        "rules of the study",
        _checkpoint(candidate.before, admission) + _checkpoint(candidate.made, others),
    )


def _rules_of_the_release(candidate: Candidate) -> CheckResult:
    """The release suite, and the rules on texts and on the order of rows, on the file that is to be published, with the vault as it stood."""
    texts_and_order = [rule for rule in all_rules() if rule.relation in ("strings", "unordered")]
    beside = {"before": candidate.before.warehouse_path, "made": candidate.made.warehouse_path}
    beside |= {f"release_{number}": path for number, path in candidate.earlier.items()}
    return _checked(
        "rules of the release",
        _checkpoint(
            candidate.before, release_rules(candidate.tier) + texts_and_order, candidate.folder / DATABASE, beside
        ),
    )


def _checkpoint(
    study: Study, rules: list[Rule], warehouse: Path | None = None, beside: dict[str, Path] | None = None
) -> list[Any]:
    from consonance.checks.checkpoint import run_checkpoint  # Great Expectations takes seconds to import

    return list(run_checkpoint(study, rules, warehouse=warehouse, beside=beside))


def _checked(name: str, results: list[Any]) -> CheckResult:
    broken = [result for result in results if not result.passed]
    return CheckResult(
        name,
        not broken,
        f"{len(results)} rules hold."
        if not broken
        else f"{', '.join(result.rule.name for result in broken)} of {len(results)} rules do not hold.",
        {"rules": [result.as_json() for result in results]},
        " ".join(dict.fromkeys(result.rule.remedy for result in broken)),
    )


def _files_agree(candidate: Candidate) -> CheckResult:
    """Database, Parquet and (controlled) what dbt made hold the same rows; everything is described; no way leads out."""
    faults = []
    database = candidate.folder / DATABASE
    with duckdb.connect(config=session_settings()) as connection:
        for path, name in ((database, "research"), (candidate.made.warehouse_path, "made")):
            attach_to_read(connection, path, name)
        tables = connection.execute(
            "select schema_name, table_name, comment from duckdb_tables() where database_name = 'research' order by all"
        ).fetchall()
        for schema, table, comment in tables:
            place = f'"{schema}"."{table}"'
            contents = [
                connection.execute(
                    f"select count(*), coalesce(bit_xor(hash(row_value)), 0), coalesce(sum(hash(row_value) % 1000003), 0) from {relation} as row_value",
                    values,
                ).fetchall()
                for relation, values in (
                    (f"research.{place}", []),
                    ("read_parquet($1)", [str(candidate.folder / "parquet" / f"{table}.parquet")]),
                    *([(f"made.{place}", [])] if candidate.tier == "controlled" else []),
                )
            ]
            if any(content != contents[0] for content in contents):
                faults.append(f"{schema}.{table} is not the same everywhere")
            if not comment:
                faults.append(f"{schema}.{table} is not described")
        faults += [
            f"{schema}.{table}.{column} is not described"
            for schema, table, column in connection.execute(
                "select schema_name, table_name, column_name from duckdb_columns() where database_name = 'research' and coalesce(comment, '') = '' order by all"
            ).fetchall()
        ]
        faults += [
            f"the view or macro {name} might lead to another file"
            for (name,) in connection.execute(
                "select view_name from duckdb_views() where database_name = 'research' and not internal "
                "union all select function_name from duckdb_functions() where database_name = 'research' and not internal"
            ).fetchall()
        ]
    return CheckResult(
        "files agree",
        not faults,
        f"{len(tables)} tables are the same in the database and in Parquet, and described."
        if not faults
        else f"{faults[0]}.",
        {"tables": len(tables), "faults": faults},
        "Describe it in models/ or seeds/." if any("described" in fault for fault in faults) else "Publish again.",
    )


def _wall(candidate: Candidate) -> CheckResult:
    """The SQL that dbt ran: every released column, by the functions that its values passed."""
    report = check_lineage(candidate.made, workspace=candidate.workspace)
    return CheckResult(
        "wall",
        report.passed,
        report.summary,
        {
            "columns": {f"{row.relation}.{row.column}": row.declassifiers for row in report.rows},
            "findings": [f"{finding.place}: {finding.what}" for finding in report.findings],
        },
        " ".join(dict.fromkeys(finding.remedy for finding in report.findings)),
    )


def _interference(candidate: Candidate) -> CheckResult:
    """The same study under other names, devices and secrets gives the same release."""
    report = check_non_interference(candidate.made)
    compared = f"{report.relations} relations, {report.columns} columns, {report.rows:,} rows compared"
    return CheckResult(
        "non-interference",
        report.passed,
        f"Under other names, devices and secrets the release is the same: {compared}."
        if report.passed
        else f"The release depends on who people are: {report.differences[0].relation}.{report.differences[0].column} {report.differences[0].what}.",
        report.as_json(),
        "" if report.passed else "Look at the models that write these columns.",
    )


def _attacks(candidate: Candidate) -> CheckResult:
    """What remains is measured and told; it closes no gate: whether it is too much, people decide."""
    if candidate.tier == "public":
        return CheckResult("attacks", True, "Nothing to attack: no row of a person is released.")
    report = run_attacks(candidate.made)
    record(report, candidate.made)
    unmet = [
        verdict.threshold.name
        for verdict in report.verdicts
        if verdict.passed is False and verdict.threshold.tier == candidate.tier
    ]
    told = f"{len(report.figures)} figures measured."
    return CheckResult(
        "attacks",
        True,
        told + (f" Not as wished for: {', '.join(unmet)}." if unmet else ""),
        {"parameters": report.parameters, "thresholds": [verdict.as_json() for verdict in report.verdicts]},
    )


def _traces(candidate: Candidate) -> CheckResult:
    """What dbt wrote on the way, and what is to be published, holds no secret and no name."""
    report = scan_for_leaks(candidate.before, candidate.workspace, beside=(candidate.folder,))
    return CheckResult(
        "leaks",
        report.passed,
        f"No secret and no name in {report.files:,} artifacts, logs and pages."
        if report.passed
        else f"{report.leaks[0].place} {report.leaks[0].what}.",
        report.as_json(),
        "" if report.passed else "Find out which command wrote it.",
    )


ON_STUDY: tuple[ReleaseCheck, ...] = (
    ReleaseCheck("wall", _wall),
    ReleaseCheck("rules of the study", _rules_of_the_study),
    ReleaseCheck("non-interference", _interference),
    ReleaseCheck("attacks", _attacks),
)
ON_RELEASE: tuple[ReleaseCheck, ...] = (
    ReleaseCheck("rules of the release", _rules_of_the_release),
    ReleaseCheck("files agree", _files_agree),
    ReleaseCheck("leaks", _traces),
)
