"""The doctor: what is wrong with a study folder, each finding with its remedy. Nothing is changed."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import duckdb

from consonance.consent.coverage import narrowed
from consonance.consent.ledger_file import read_ledger
from consonance.consent.notices import read_notices
from consonance.consent.state import LEDGER_STATE
from consonance.consent.status import NotLoaded, consent_states
from consonance.release.register import CURRENT, WORK_PREFIX, published_numbers
from consonance.study.audit_verification import verify
from consonance.study.codes import is_code
from consonance.study.dbt_command import log_folder, target_folder
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.key import pending_key, read_key
from consonance.study.last_run import why_outdated
from consonance.study.modes import OTHERS, open_places, top_of
from consonance.study.settings import Settings
from consonance.study.tombstones import erased_codes, read_file, read_tombstones
from consonance.study.vault import open_study
from consonance.study.work_folders import left_folders
from loaders.history_doubts import REMEDY, history_doubts
from loaders.inbox import find_donations
from loaders.surveys.maps import Maps, is_for, questionnaire_files

# So many times the size of the stores a withdrawal or a release may need on the disk.
ROOM = 3


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: where, what, and what to do. ``is_grave``: data may be lost, or seen by others."""

    place: str
    what: str
    remedy: str
    is_grave: bool = True


@dataclass(frozen=True)
class Diagnosis:
    """The findings, and how many checks there were."""

    looked_at: int
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        return not any(finding.is_grave for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "looked_at": self.looked_at,
            "findings": [asdict(finding) for finding in self.findings],
        }


def examine(study: Study) -> Diagnosis:
    """Run every check on ``study``.

    A check that cannot run because of another finding adds none of its own.
    """
    findings: list[Finding] = []
    for check in CHECKS:
        try:
            findings += check(study)
        except ConsonanceError as error:
            finding = Finding(str(study.root), error.what, error.remedy)
            findings += [finding] if finding not in findings else []
    return Diagnosis(len(CHECKS), tuple(findings))


def _settings(study: Study) -> Iterator[Finding]:
    Settings.read(study)
    if stat.S_IMODE(study.root.stat().st_mode) & 0o077:
        yield Finding(
            str(study.root), "Other users of this machine may enter the study folder.", f"chmod 700 {study.root}"
        )


def _modes(study: Study) -> Iterator[Finding]:
    # Nobody else can reach them in a closed folder. In a copy of the folder somebody might.
    if tops := dict.fromkeys(top_of(study, path) for path in open_places(study) if path != study.root):
        yield Finding(
            str(study.root),
            f"Other users of this machine have rights on {', '.join(tops)}.",
            "Run 'consonance load': it removes these rights.",
            is_grave=False,
        )
    for folder in (target_folder(), log_folder()):
        if folder.is_dir() and stat.S_IMODE(folder.stat().st_mode) & OTHERS:
            yield Finding(
                str(folder),
                "Other users of this machine may enter the folder into which dbt writes.",
                f"Run 'chmod 700 {folder}'; 'dbt run' does it too.",
                is_grave=False,
            )


def _key(study: Study) -> Iterator[Finding]:
    read_key(study)
    if study.old_key_path.exists() or pending_key(study):
        yield Finding(
            str(study.root),
            "A change of the key was interrupted.",
            "Run 'consonance key rotate' again.",
            is_grave=False,
        )


def _interruptions(study: Study) -> Iterator[Finding]:
    if study.pending.exists():
        yield Finding(str(study.pending), "A withdrawal was interrupted.", "Run 'consonance withdraw' without a code.")
    for path in (
        *left_folders(study),
        *study.published.glob(f"{WORK_PREFIX}*"),
        study.new_vault_path,
        study.new_desk_path,
    ):
        if path.exists():
            yield Finding(
                str(path),
                "A command was interrupted, or still runs, and left data of participants here.",
                "If no command runs, delete it.",
            )


