"""A load that lands nothing: into copies of the stores, which are deleted again.

So it decides everything as a load would, and the study's own stores, tables and files stay as they are, byte for byte.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from consonance.study.copies import copy_stores
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.study_files import notice_files
from consonance.study.tombstones import refuse_unfinished
from consonance.study.vault import open_study
from consonance.study.work_folders import DRY_LOAD, work_folder
from loaders.export_kinds import KINDS
from loaders.load import LoadProgress, load_study
from loaders.load_report import LoadReport

# Of the values of these keys the pattern is told: most rows are rejected for one of them.
PATTERNED = {key for kind in KINDS for key in (kind.time_key, kind.duration_key)}
LONGEST_PATTERN = 30


class NoRoom(ConsonanceError):
    """The disk has no room for copies of the stores."""


@dataclass(frozen=True)
class Example:
    """The first row of a file that would be rejected for one reason, without its values.

    Attributes:
        participant_code: Whose row it is.
        file, member: Where it stands.
        reason: Why it would be rejected.
        row: Its number in the file, from 1 on.
        fields: Of each listed key what its value is like.
    """

    participant_code: str
    file: str
    member: str
    reason: str
    row: int
    fields: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "member": self.member,
            "reason": self.reason,
            "row": self.row,
            "fields": self.fields,
        }


@dataclass(frozen=True)
class DryLoad:
    """What a load would do: its report, and examples of the rows that it would reject."""

    report: LoadReport
    examples: list[Example]

    def as_json(self) -> dict[str, Any]:
        return self.report.as_json() | {"dry_run": True, "examples": [example.as_json() for example in self.examples]}


EXAMPLES = """
    with first_rows as (
        select member_id, reason, min(row_no) as row_no
        from vault.raw.rejected_rows
        group by all
    )

    select keyring.participant_code, donations.file, donation_members.name, reason, row_no, listed_fields
    from first_rows
    inner join vault.raw.rejected_rows using (member_id, reason, row_no)
    inner join vault.raw.donation_members using (member_id)
    inner join vault.raw.donations using (donation_id)
    inner join vault.raw.keyring on keyring.participant_no = donations.participant_no
    where donation_members.is_counted_here and donations.loaded_at = (select loaded_at from vault.raw.study)
    order by all
"""


def dry_load(study: Study, progress: LoadProgress | None = None) -> DryLoad:
    """What ``load_study`` would do to ``study`` now.

    Raises:
        NoRoom: the disk has no room for copies of the stores.
        ConsonanceError: as ``load_study``.
    """
    refuse_unfinished(study)
    with work_folder(study, DRY_LOAD) as folder, _named_as(study, folder):
        copy = _copied(study, folder)
        report = load_study(copy, progress)
        with open_study(copy, read_only=True) as connection:
            return DryLoad(replace(report, closed=[]), _examples(connection))


def shape(key: str, value: object) -> str:
    """What a value is like, without the value: of times and lengths of plays also where digits and letters stand."""
    if isinstance(value, bool):
        return "true or false"
    if value is None:
        return "nothing"
    if isinstance(value, list):
        return f"a list of {len(value):,}"
    if isinstance(value, dict):
        return f"an object with {len(value):,} keys"
    text = str(value)
    kind = "text" if isinstance(value, str) else "number"
    if key in PATTERNED and 0 < len(text) <= LONGEST_PATTERN:
        return f"{kind} like {_pattern(text)}"
    return f"{kind} of {len(text):,} characters"


def _pattern(text: str) -> str:
    """Which characters of ``text`` are digits (9), letters (a), marks of times and numbers (as they are), or others (?)."""
    digits = re.sub(r"\d", "9", text)
    letters = re.sub(r"[^\W\d_]", "a", digits)
    return re.sub(r"[^9a .,:;/+-]", "?", letters)


def _copied(study: Study, folder: Path) -> Study:
    """A study in ``folder`` with copies of the stores and tables of ``study``, and links to the folders with files to load."""
    stores = [study.vault_path, study.catalogue_path]
    needed = sum(path.stat().st_size for path in stores if path.exists()) * 11 // 10
    if (free := shutil.disk_usage(study.root).free) < needed:
        raise NoRoom(
            f"Copies of vault and catalogue need {needed >> 20:,} MiB, and {free >> 20:,} MiB are free.",
            "Make room on this disk, and try again.",
        )
    with open_study(study, read_only=True):  # nobody writes meanwhile
        copy = copy_stores(study, stores, folder)
    tables = [
        study.participants_path, study.donation_ids_path, study.consents_path, study.notices_path, study.recipients_path,
        study.tombstones_path, study.audit_head_path,
    ]  # fmt: skip
    for path in (*tables, *(study.root / name for name in notice_files(study))):
        if path.is_file() and path.resolve().is_relative_to(study.root.resolve()):
            place = copy.root / path.relative_to(study.root)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
    for linked in (study.inbox, study.surveys, study.instruments, study.catalogue):
        place = copy.root / linked.name
        if linked.is_dir() and not place.exists():
            place.symlink_to(linked.resolve())
    return copy


@contextmanager
def _named_as(study: Study, folder: Path) -> Iterator[None]:
    """Errors name the study's own files, not the copies."""
    try:
        yield
    except ConsonanceError as error:
        error.what, error.remedy = (text.replace(str(folder), str(study.root)) for text in (error.what, error.remedy))
        error.args = (f"{error.what} {error.remedy}",)
        raise


def _examples(connection: duckdb.DuckDBPyConnection) -> list[Example]:
    return [
        Example(code, file, member, reason, int(row), _shapes(fields))
        for code, file, member, reason, row, fields in connection.execute(EXAMPLES).fetchall()
    ]


def _shapes(listed_fields: str | None) -> dict[str, str]:
    try:
        fields = json.loads(listed_fields or "{}")
    except (ValueError, RecursionError):  # it was longer than the vault keeps
        return {}
    return {key: shape(key, value) for key, value in fields.items()} if isinstance(fields, dict) else {}
