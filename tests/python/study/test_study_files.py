"""The list of study files: each file that may be there has a place, and no module writes one that has none."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import get_args

import pytest

from consonance.study.dbt_command import PROJECT
from consonance.study.forms import FORMS
from consonance.study.study_files import DECLARED, MayHold, declared, place_of, places

CODE = ("consonance", "loaders")
# What writes, makes, copies or renames a file.
WRITES = {
    "write_text", "write_bytes", "replace_file", "append_rows", "mkdir", "makedirs", "touch", "symlink_to", "hardlink_to",
    "link", "symlink", "copy", "copy2", "copyfile", "copyfileobj", "copytree", "rename", "move", "fdopen", "mkfifo",
    "to_csv", "to_parquet", "write_csv", "write_parquet", "to_json", "savefig", "dump", "extractall", "extract",
    "mkdtemp", "mkstemp", "NamedTemporaryFile", "TemporaryFile", "TemporaryDirectory", "SpooledTemporaryFile",
    "FileHandler", "RotatingFileHandler", "attach_to_write",
}  # fmt: skip
# Another program may write whatever it wants.
PROGRAMS = {"run", "Popen", "call", "check_call", "check_output", "system", "popen", "posix_spawn", "execv", "execve"}
OF_SYSTEMS = {"tempfile", "tmpfile", "/tmp", "TMPDIR", "gettempdir"}
MODE = re.compile(r"(?=.*[wax+])[rwaxbt+]+")
SQL = re.compile(
    r"(?im)(?:^|;)\s*copy\s*(\(|from\s+database\b|\S+\s+to\b)|\bformat\s+(csv|parquet|json)\b|\bexport\s+database\b"
    r"|\bset\s+(log_query_path|profil\w+|enable_logging|logging_\w+)"
)


def _code() -> Iterator[tuple[str, ast.AST]]:
    for folder in CODE:
        for path in sorted((PROJECT / folder).rglob("*.py")):
            yield path.relative_to(PROJECT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _writes(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return bool(SQL.search(node.value))
    if not isinstance(node, ast.Call):
        return False
    name = _called(node)
    module = getattr(node.func.value, "id", "") if isinstance(node.func, ast.Attribute) else ""
    if name == "open":
        texts = [arg.value for arg in ast.walk(node) if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        return any(MODE.fullmatch(text) for text in texts)
    if name == "connect":  # to a database in a file
        return bool(node.args) and not any(word.arg == "read_only" for word in node.keywords)
    if module in ("subprocess", "os") and name in PROGRAMS:
        return True
    if name in ("copy", "rename") and not node.args:  # of a dictionary, or of a table in memory
        return False
    return name in WRITES


def writers() -> dict[str, list[int]]:
    """The modules that write files, each with the lines that do."""
    found: dict[str, list[int]] = {}
    for path in sorted(path for folder in (*CODE, "macros", "models") for path in (PROJECT / folder).rglob("*.sql")):
        numbered = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if lines := [number for number, line in numbered if SQL.search(line)]:
            found[path.relative_to(PROJECT).as_posix()] = lines
    for module, tree in _code():
        told = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        lines = sorted(node.lineno for node in ast.walk(tree) if id(node) not in told and _writes(node))
        if lines:
            found[module] = lines
    return found


def test_every_place_of_the_code_that_writes_a_file_is_counted_on_the_list() -> None:
    found = writers()
    listed = declared()["writers"]
    wrong = {
        module: f"lines {', '.join(map(str, found.get(module, [])))}; listed: {listed.get(module, 0)}"
        for module in found.keys() | listed.keys()
        if len(found.get(module, [])) != listed.get(module, 0)
    }
    assert not wrong, (
        f"what these modules write is not on the list in {DECLARED.name}: {wrong}. List each file of the study with what may "
        "stand in it, then count the place under 'writers'."
    )


def test_the_list_names_modules_that_write() -> None:
    named = {module for place in places() for module in place.written_by}
    # DuckDB writes the stores.
    assert named - {
        "consonance/study/vault.py",
        "consonance/study/dbt_plugin.py",
    } <= (declared()["writers"].keys())
    assert not [module for module in named if not (PROJECT / module).is_file()]


def test_temporary_files_are_made_in_one_place() -> None:
    """What is in the system's folder for temporary files outlives a withdrawal, and no check finds it."""
    found = {
        module
        for module, tree in _code()
        for node in ast.walk(tree)
        if {
            getattr(node, "id", None),
            getattr(node, "attr", None),
            getattr(node, "value", None),
            getattr(node, "module", None),
        }
        & OF_SYSTEMS
        or (isinstance(node, ast.Import) and OF_SYSTEMS & {name.name for name in node.names})
        if not isinstance(node, ast.Constant) or isinstance(node.value, str)
    }
    assert found <= {"consonance/release/workspace.py", "consonance/synthetic/dumps.py"}, (
        "Temporary files belong into the study folder: see temporary_files_in in consonance/release/workspace.py."
    )


@pytest.mark.parametrize(
    ("within", "may_hold"),
    [
        ("consents.csv", "names"),
        (".consents.csv.new", "names"),
        ("participants.csv~", "names"),
        (".DS_Store", "nothing"),
        ("inbox/P1/a/b.zip", "everything"),
        ("surveys/maps/mood.yml", "nothing"),
        ("surveys/mood.csv", "names"),
        ("the notice.pdf", "nothing"),
        ("withdrawals/2026-11-26T155951-0123456789ab.json", "nothing"),
        (".spill/duckdb_temp_storage_DEFAULT-0.tmp", "everything"),
        ("published/12/codebook.csv", "nothing"),
        # Nobody has said what these are.
        ("withdrawals/2026-11-26T155951-P013.json", None),
        ("published/12/members.csv", None),
        (".spill/x.json", None),
        ("load.log", None),
        (".load.pickle", None),
        ("site/who.html", None),
        ("vault.duckdb.bak", None),
    ],
)
def test_a_file_has_the_place_that_its_path_says(within: str, may_hold: str | None) -> None:
    place = place_of(within, ["the notice.pdf"])
    assert (place and place.may_hold) == may_hold


def test_every_place_says_what_it_is_and_every_form_is_there() -> None:
    for place in places():
        assert place.what and place.may_hold in get_args(MayHold), place.files
        re.compile(place.files)
    assert {place.form for place in places()} - {None} == set(FORMS)
