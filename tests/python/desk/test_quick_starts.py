"""Every quick start of docs/desk.md, as it is written there, on the synthetic study."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from conftest import SmallStudy

from consonance.study.dbt_command import PROJECT

PAGE = (PROJECT / "docs" / "desk.md").read_text(encoding="utf-8")
# Each has its name in bold above its code.
STARTS = [
    (re.findall(r"\*\*([^*]+)\*\*", PAGE[: block.start()])[-1], block[1], block[2])
    for block in re.finditer(r"```(sh|python|r)\n(.*?)```", PAGE, re.DOTALL)
]
NOTEBOOK = PROJECT / "analyses" / "first_look.ipynb"
RUN_BY = {"sh": ["bash", "-c"], "python": [sys.executable, "-c"], "r": ["Rscript", "-e"]}


def lacks(kind: str, code: str) -> str | None:
    """What this machine lacks for a quick start."""
    if kind == "r":
        if shutil.which("Rscript") is None:
            return "R is not installed"
        packages = re.findall(r"library\((\w+)\)", code)
        for package in packages:
            if subprocess.run(["Rscript", "-e", f"library({package})"], capture_output=True, check=False).returncode:
                return f"the R package {package} is not installed"
    if kind == "python":
        for module in re.findall(r"(?m)^import (\w+)", code):
            if importlib.util.find_spec(module) is None:
                return f"the Python package {module} is not installed"
    if kind == "sh" and code.startswith("duckdb") and not Path(sys.executable).with_name("duckdb").exists():
        return "the package duckdb-cli is not installed"
    return None


@pytest.fixture
def place(demo: SmallStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the study in it, and the project's programs on the path."""
    (tmp_path / "study").symlink_to(demo.root)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_is_one_for_each_client() -> None:
    assert [name for name, _, _ in STARTS] == [
        "DuckDB's command line", "Python", "pandas", "Polars", "R", "R without a package", "Excel",
    ]  # fmt: skip


@pytest.mark.parametrize(("kind", "code"), [start[1:] for start in STARTS], ids=[start[0] for start in STARTS])
def test_a_quick_start_has_an_answer(place: Path, kind: str, code: str) -> None:
    if missing := lacks(kind, code):
        pytest.skip(missing)
    done = subprocess.run([*RUN_BY[kind], code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    if "--output" in code:
        assert (place / "daily_listening.csv").read_bytes().startswith(b"\xef\xbb\xbfparticipant_id,")
    else:
        assert re.search(r"\d{2}", done.stdout), done.stdout


def test_the_notebook_runs_from_the_first_cell_to_the_last(place: Path) -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(code) >= 3 and not any(cell["outputs"] or cell["execution_count"] for cell in code)
    script = "\n".join("".join(cell["source"]) for cell in code)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Traceback" not in done.stderr


def test_the_string_for_jdbc_names_the_desk(place: Path) -> None:
    """The driver itself is not on this machine: what it is given is the file and a property that opens it for reading."""
    found = re.search(r"`jdbc:duckdb:([^`]+)`", PAGE)
    assert found and "`duckdb.read_only`" in PAGE
    with duckdb.connect(found[1], read_only=True) as connection:
        assert connection.execute("select count(*) > 0 from marts.plays").fetchall() == [(True,)]
