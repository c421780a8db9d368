"""Releases that hold somebody who withdrew: each is unpublished, and the current one is published again without them.

What was handed over cannot be called back. The certificate lists who got which release, as the operator
entered it in ``recipients.csv``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from consonance.erasure.record import Release
from consonance.release.publish import publish
from consonance.release.register import CURRENT, WORK_PREFIX, is_published
from consonance.study.audit_log import anchor, record
from consonance.study.errors import ConsonanceError
from consonance.study.files import remove_within, sync
from consonance.study.folder import Study
from consonance.study.tables import TableReader
from consonance.study.vault import open_study

COLUMNS = ("release", "recipient", "handed_over_at")
REVEALS_ONE_PERSON = (
    "A public release is not published again automatically: the difference between the two releases would reveal the "
    "person who left. Publish again when more than twenty other persons have joined or left."
)


@dataclass(frozen=True)
class Handover:
    """Who got a release, and when, as the operator entered it."""

    release: int
    recipient: str
    handed_over_at: str


@dataclass(frozen=True)
class Unpublished:
    """The releases that were unpublished, by number; the current release now, if any, and why it is that one."""

    numbers: tuple[int, ...]
    current: int | None
    why: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def read_handovers(study: Study) -> list[Handover]:
    """What ``recipients.csv`` says; an empty list if there is no such file.

    Raises:
        BadTable: a line cannot be used.
    """
    if not study.recipients_path.exists():
        return []
    reader = TableReader(study.recipients_path)
    handovers = []
    for line, row in reader.rows(COLUMNS):
        if not row["release"].isdecimal():
            reader.fault(line, "has no number in release")
        elif not row["recipient"]:
            reader.fault(line, "names no recipient")
        else:
            handovers.append(Handover(int(row["release"]), row["recipient"], row["handed_over_at"]))
    reader.close()
    return handovers


def unpublish(study: Study, releases: Sequence[Release], rebuild: bool, progress: Callable[[str], None]) -> Unpublished:
    """Unpublish ``releases``; if one of them is current, publish again first.

    Args:
        study: Its vault and warehouse are without the participant already.
        releases: Those that hold them.
        rebuild: Whether a current controlled release is published again.
        progress: Reports each step, in a few words.

    Raises:
        StoreError, VaultKeyError: the vault cannot be opened.
    """
    why = "No participant who withdrew is in it."
    for release in releases:
        if is_published(study.published, release.number):
            why = _replace_current(study, release, rebuild, progress)
    current = study.published / CURRENT
    if any(is_published(study.published, release.number) for release in releases):
        current.unlink()
        sync(study.published)
    for release in releases:
        _remove(study.published, release.number)
    _note(study, releases)
    number = int(current.readlink().name) if current.is_symlink() else None
    return Unpublished(
        tuple(release.number for release in releases), number, why if number or releases else "Nothing was published."
    )


def _replace_current(study: Study, release: Release, rebuild: bool, progress: Callable[[str], None]) -> str:
    if release.tier == "public":
        return REVEALS_ONE_PERSON
    if not rebuild:
        return "The operator asked for no new release."
    try:
        publish(study, release.tier, progress=lambda what: progress(f"publishing again: {what}"))
    except ConsonanceError as error:
        return f"It could not be published again: {error.what}"
    return "It was published again without them."


def _remove(published: Path, number: int) -> None:
    """Remove a release: first it disappears in one step, then its files are deleted."""
    place, hidden = published / str(number), published / f"{WORK_PREFIX}gone-{number}"
    if place.exists():
        place.rename(hidden)
        sync(published)
    remove_within(published, hidden)


def _note(study: Study, releases: Sequence[Release]) -> None:
    with open_study(study) as connection:
        known = {number for (number,) in connection.execute("select release_no from vault.raw.unpublished").fetchall()}
        for release in releases:
            if release.number not in known:
                connection.begin()
                connection.execute(
                    "insert into vault.raw.unpublished values (?, cast(now() as timestamp))", [release.number]
                )
                record(connection, study, "release_unpublished", {"release": release.number})
                connection.commit()
        anchor(connection, study)
