"""The study folder: which file is where."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from consonance.study.codes import checked_code
from consonance.study.errors import ConsonanceError
from consonance.study.files import printable

STUDY_VARIABLE = "CONSONANCE_STUDY"
DEFAULT_STUDY = "./study"


class NoStudy(ConsonanceError):
    """The folder is not a study folder."""


class UnusableFolder(ConsonanceError):
    """A folder of this name cannot hold a study."""


@dataclass(frozen=True)
class Study:
    """A study folder. Every path of a study is named here and nowhere else."""

    root: Path

    @classmethod
    def find(cls, folder: str | os.PathLike[str] | None = None) -> Study:
        """The study in ``folder``, else in ``$CONSONANCE_STUDY``, else in ``./study``.

        Raises:
            NoStudy: there is no ``study.yml`` in that folder.
            UnusableFolder: see ``refuse_unusable``.
        """
        root = Path(folder or os.environ.get(STUDY_VARIABLE) or DEFAULT_STUDY)
        refuse_unusable(root)
        study = cls(root)
        if not study.settings_path.is_file():
            raise NoStudy(
                f"There is no study in {root} (no study.yml).",
                f"Create one with 'consonance init {root}', or name an existing one with --study or {STUDY_VARIABLE}.",
            )
        return study

    @property
    def settings_path(self) -> Path:
        return self.root / "study.yml"

    @property
    def key_path(self) -> Path:
        return self.root / "vault.key"

    @property
    def vault_path(self) -> Path:
        return self.root / "vault.duckdb"

    @property
    def new_key_path(self) -> Path:
        return self.root / "vault.key.new"

    @property
    def old_key_path(self) -> Path:
        return self.root / "vault.key.old"

    @property
    def new_vault_path(self) -> Path:
        return self.root / "vault.duckdb.new"

    @property
    def catalogue_path(self) -> Path:
        return self.root / "catalog.duckdb"

    @property
    def warehouse_path(self) -> Path:
        return self.root / "warehouse.duckdb"

    @property
    def desk_path(self) -> Path:
        """What analysts open; see ``consonance.study.desk``."""
        return self.root / "analysis.duckdb"

    @property
    def new_desk_path(self) -> Path:
        return self.root / "analysis.duckdb.new"

    @property
    def consents_path(self) -> Path:
        return self.root / "consents.csv"

    @property
    def notices_path(self) -> Path:
        return self.root / "notices.csv"

    @property
    def notice_texts(self) -> Path:
        return self.root / "notices"

    @property
    def participants_path(self) -> Path:
        return self.root / "participants.csv"

    @property
    def donation_ids_path(self) -> Path:
        """The table of ids of donation tools; a study needs none."""
        return self.root / "donation_ids.csv"

    @property
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def surveys(self) -> Path:
        return self.root / "surveys"

    @property
    def instruments(self) -> Path:
        """The folder in which the study defines instruments of its own."""
        return self.root / "instruments"

    @property
    def survey_maps(self) -> Path:
        return self.surveys / "maps"

    @property
    def catalogue(self) -> Path:
        return self.root / "catalogue"

    @property
    def published(self) -> Path:
        return self.root / "published"

    @property
    def audit_head_path(self) -> Path:
        return self.root / "audit.head"

    @property
    def check_history_path(self) -> Path:
        """When which check was run, and how it ended."""
        return self.root / "check_history.jsonl"

    @property
    def tombstones_path(self) -> Path:
        return self.root / "tombstones.csv"

    @property
    def recipients_path(self) -> Path:
        return self.root / "recipients.csv"

    @property
    def withdrawals(self) -> Path:
        return self.root / "withdrawals"

    @property
    def shards(self) -> Path:
        """Shares of the donations, each in a vault of its own until they are merged."""
        return self.root / "shards"

    @property
    def spill(self) -> Path:
        """What DuckDB writes to disk in between, encrypted."""
        return self.root / ".spill"

    @property
    def pending(self) -> Path:
        """The erasure record of a withdrawal that is not finished."""
        return self.root / ".withdrawing"

    @property
    def receipts(self) -> Path:
        return self.root / "receipts"

    def donations_of(self, code: str) -> Path:
        """The folder of the inbox for the donations of the participant ``code``.

        Raises:
            BadCode: ``code`` is not a participant code: the path might lead elsewhere.
        """
        return self.inbox / checked_code(code)

    def receipts_of(self, code: str) -> tuple[Path, Path]:
        """The consent receipt of the participant ``code``: the page and the JSON file.

        Raises:
            BadCode: ``code`` is not a participant code: the path might lead elsewhere.
        """
        return self.receipts / f"{checked_code(code)}.html", self.receipts / f"{code}.json"

    @property
    def giveback(self) -> Path:
        return self.root / "giveback"

    def giveback_of(self, code: str) -> Path:
        """The give-back page of the participant ``code``.

        Raises:
            BadCode: ``code`` is not a participant code: the path might lead elsewhere.
        """
        return self.giveback / f"{checked_code(code)}.html"

    def pages_for(self, code: str) -> tuple[Path, ...]:
        """Every file that was made for the participant ``code`` to keep: receipt and give-back page.

        Raises:
            BadCode: ``code`` is not a participant code: the path might lead elsewhere.
        """
        return *self.receipts_of(code), self.giveback_of(code)

    @property
    def site(self) -> Path:
        return self.root / "site"

    @property
    def report(self) -> Path:
        return self.site / "report.html"

    def report_of_release(self, release: str) -> Path:
        """The report that was made of the release in the folder ``release`` of ``published``."""
        return self.site / f"report-of-release-{release}.html"

    def within(self, path: Path) -> str:
        """How messages name a file of the study: relative to the study folder."""
        return printable(path.relative_to(self.root).as_posix()) or "."


def refuse_unusable(root: Path) -> None:
    """Check that DuckDB can keep files in the folder ``root``.

    Raises:
        UnusableFolder: there is a question mark in its path. DuckDB reads what follows it as an option.
    """
    if "?" in str(root.absolute()):
        raise UnusableFolder(
            f"{root} cannot be a study folder: there is a '?' in its path.",
            "DuckDB reads what follows it as an option. Choose a folder without '?', or rename this one.",
        )
