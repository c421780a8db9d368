"""Where a study stands: what is loaded, what is held or not loaded yet, what is stale, what to run next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from consonance.consent.state import held_codes
from consonance.consent.status import consent_states
from consonance.release.register import CURRENT
from consonance.study.doctor import Finding, examine
from consonance.study.folder import Study
from consonance.study.settings import Settings
from consonance.study.tombstones import erased_codes
from consonance.study.vault import open_study
from loaders.held import HELD_ADVICE, why_held
from loaders.inbox import find_donations

# What the remedies of the doctor name, in the order in which they are to be run.
STEPS = ("consonance withdraw", "consonance key rotate", "consonance load", "consonance catalog fetch", "dbt run")
LOADED = {
    "donations": "vault.raw.donations",
    "plays": "(select 1 from vault.raw.extended_plays union all select 1 from vault.raw.account_plays)",
    "answers": "vault.raw.survey_answers",
    "prompts": "vault.raw.survey_prompts",
    "feature_files": "catalogue.music.archive_files",
}


@dataclass(frozen=True)
class StudyStatus:
    """Where a study stands.

    Attributes:
        title: Of the study.
        loaded_at: When the last load began, in UTC; ``None`` before the first one.
        participants: How many are enrolled, consent to something, have withdrawn.
        loaded: What the vault and the catalogue hold, counted.
        held: Donations that are not read, by reason, with what to do.
        not_loaded: How many others of the inbox are not in the vault: they are new, or the last load refused them.
        desk_written_at: When the desk was last replaced, in UTC; ``None`` if there is none.
        release: The number of the current release, if there is one.
        findings: How many things the doctor finds wrong.
        next: Commands to run, in this order, each with the reason.
    """

    title: str
    loaded_at: datetime | None
    participants: Mapping[str, int]
    loaded: Mapping[str, int]
    held: Mapping[str, int]
    not_loaded: int
    desk_written_at: datetime | None
    release: int | None
    findings: int
    next: Mapping[str, str]

    @property
    def advice(self) -> dict[str, str]:
        """For each reason why donations are held, what to do."""
        return {reason: HELD_ADVICE[reason] for reason in self.held}

    def as_json(self) -> dict[str, Any]:
        moments = {
            name: moment and f"{moment.isoformat(timespec='seconds')}Z"
            for name, moment in (("loaded_at", self.loaded_at), ("desk_written_at", self.desk_written_at))
        }
        steps = [{"command": command, "why": why} for command, why in self.next.items()]
        return asdict(self) | moments | {"next": steps, "advice": self.advice}


def status_of(study: Study) -> StudyStatus:
    """Where ``study`` stands. Nothing is changed.

    Raises:
        StoreError, VaultKeyError, BadSettings: the study cannot be opened.
    """
    title = Settings.read(study).title
    found = examine(study).findings
    with open_study(study, read_only=True) as connection:
        loaded_at = _value(connection, "select max(loaded_at) from vault.raw.study")
        held, not_loaded = _inbox(connection, study)
        loaded = {what: _value(connection, f"select count(*) from {place}") for what, place in LOADED.items()}
        states = Counter(state.state for state in consent_states(connection)) if loaded_at else Counter()
        enrolled = _value(connection, "select count(*) from vault.raw.participants")
    current = study.published / CURRENT
    release = int(current.readlink().name) if current.is_symlink() else None
    written = study.desk_path.stat().st_mtime if study.desk_path.exists() else None
    return StudyStatus(
        title=title,
        loaded_at=loaded_at,
        participants={"enrolled": enrolled, "active": states["active"], "withdrawn": states["withdrawn"]},
        loaded=loaded,
        held=held,
        not_loaded=not_loaded,
        desk_written_at=datetime.fromtimestamp(written, UTC).replace(tzinfo=None) if written else None,
        release=release,
        findings=len(found),
        next=_steps(found, loaded_at is not None, not_loaded) or _when_all_is_done(release),
    )


def _inbox(connection: duckdb.DuckDBPyConnection, study: Study) -> tuple[dict[str, int], int]:
    """Donations of the inbox that are held, by reason, and the number of others that are not in the vault."""
    donations = find_donations(study)
    codes = [donation.participant_code for donation in donations]
    known = held_codes(connection, "listening_history") | dict.fromkeys(erased_codes(connection, codes), "erased")
    there = set(
        connection.execute(
            "select participant_code, file from vault.raw.donations inner join vault.raw.keyring using (participant_no)"
        ).fetchall()
    )
    held: Counter[str] = Counter()
    not_loaded = 0
    for donation in donations:
        if reason := why_held(donation.participant_code, known):
            held[reason] += 1
        else:
            not_loaded += (donation.participant_code, study.within(donation.path)) not in there
    return dict(sorted(held.items())), not_loaded


def _steps(found: Sequence[Finding], is_loaded: bool, not_loaded: int) -> dict[str, str]:
    """What the doctor's findings and the inbox ask for, in the order in which it is to be run."""
    reasons = {step: finding.what for step in STEPS for finding in reversed(found) if f"'{step}" in finding.remedy}
    if not is_loaded:
        reasons["consonance load"] = "Nothing was loaded yet."
    elif not_loaded:
        reasons.setdefault("consonance load", f"{not_loaded} donations of the inbox are not in the vault.")
    if "consonance load" in reasons:
        reasons["dbt run"] = "The warehouse is to be built of what was loaded."
    return {step: reasons[step] for step in STEPS if step in reasons}


def _when_all_is_done(release: int | None) -> dict[str, str]:
    steps = {
        "consonance sql": "Everything is loaded and built: ask the marts.",
        "consonance check": "The checks say whether consent and de-identification hold.",
    }
    return steps if release else steps | {"consonance publish --tier controlled": "There is no release yet."}


def _value(connection: duckdb.DuckDBPyConnection, statement: str) -> Any:
    return connection.execute(statement).fetchall()[0][0]
