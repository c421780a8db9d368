"""One load: everything in the study folder, into the stores."""

from __future__ import annotations

import ctypes
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version

import duckdb

from consonance.consent.coverage import narrowed, note_applied, withhold_columns
from consonance.consent.ledger import load_ledger
from consonance.consent.notices import load_notices
from consonance.consent.state import held_codes
from consonance.study.audit_log import anchor, record
from consonance.study.feature_permissions import note_permissions
from consonance.study.folder import Study
from consonance.study.modes import close_to_others
from consonance.study.schema import insert_row, lay_out_stores
from consonance.study.settings import Settings
from consonance.study.tombstones import erased_codes, refuse_unfinished
from consonance.study.vault import CATALOGUE, open_catalogue, open_study
from loaders.catalogue import load_catalogue
from loaders.donations import load_donations
from loaders.enrolment import load_participants
from loaders.history_doubts import history_doubts, note_decisions
from loaders.inbox import Donation, find_donations
from loaders.instruments import load_instruments
from loaders.library import load_library
from loaders.load_report import DonationReport, LoadReport
from loaders.reading_again import read_again
from loaders.surveys.loading import load_surveys


class LoadProgress:
    """Receives the progress of a load; the command line shows it."""

    def starts(self, donations: list[Donation]) -> None:
        """The inbox was listed."""

    def done(self, donation: Donation, report: DonationReport) -> None:
        """One donation has been loaded or refused. Called from several threads."""

    def reads(self, file: str) -> None:
        """A table of features is read next."""


def load_study(study: Study, progress: LoadProgress | None = None) -> LoadReport:
    """Land enrolment, ledger, donations, surveys and feature archives of ``study``.

    Safe to repeat: what is there already stays as it is, what was interrupted is continued. Files that other
    users of the machine could read are closed to them.

    Raises:
        ConsonanceError: the study, its key or one of the operator's tables cannot be used.
    """
    refuse_unfinished(study)
    settings = Settings.read(study)
    progress = progress or LoadProgress()
    loaded_at = datetime.now(UTC).replace(tzinfo=None)
    closed = close_to_others(study)
    keep_freed_memory()
    # One thread a statement: persons are read side by side, and more threads would only wait for each other.
    with open_study(study, threads=1, writes_catalogue=True) as connection:
        lay_out_stores(connection)
        # What was heard does not decide what lands in the catalogue: no connection that has the vault writes it.
        connection.execute(f"detach {CATALOGUE}")
        record(connection, study, "load_started", {})
        anchor(connection, study)
        as_of = note_who_takes_part(connection, study, settings, loaded_at)
        permissions = note_permissions(connection, study, settings.feature_permissions, as_of)
        withhold_columns(connection)
        donations = find_donations(study)
        held = held_back(connection, donations)
        not_read_again = read_again(connection, donations, held)
        progress.starts(donations)
        reports = load_donations(connection, study, donations, held, loaded_at, os.cpu_count() or 1, progress.done)
        instruments = load_instruments(connection, study)
        surveys = load_surveys(connection, study)
        library_items = load_library(connection, donations, reports)
        with open_catalogue(study) as music:
            catalogue = load_catalogue(music, study, progress.reads)
        note_applied(connection, but=narrowed(connection))
        note_decisions(connection, settings.one_history)
        report = LoadReport(
            reports, surveys, catalogue, closed, history_doubts(connection), permissions, instruments, not_read_again
        )
        record(connection, study, "load_finished", {**_counts(connection, report), "library_items": library_items})
        anchor(connection, study)
        connection.execute("checkpoint vault")
    return report


def note_who_takes_part(
    connection: duckdb.DuckDBPyConnection,
    study: Study,
    settings: Settings,
    loaded_at: datetime,
    *,
    is_logged: bool = True,
) -> datetime:
    """Land enrolment, notices and ledger, and the moment at which consent is judged, which is returned (UTC).

    Args:
        connection: With the vault attached for writing.
        study: Whose tables.
        settings: Of ``study``.
        loaded_at: The moment of this load, UTC.
        is_logged: See ``load_ledger``.

    Raises:
        BadTable: one of the operator's tables cannot be used.
    """
    load_participants(connection, study)
    load_ledger(connection, study, load_notices(connection, study), is_logged=is_logged)
    as_of = settings.as_of.replace(tzinfo=None) if settings.as_of else loaded_at
    _note_study(connection, settings, as_of, loaded_at)
    return as_of


def held_back(connection: duckdb.DuckDBPyConnection, donations: list[Donation]) -> dict[str, str | None]:
    """Of each participant, and of each who was erased and has one of ``donations``, why they are held, or ``None``."""
    erased = erased_codes(connection, [donation.participant_code for donation in donations])
    return held_codes(connection, "listening_history") | dict.fromkeys(erased, "erased")


def _counts(connection: duckdb.DuckDBPyConnection, report: LoadReport) -> dict[str, int]:
    """What the audit log keeps of a load."""
    surveys = {
        table: connection.execute(f"select count(*) from vault.raw.{table}").fetchall()[0][0]
        for table in ("survey_answers", "survey_prompts")
    }
    return {
        **report.as_json()["totals"],
        **surveys,
        "survey_lines_rejected": sum(file.rejected for file in report.surveys),
        "feature_tracks": sum(file.landed for file in report.catalogue),
        "history_doubts": len(report.undecided),
    }


def _note_study(
    connection: duckdb.DuckDBPyConnection, settings: Settings, as_of: datetime, loaded_at: datetime
) -> None:
    """Record the study's one clock: ``as_of``, else the moment of this load."""
    connection.begin()
    connection.execute("delete from vault.raw.study")
    insert_row(
        connection,
        "study",
        title=settings.title,
        as_of=as_of,
        loaded_at=loaded_at,
        software_version=version("consonance"),
    )
    connection.commit()


def keep_freed_memory() -> None:
    """Let this process keep large blocks it has freed, to use them again.

    Each member is unpacked into a block of some 13 MB. glibc hands such blocks back to the kernel
    at once and has every page cleared again for the next one, which cost a load a sixth of its
    time. The parameters are M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of mallopt(3).
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        library.mallopt(-1, 1 << 30)
        library.mallopt(-3, 1 << 25)  # the most that older releases accept
