"""Notices: what participants read before they decide. ``notices.csv`` has the SHA-256 of each text."""

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
    "A notice must not change after consent was given to it: restore the old line and the old file, "
    "and register the other text under another form_version."
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
    """Register the text ``file`` as the notice ``version``: copy it into ``notices/`` and add a line to ``notices.csv``.

    Safe to repeat: the same text under the same version changes nothing.

    Args:
        study: Whose notices.
        file: The text as participants read it, in whatever format.
        version: What consent events call it, in ``form_version``.
        language: Its language, as in BCP 47 (``en``, ``pt-BR``).
        title: What receipts call it; the name of the file if not given.

    Raises:
        BadNotice: the file, the version or the language is missing, or another text has the version or the file name.
        BadTable: ``notices.csv`` itself cannot be used.
    """
    if not file.is_file():
        raise BadNotice(f"{file} does not exist.", "Name the file that participants read.")
    if not version.strip() or any(sign in version for sign in "\r\n") or version.startswith("#"):
        raise BadNotice(
            f"The version for {file} is empty, has several lines, or begins with '#'.",
            "Give another one, such as --version v1.",
        )
    if not LANGUAGE.fullmatch(language):
        raise BadNotice(f"The language of {file} is not a language tag.", "Write it like en, de or pt-BR.")
    sha256 = sha256_of(file)
    for notice in read_notices(study):
        if notice["form_version"] == version:
            if notice["sha256"] != sha256:
                raise BadNotice(f"notices.csv has another text under the version {version}.", NEW_VERSION)
            return Registered(study.root / notice["file"], sha256, is_new=False)
    place = file if file.resolve().is_relative_to(study.root.resolve()) else study.notice_texts / file.name
    if place != file:
        if place.exists() and sha256_of(place) != sha256:
            raise BadNotice(f"{place} exists already and has another text.", "Give the notice's file another name.")
        place.parent.mkdir(mode=0o700, exist_ok=True)
        replace_file(place, file.read_bytes())
    name = place.resolve().relative_to(study.root.resolve()).as_posix()
    values = (version, language, title or file.name, name, sha256)
    append_rows(study.notices_path, [dict(zip(COLUMNS, values, strict=True))])
    return Registered(place, sha256, is_new=True)


def load_notices(connection: duckdb.DuckDBPyConnection, study: Study) -> frozenset[str]:
    """Replace ``raw.notices`` by what ``notices.csv`` says.

    A notice is registered by the SHA-256 of its text. If its file is in the study folder, the file
    must have this hash. If consent events name the notice, its line and its hash may not change.

    Returns:
        The registered form versions.

    Raises:
        BadTable: a line cannot be used, a file was changed, or a notice to which consent was given is missing or
            was changed. Then nothing is loaded.
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
    """The notices of ``notices.csv``, each a mapping of ``COLUMNS``.

    Args:
        study: Whose notices.
        bound: Form version to the hash that it must have, because consent was given to it.

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
            reader.fault(line, "names a file with another SHA-256: the text was changed", NEW_VERSION)
        if bound.get(version) not in (None, sha256):
            reader.fault(line, "changes the SHA-256 of a notice to which consent was given", NEW_VERSION)
        notices[version] = row | {"sha256": sha256}
    if lost := bound.keys() - notices.keys():
        reader.faults.append(f"{len(lost)} notices to which consent was given are missing")
        reader.remedies.append(NEW_VERSION)
    reader.close()
    return list(notices.values())


def _hash_of(root: Path, file: str) -> str | None:
    """The SHA-256 of a file in the study folder; ``None`` if there is no such file."""
    path = (root / file).resolve()
    if not file or not path.is_relative_to(root.resolve()) or not path.is_file():
        return None
    return sha256_of(path)


def _how_to_register(found: str | None) -> str:
    if found:
        return f"The SHA-256 of its file is {found}."
    return "Remove the line, and run 'consonance consent notice FILE': it writes the line."