def _shards(study: Study) -> Iterator[Finding]:
    if study.shards.exists():
        yield Finding(
            str(study.shards),
            "Shards were loaded and not merged: data of participants outside of the vault.",
            "Run 'consonance load --merge', or delete the folder.",
            is_grave=False,
        )


def _tombstones(study: Study) -> Iterator[Finding]:
    with _opened(study) as connection:  # which refuses a stale backup
        if read_tombstones(connection).keys() - read_file(study).keys():
            yield Finding(
                str(study.tombstones_path),
                "Tombstones that the vault has are missing in this file, so a stale backup of the vault would not be noticed.",
                "Restore the file from a copy; the next withdrawal writes it too.",
            )


def _log(study: Study) -> Iterator[Finding]:
    with _opened(study) as connection:
        for fault in verify(connection, study).faults:
            yield Finding("the audit log", f"{fault[0].upper()}{fault[1:]}.", "Run 'consonance audit verify'.")


def _as_of(study: Study) -> Iterator[Finding]:
    settings = Settings.read(study)
    with _opened(study) as connection:
        for judged, loaded_at in connection.execute("select as_of, loaded_at from vault.raw.study").fetchall():
            wanted = settings.as_of.replace(tzinfo=None) if settings.as_of else loaded_at
            if judged != wanted:
                says = f"as_of is {wanted:%Y-%m-%d %H:%M}" if settings.as_of else "it is judged at each load"
                yield Finding(
                    str(study.settings_path),
                    f"The vault judges consent as of {judged:%Y-%m-%d %H:%M} (UTC); here {says}.",
                    "Run 'consonance load', then 'dbt run'. If this is found again, look at as_of in loaders/load.py.",
                )


def _ledger(study: Study) -> Iterator[Finding]:
    lines = read_ledger(study, {notice["form_version"] for notice in read_notices(study)})
    with _opened(study) as connection:
        ((loaded,),) = connection.execute("select count(*) from vault.raw.consent_events").fetchall()
    if new := [event for _, event in lines[loaded:]]:
        withdrawals = sum(event.event == "withdrawn" for event in new)
        yield Finding(
            str(study.consents_path),
            f"The last {len(new)} lines are not in the vault yet, {withdrawals} withdrawals among them.",
            "Run 'consonance load'.",
            is_grave=withdrawals > 0,
        )


def _consents(study: Study) -> Iterator[Finding]:
    in_tools = {one.participant_code: study.within(one.path) for one in find_donations(study) if one.shares}
    with _opened(study) as connection:
        keyed = {code for (code,) in connection.execute("select participant_code from vault.raw.keyring").fetchall()}
        for state in consent_states(connection):
            code = state.participant_code
            donated = code in in_tools or (is_code(code) and study.donations_of(code).exists())
            if state.event == "withdrawn" and (code in keyed or donated):
                yield Finding(
                    code,
                    "This participant has withdrawn, and the study still has their data.",
                    f"Run 'consonance withdraw {code}'.",
                )
        for coverage in narrowed(connection):
            yield Finding(
                coverage.participant_code,
                "This participant took back a purpose or narrowed the window, and the vault still has the data that consent no longer covers.",
                "Run 'consonance load'.",
            )
        folders = [path.name for path in study.inbox.iterdir() if path.is_dir()]
        for code in sorted(erased_codes(connection, folders)):
            yield Finding(f"inbox/{code}", "There is a donation of a participant who was erased.", "Delete it.")
        for code in sorted(erased_codes(connection, list(in_tools))):
            yield Finding(
                in_tools[code],
                "There is a donation of a participant who was erased, beside those of others.",
                f"Run 'consonance withdraw {code}'.",
            )


def _histories(study: Study) -> Iterator[Finding]:
    with _opened(study) as connection:
        for doubt in history_doubts(connection):
            if not doubt.is_decided:
                yield Finding(", ".join(doubt.codes), doubt.what, REMEDY)


