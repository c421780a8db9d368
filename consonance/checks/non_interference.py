"""The non-interference test (L2) and canaries (L3): what must not matter makes no difference right of the wall.

``relations/declared.py`` lists what is changed. The warehouse is built again by dbt from the same study with other
identities (``paired_rebuild``), and once more, of a sample of the study, with everything else changed
(``relations/sample.py``). Once pseudonyms are matched and shifts are taken back, everything right of the wall is the
same, or the column that differs is named, with what it depends on. Lineage cannot see what joins, filters and counts
give away; this test does. Every changed text holds a word that occurs nowhere else, a canary: it must not occur right
of the wall.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import duckdb

from consonance.checks.comparison import Comparison, Difference, match_persons
from consonance.checks.paired_rebuild import make_paired_study
from consonance.checks.relations.declared import RELATIONS
from consonance.checks.relations.sample import compare_samples
from consonance.checks.relations.secrets import check_secrets
from consonance.study.child_processes import in_background
from consonance.study.dbt_command import run_dbt
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.vault import (
    attach_study,
    attach_to_read,
    attach_vault,
    lock_down,
    open_study,
    session_settings,
)
from consonance.study.work_folders import PAIRED_REBUILD, work_folder


class NothingToCompare(ConsonanceError):
    """The study has no warehouse yet."""


@dataclass
class NonInterferenceReport:
    """The result of the comparison: how much was compared, and what differs."""

    relations_compared: int = 0
    columns: int = 0
    rows: int = 0
    sampled_plays: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return self.relations_compared > 0 and not self.differences

    @property
    def summary(self) -> str:
        """One sentence."""
        compared = f"{self.relations_compared} tables, {self.columns} columns and {self.rows:,} rows compared"
        if self.passed:
            return f"Of {len(RELATIONS)} changes that must not matter none changes the result: {compared}."
        if not self.differences:
            return "There was nothing to compare."
        first = self.differences[0]
        return f"{first.place} {first.what} ({compared})."

    @property
    def remedy(self) -> str:
        """Where to look: in the models that come first in the flow of data."""
        files = dict.fromkeys(difference.file for difference in self.differences)
        if not files:
            return ""
        return f"Look at {next(iter(files))}, and at the models and functions that it reads."

    def details(self) -> dict[str, Any]:
        """The report as JSON."""
        failed = {difference.changed for difference in self.differences}
        return {
            "relations": [
                {"name": relation.name, "what": relation.what, "passed": relation.name not in failed}
                for relation in RELATIONS
            ],
            "compared": {"tables": self.relations_compared, "columns": self.columns, "rows": self.rows},
            "sampled_plays": self.sampled_plays,
            "differences": [{**asdict(difference), "file": difference.file} for difference in self.differences],
        }


def compare_with_paired_rebuild(study: Study, meanwhile: Callable[[], None] = lambda: None) -> NonInterferenceReport:
    """Try every declared relation on ``study``: build its paired rebuild inside its folder, compare, and delete it again.

    Args:
        study: Loaded and built.
        meanwhile: Is called while dbt builds. The stores of the study are not in use then.

    Raises:
        NothingToCompare: there is no warehouse yet.
        DbtFailed: the paired rebuild failed.
        ModelFailed: a model fails on the sample of the study.
        StoreError, VaultKeyError: a store cannot be opened.
    """
    if not study.warehouse_path.exists():
        raise NothingToCompare(f"{study.root} has no warehouse yet.", "Run 'dbt run' first.")
    with work_folder(study, PAIRED_REBUILD) as root:
        marker = "canary" + secrets.token_hex(4)
        paired = make_paired_study(study, root, marker)
        with in_background(lambda: run_dbt(paired, "run", "--no-write-json", workspace=root)) as building:
            meanwhile()
            building.result()
        with open_study(paired, read_only=True) as connection:
            codes = connection.execute("select participant_code, other_code from vault.codes").fetchall()
        report = compare_studies(study, paired, codes, marker)
        sampled = compare_samples(study, paired, root, marker)
    report.sampled_plays = sampled.plays
    known = {(difference.relation, difference.column) for difference in report.differences}
    report.differences += [one for one in sampled.differences if (one.relation, one.column) not in known]
    report.differences += check_secrets()
    return report


def compare_studies(
    study: Study, paired: Study, codes: Iterable[tuple[str, str]], marker: str
) -> NonInterferenceReport:
    """Compare the warehouses of two studies of the same people.

    Args:
        study, paired: Both loaded and built.
        codes: Who is who: participant codes in ``study`` and in ``paired``.
        marker: A text that occurs only in what identifies people in ``paired``.

    Raises:
        StoreError, VaultKeyError: a store cannot be opened.
    """
    with duckdb.connect(config=session_settings()) as connection:
        attach_study(connection, study, read_only=True)
        attach_vault(connection, paired, "paired", read_only=True)
        attach_to_read(connection, study.warehouse_path, "original")
        attach_to_read(connection, paired.warehouse_path, "rebuilt")
        lock_down(connection, [])
        match_persons(
            connection, [(code, other, 0) for code, other in codes], "vault.raw.keyring", "paired.raw.keyring"
        )
        comparison = Comparison(connection, marker)
        report = NonInterferenceReport(differences=list(comparison.differences()))
        for relation, types in comparison.shared().items():
            report.relations_compared += 1
            report.columns += len(types)
            counted = connection.execute(f"select count(*) from original.{relation}").fetchall()
            report.rows += counted[0][0]
    return report
