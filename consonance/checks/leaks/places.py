"""Where the leak scan looks: every file of the study folder, what dbt wrote, and the project's own texts.

``consonance/study/study_files.yml`` lists the files of a study: each with what may stand in it. What is not on the list is
an output of some program, and may hold nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from consonance.checks.leaks.sought import (
    CODE,
    DBT_TEXTS,
    DIGEST,
    EXAMPLES,
    KEY,
    NO_CODES,
    OF_TESTS,
    OTHER_TEXTS,
    PSEUDONYM,
    SECRET,
    TESTS,
    USER_NAME,
)
from consonance.study.dbt_command import PROJECT
from consonance.study.folder import Study
from consonance.study.study_files import MayHold, Place, notice_files, place_of
from consonance.study.work_folders import is_own

NAMES = frozenset({CODE, USER_NAME, DIGEST})
MAY_HOLD: Mapping[MayHold, frozenset[str]] = {
    "nothing": frozenset(),
    "names": NAMES,
    "pseudonyms": frozenset({PSEUDONYM}),
    "everything": NAMES | {PSEUDONYM, SECRET, KEY},
}
# Pages that are the project's documentation, and the search, which has them beside what other pages say.
REPEATS_DOCS = re.compile(r"site/(docs|search)/")
OUTPUT = Place("", "an output", "nothing", written_by=("a program",))


@dataclass(frozen=True)
class Found:
    """One file to look at.

    Attributes:
        path: Where it is.
        within: Its path within the study folder, or as messages name it.
        place: What is known of it.
        is_of_project: It is one of the project's own texts, or repeats them.
        is_page: It is of the docs site, or a report.
        is_listed: Somebody has said what it is.
        examples: Names that mean nobody there.
        are_tests: It is a text of the tests, whose participants do not exist.
    """

    path: Path
    within: str
    place: Place
    is_of_project: bool = False
    is_page: bool = False
    is_listed: bool = True
    examples: frozenset[str] = frozenset()
    are_tests: bool = False

    @property
    def is_searched(self) -> bool:
        return self.place.may_hold != "everything"

    @property
    def may_hold(self) -> frozenset[str]:
        """The kinds of names and secrets that may stand in it."""
        return MAY_HOLD[self.place.may_hold]

    def names_nobody(self, name: str) -> bool:
        """Whether ``name``, in lower case, is an example there."""
        return name in self.examples or (self.are_tests and bool(OF_TESTS.fullmatch(name)))


def files_of_study(study: Study) -> Iterator[Found]:
    """Every file of the study folder, but for what this process itself makes there for a while. Links are not followed: what
    they lead to is not in the study.
    """
    notices = notice_files(study)
    for path in _files(study.root):
        within = path.relative_to(study.root).as_posix()
        if is_own(within):
            continue
        place = place_of(within, notices)
        is_page = study.site in path.parents
        examples = EXAMPLES if is_page else frozenset()
        if REPEATS_DOCS.match(study.within(path)):
            examples |= NO_CODES
        yield Found(path, study.within(path), place or OUTPUT, is_page, is_page, place is not None, examples)


def files_of_dbt(folders: Sequence[Path]) -> Iterator[Found]:
    """What dbt wrote."""
    for folder in folders:
        for path in _files(folder):
            yield Found(path, str(path), OUTPUT, is_of_project=True, examples=EXAMPLES)


def files_of_project() -> Iterator[Found]:
    """The project's own texts: those of dbt, those around them, and the tests."""
    for parts, examples in ((DBT_TEXTS, EXAMPLES), (OTHER_TEXTS, EXAMPLES | NO_CODES), (TESTS, EXAMPLES)):
        for part in parts:
            for path in _files(PROJECT / part):
                within = path.relative_to(PROJECT).as_posix()
                if part not in TESTS or not within.startswith(DBT_TEXTS):
                    yield Found(path, within, OUTPUT, is_of_project=True, examples=examples, are_tests=part in TESTS)


def files_beside(folders: Sequence[Path]) -> Iterator[Found]:
    """What is to be published."""
    for folder in folders:
        for path in _files(folder):
            place = place_of(f"published/0/{path.relative_to(folder).as_posix()}")
            yield Found(path, str(path), place or OUTPUT)


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