def _questionnaires(study: Study) -> Iterator[Finding]:
    maps, files = Maps.of(study), questionnaire_files(study)
    for path, fault in maps.faults.items():
        yield Finding(study.within(path), fault.what, fault.remedy, is_grave=False)
    for path, one in maps.usable.items():
        if not any(is_for(one.files, study, file) for file in files):
            yield Finding(
                study.within(path), "This map is for no file of surveys/.", "Correct its setting files.", is_grave=False
            )


def _warehouse(study: Study) -> Iterator[Finding]:
    if not study.warehouse_path.exists():
        yield Finding(str(study.warehouse_path), "There is no warehouse.", "Run 'dbt run'.", is_grave=False)
        return
    with _opened(study, warehouse=True) as connection:
        if why := why_outdated(connection):
            yield Finding(str(study.warehouse_path), why, "Run 'dbt run'.", is_grave=False)
        elif not study.desk_path.exists():
            yield Finding(str(study.desk_path), "Analysts have no file to open.", "Run 'dbt run'.", is_grave=False)


def _fetch(study: Study) -> Iterator[Finding]:
    with _opened(study) as connection:
        ((tracks,),) = connection.execute(
            "select count(*) from vault.raw.tracks_to_fetch where not is_decoy"
        ).fetchall()
    if tracks:
        yield Finding(
            str(study.vault_path),
            f"A fetch of audio features was interrupted: {tracks:,} tracks were not asked about.",
            "Run 'consonance catalog fetch' again.",
            is_grave=False,
        )


def _releases(study: Study) -> Iterator[Finding]:
    current = study.published / CURRENT
    if not study.published.exists():
        return
    if current.is_symlink() and not current.exists():
        yield Finding(str(current), "This link leads to no release.", "Delete it, or publish again.")
    with _opened(study) as connection:
        known = dict(connection.execute("select release_no, tier from vault.raw.releases").fetchall())
        for number in published_numbers(study.published):
            place = str(study.published / str(number))
            if number not in known:
                yield Finding(
                    place,
                    "This release is not in the release register.",
                    "Restore a newer vault, or move the release away.",
                )
                continue
            unwilling = connection.execute(
                f"""
                select count(*)
                from vault.raw.release_keyring
                left join ({LEDGER_STATE}) as states on states.participant_no = release_keyring.participant_no
                where release_keyring.release_no = $number
                    and not coalesce(list_contains(states.purposes, $purpose), false)
                """,
                {"number": number, "purpose": f"sharing_{known[number]}"},
            ).fetchall()[0][0]
            if unwilling:
                yield Finding(
                    place,
                    f"{unwilling} of the participants in it no longer agree to the tier.",
                    f"Delete the folder and publish again; inform those who have release {number}.",
                )


def _room(study: Study) -> Iterator[Finding]:
    needed = ROOM * sum(path.stat().st_size for path in (study.vault_path, study.warehouse_path) if path.exists())
    free = shutil.disk_usage(study.root).free
    if free < needed:
        yield Finding(
            str(study.root),
            f"{free >> 20:,} MiB are free; a withdrawal or a release may need {needed >> 20:,} MiB.",
            "Make room on this disk.",
            is_grave=False,
        )


@contextmanager
def _opened(study: Study, *, warehouse: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """The vault for reading, and the warehouse if wanted.

    Raises:
        NotLoaded: it lacks a table of this version.
        StoreError, VaultKeyError, StaleBackup: it cannot be opened.
    """
    with open_study(study, read_only=True, warehouse=warehouse) as connection:
        try:
            yield connection
        except duckdb.CatalogException:
            raise NotLoaded(
                f"{study.vault_path} was made by an older version and lacks tables.", "Run 'consonance load'."
            ) from None


CHECKS: tuple[Callable[[Study], Iterator[Finding]], ...] = (
    _settings, _key, _interruptions, _shards, _tombstones, _log, _as_of, _ledger, _consents, _histories, _questionnaires, _warehouse, _fetch, _releases, _room, _modes,
)  # fmt: skip
