"""The notices that participants read before they decided: ``notices.csv`` binds each to its text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from consonance.study.errors import ConsonanceError
from consonance.study.files import replace_file, sha256_of
from consonance.study.folder import Study
from consonance.study.tables import TableReader, append_rows

COLUMNS = ("form_version", "language", "title", "file", "sha256")
SHA256 = re.compile(r"[0-9a-f]{64}")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
NEW_VERSION = (
    "A notice never changes once consent was given to it: put the old line and file back, "
    "and register another text as another form_version."
)


class BadNotice(ConsonanceError):
    """A notice cannot be registered."""


@dataclass(frozen=True)
class Registered:
    """A notice of ``notices.csv``. ``is_new``: it was not there before."""

    path: Path
    sha256: str
    is_new: bool


def register_notice(study: Study, file: Path, version: str, language: str, title: str | None = None) -> Registered:
    """Register the text ``file`` as the notice ``version``: a copy in the study's ``notices/``, a line in ``notices.csv``.

    Safe to repeat: the same text under the same version changes nothing.

    Args:
        study: Whose notices.
        file: The text as participants read it, in whatever format.
        version: What consent events call it, in ``form_version``.
        language: Its language, as in BCP 47 (``en``, ``pt-BR``).
        title: What receipts call it; the name of the file if not given.

    Raises:
        BadNotice: no such file, no version or language, or the version or the file's place belong to another text.
        BadTable: ``notices.csv`` itself cannot be used.
    """
    if not file.is_file():
        raise BadNotice(f"{file} does not exist.", "Name the file that participants read.")
    if not version.strip() or any(sign in version for sign in "\r\n") or version.startswith("#"):
        raise BadNotice("A notice needs a version.", "Give it one, such as --version v1.")
    if not LANGUAGE.fullmatch(language):
        raise BadNotice(f"{file}: its language is no language tag.", "Write it like en, de or pt-BR.")
    sha256 = sha256_of(file)
    for notice in read_notices(study):
        if notice["form_version"] == version:
            if notice["sha256"] != sha256:
                raise BadNotice(f"notices.csv has another text as {version}.", NEW_VERSION)
            return Registered(study.root / notice["file"], sha256, is_new=False)
    place = file if file.resolve().is_relative_to(study.root.resolve()) else study.notice_texts / file.name
    if place != file:
        if place.exists() and sha256_of(place) != sha256:
            raise BadNotice(f"{place} is another file already.", "Give the notice's file another name.")
        place.parent.mkdir(mode=0o700, exist_ok=True)
        replace_file(place, file.read_bytes())
    name = place.resolve().relative_to(study.root.resolve()).as_posix()
    values = (version, language, title or file.name, name, sha256)
    append_rows(study.notices_path, [dict(zip(COLUMNS, values, strict=True))])
    return Registered(place, sha256, is_new=True)


def load_notices(connection: duckdb.DuckDBPyConnection, study: Study) -> frozenset[str]:
    """Replace ``raw.notices`` by what ``notices.csv`` says.

    A notice is registered by the SHA-256 of its text. If its file lies in the study folder, the file
    must have that hash; one that consent events name keeps its line and its hash for good.

    Returns:
        The registered form versions.

    Raises:
        BadTable: a line cannot be used, a file is not the one that was registered, or a notice
            that consent was given to is gone or another; nothing is changed then.
    """
    bound = dict(
        connection.execute(
            """
            select notices.form_version, lower(notices.sha256)
            from vault.raw.notices
            where notices.form_version in (select form_version from vault.raw.consent_events)
            """
        ).fetchall()
    )
    notices = read_notices(study, bound)
    connection.begin()
    connection.execute("delete from vault.raw.notices")
    if notices:
        connection.executemany(
            "insert into vault.raw.notices values (?, ?, ?, ?, ?)",
            [[notice[column] or None for column in COLUMNS] for notice in notices],
        )
    connection.commit()
    return frozenset(notice["form_version"] for notice in notices)


def read_notices(study: Study, bound: Mapping[str, str] | None = None) -> list[dict[str, str]]:
    """What ``notices.csv`` says: a mapping of ``COLUMNS`` for each notice.

    Args:
        study: Whose notices.
        bound: The hash that a form version must have, of those that consent was given to.

    Raises:
        BadTable: see ``load_notices``.
    """
    bound = bound or {}
    reader = TableReader(study.notices_path)
    notices: dict[str, dict[str, str]] = {}
    for line, row in reader.rows(COLUMNS):
        version, sha256 = row["form_version"], row["sha256"].lower()
        if not version:
            reader.fault(line, "names no form_version")
        if version in notices:
            reader.fault(line, "repeats a form_version")
        found = _hash_of(study.root, row["file"])
        if not SHA256.fullmatch(sha256):
            reader.fault(line, "has no SHA-256 of 64 hex digits in sha256", _how_to_register(found))
        elif found not in (None, sha256):
            reader.fault(line, "names a file of another SHA-256: its text was altered", NEW_VERSION)
        if bound.get(version) not in (None, sha256):
            reader.fault(line, "changes the SHA-256 of a notice that consent was given to", NEW_VERSION)
        notices[version] = row | {"sha256": sha256}
    if lost := bound.keys() - notices.keys():
        reader.faults.append(f"{len(lost)} notices that consent was given to are missing")
        reader.remedies.append(NEW_VERSION)
    reader.close()
    return list(notices.values())


def _hash_of(root: Path, file: str) -> str | None:
    """The SHA-256 of a file of the study folder; ``None`` if there is none of that name in it."""
    path = (root / file).resolve()
    if not file or not path.is_relative_to(root.resolve()) or not path.is_file():
        return None
    return sha256_of(path)


def _how_to_register(found: str | None) -> str:
    if found:
        return f"The SHA-256 of its file is {found}."
    return "Take the line out, and let 'consonance consent notice FILE' write it."
