"""Where the leak scan looks: every file of the study folder, what dbt wrote, and the project's own dbt texts.

``PLACES`` lists the files of a study that are known by their path: each with what may stand in it, and why. What is not
in the list is an output of some program, and may hold nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from consonance.checks.leaks.sought import CODE, DIGEST, KEY, PSEUDONYM, SECRET, USER_NAME
from consonance.study.dbt_command import PROJECT
from consonance.study.folder import Study

NAMES = frozenset({CODE, USER_NAME, DIGEST})
EVERYTHING = NAMES | {PSEUDONYM, SECRET, KEY}
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Place:
    """Files that are known by their path.

    Attributes:
        pattern: The whole path within the study folder, as a regular expression; a folder and all in it end with ``/.*``.
        may_hold: What may stand there. Who may hold everything is not read.
        why: The reason.
        is_input: The operator puts it there: its rights are the load's to restrict, and names in it are no leak.
    """

    pattern: str
    may_hold: frozenset[str]
    why: str
    is_input: bool = True


PLACES = (
    Place(r"vault\.key(\.new|\.old)?", EVERYTHING, "the key itself, which only its owner may read"),
    Place(r"vault\.duckdb(\.new)?(\.wal)?", EVERYTHING, "encrypted", is_input=False),
    Place(r"\.withdrawing/.*", EVERYTHING, "the erasure record, encrypted", is_input=False),
    Place(r"\.spill/.*", EVERYTHING, "what DuckDB writes to disk in between, encrypted", is_input=False),
    Place(r"warehouse\.duckdb(\.wal)?", EVERYTHING, "the rules search every text of every table", is_input=False),
    Place(r"catalog\.duckdb(\.wal)?", EVERYTHING, "rule A9 searches it, and this scan its reports", is_input=False),
    Place(r"\.(paired-rebuild|twin)-\d+/.*", EVERYTHING, "of a check that runs; the doctor reports it", is_input=False),
    Place(r"published/\.making-[^/]+/.*", EVERYTHING, "of a publish that runs; the doctor reports it", is_input=False),
    Place(
        r"published/\d+/(research\.duckdb|parquet/[^/]+\.parquet)",
        EVERYTHING,
        "the rules of releases search the database, and the Parquet files are compared with it",
        is_input=False,
    ),
    Place(r"inbox/.*", EVERYTHING, "what participants handed over"),
    Place(
        r"(catalogue|dumps)/.*", EVERYTHING, "tables of music, from elsewhere; rule A9 searches what is loaded of them"
    ),
    Place(r"(participants|consents)\.csv", NAMES, "the operator's tables: they name participants by their codes"),
    Place(r"study\.yml", NAMES, "the operator's decisions name participants"),
    Place(r"recipients\.csv|notices\.csv|notices/.*|instruments/.*", NOTHING, "the operator's tables and texts"),
    Place(r"notes/.*", NAMES, "the operator's notes"),
    Place(r"surveys/maps/.*", NOTHING, "maps say what columns are, and name nobody"),
    Place(r"surveys/.*", NAMES, "what participants answered"),
    Place(r"receipts/.*", NAMES, "for the participant", is_input=False),
    Place(r"giveback/.*", NAMES, "for the participant: what they heard, and when", is_input=False),
)  # fmt: skip
OUTPUT = Place("", NOTHING, "an output", is_input=False)
# The texts from which dbt makes its artifacts, the log and the docs site.
DBT_TEXTS = (
    "models", "macros", "functions", "seeds", "analyses", "tests/sql", "dbt_project.yml", "profiles.yml", "selectors.yml",
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """One file to look at.

    Attributes:
        path: Where it is.
        within: Its path within the study folder, or as messages name it.
        place: What is known of it.
        is_of_project: It repeats the project's own texts, with their examples.
        is_page: It is of the docs site, or a report.
    """

    path: Path
    within: str
    place: Place
    is_of_project: bool = False
    is_page: bool = False

    @property
    def is_searched(self) -> bool:
        return self.place.may_hold != EVERYTHING


def files_of_study(study: Study) -> Iterator[Found]:
    """Every file of the study folder. Links are not followed: what they lead to is not in the study."""
    for path in _files(study.root):
        within = path.relative_to(study.root).as_posix()
        place = next((place for place in PLACES if re.fullmatch(place.pattern, within, re.DOTALL)), OUTPUT)
        is_page = study.site in path.parents
        yield Found(path, study.within(path), place, is_of_project=is_page, is_page=is_page)


def files_of_dbt(folders: Sequence[Path]) -> Iterator[Found]:
    """What dbt wrote, and the project's own texts."""
    for folder in folders:
        for path in _files(folder):
            yield Found(path, str(path), OUTPUT, is_of_project=True)
    for name in DBT_TEXTS:
        for path in _files(PROJECT / name):
            yield Found(path, path.relative_to(PROJECT).as_posix(), OUTPUT, is_of_project=True)


def files_beside(folders: Sequence[Path]) -> Iterator[Found]:
    """What is to be published."""
    for folder in folders:
        for path in _files(folder):
            within = f"published/0/{path.relative_to(folder).as_posix()}"
            place = next((place for place in PLACES if re.fullmatch(place.pattern, within, re.DOTALL)), OUTPUT)
            yield Found(path, str(path), place)


def written_by(name: str) -> list[str]:
    """The project's files that mention a file of this name: where to look for the command that writes it."""
    return [
        path.relative_to(PROJECT).as_posix()
        for folder in ("consonance", "loaders", "macros", "models")
        for path in _files(PROJECT / folder)
        if path.suffix in (".py", ".sql", ".yml") and name in path.read_text(encoding="utf-8", errors="replace")
    ]


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_file():
        yield folder
    for inside, folders, files in os.walk(folder):
        folders.sort()
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in sorted(files):
            path = Path(inside, name)
            if path.is_file() and not path.is_symlink():
                yield path
