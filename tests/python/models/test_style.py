"""How the SQL reads: the house rules that a machine can check, on what dbt compiled."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import SmallStudy

from consonance.study.dbt_command import PROJECT, target_folder

MODELS = sorted((PROJECT / "models").rglob("*.sql"))


@pytest.mark.thorough
def test_compiled_sql_passes_the_linter(demo: SmallStudy) -> None:
    demo.dbt("compile")
    compiled = target_folder() / "compiled" / "consonance"
    sources = [*MODELS, *(PROJECT / "analyses").glob("*.sql"), *(PROJECT / "tests" / "sql").glob("*.sql")]
    paths = [compiled / path.relative_to(PROJECT) for path in sources]
    assert len(paths) > 40
    done = subprocess.run(
        [Path(sys.executable).with_name("sqlfluff"), "lint", *paths],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_a_model_says_what_a_row_is_and_ends_with_its_last_cte(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.match(r"-- One row\b", text), "line one says what a row is"
    # The last ones Spark does not read: docs/spark.md.
    for forbidden in (
        "current_date",
        "now()",
        "random()",
        "qualify",
        "::",
        "as varchar",
        "as uuid",
        "starts_with(",
        "regexp_",
    ):
        assert forbidden not in text.lower(), forbidden
    for name, read in re.findall(
        r"(\w+) as \(select \* from \{\{ (?:ref|source)\((?:'raw', |'music', )?'(\w+)'\)", text
    ):
        assert name == ("source" if path.parent.name == "staging" else read), (
            "an import CTE has the name of what it reads"
        )
    properties = "".join(file.read_text(encoding="utf-8") for file in path.parent.glob("*__models.yml"))
    assert "as varchar" not in properties, "a condition of purposes is SQL of every engine"
    # A window without a total order gives another answer every time.
    for window in re.findall(r"row_number\(\) over \(([^)]*)\)", text, re.DOTALL):
        assert "order by" in window
    if path.parent.name in ("anonymized",):
        assert "*" not in re.sub(r"count\(\*\)|--.*", "", text), "at the wall every column is named"
    else:
        last = re.findall(r"^(\w+)(?: \([\w, ]+\))? as \($", text, re.MULTILINE)[-1]
        assert text.rstrip().endswith(f"select * from {last}")
