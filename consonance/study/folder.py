"""The study folder: which file lies where, and what the operator set in ``study.yml``."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import yaml

from consonance.study.codes import checked_code, is_code
from consonance.study.errors import ConsonanceError
from consonance.study.files import printable

STUDY_VARIABLE = "CONSONANCE_STUDY"
DEFAULT_STUDY = "./study"
# What receipts say of the study itself (fields of ISO/IEC TS 27560); each may be left out.
TERMS = ("controller", "contact", "lawful_basis", "jurisdiction", "retention", "recipients", "withdrawal")

KNOWN = ("title", "as_of", "one_history", *TERMS)
# What may be decided about a history that seems to be of one person twice, or of two persons.
DECISIONS = ("keep_both",)


class NoStudy(ConsonanceError):
    """The folder is not a study folder."""


class UnusableFolder(ConsonanceError):
    """No study can lie in a folder of this name."""


class BadSettings(ConsonanceError):
    """``study.yml`` cannot be used."""


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
                f"Lay one out with 'consonance init {root}', or name an existing one with --study or {STUDY_VARIABLE}.",
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
    def inbox(self) -> Path:
        return self.root / "inbox"

    @property
    def surveys(self) -> Path:
        return self.root / "surveys"

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
    def tombstones_path(self) -> Path:
        return self.root / "tombstones.csv"

    @property
    def recipients_path(self) -> Path:
        return self.root / "recipients.csv"

    @property
    def withdrawals(self) -> Path:
        return self.root / "withdrawals"

    @property
    def pending(self) -> Path:
        """What a withdrawal under way knows of whom it erases; gone in the end."""
        return self.root / ".withdrawing"

    @property
    def receipts(self) -> Path:
        return self.root / "receipts"

    def donations_of(self, code: str) -> Path:
        """The folder of the inbox for the donations of the participant ``code``.

        Raises:
            BadCode: ``code`` is no participant code: it may lead elsewhere.
        """
        return self.inbox / checked_code(code)

    def receipts_of(self, code: str) -> tuple[Path, Path]:
        """The consent receipt of the participant ``code``: the page and the JSON file.

        Raises:
            BadCode: ``code`` is no participant code: it may lead elsewhere.
        """
        return self.receipts / f"{checked_code(code)}.html", self.receipts / f"{code}.json"

    @property
    def site(self) -> Path:
        return self.root / "site"

    def within(self, path: Path) -> str:
        """How messages name a file of the study: relative to the study folder."""
        return printable(path.relative_to(self.root).as_posix()) or "."


@dataclass(frozen=True)
class HistoryDecision:
    """What the operator decided about participants who share a history, or about one with several accounts.

    Attributes:
        codes: The participants' codes; one for somebody with several accounts.
        decision: One of ``DECISIONS``; ``keep_both``: all of it is right as it is.
    """

    codes: tuple[str, ...]
    decision: str


@dataclass(frozen=True)
class Settings:
    """What ``study.yml`` says.

    Attributes:
        title: The study's name, for reports.
        as_of: The moment, in UTC, at which consent is judged; ``None`` means the moment of each
            ``consonance load``.
        terms: What receipts tell participants: those of ``TERMS`` that are set.
        one_history: What was decided about histories of which it is doubtful whose they are.
    """

    title: str
    as_of: datetime | None
    terms: dict[str, str] = field(default_factory=dict)
    one_history: tuple[HistoryDecision, ...] = ()

    @classmethod
    def read(cls, study: Study) -> Settings:
        """Read and check ``study.yml``.

        Raises:
            BadSettings: the file is no YAML mapping, holds an unknown setting, ``as_of`` is no
                date-time with an offset, or ``one_history`` is no list of decisions.
        """
        path = study.settings_path
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except (yaml.YAMLError, UnicodeDecodeError):
            raise BadSettings(
                f"{path} is not readable as YAML.", "Mend it, or compare it with a fresh 'consonance init'."
            ) from None
        if not isinstance(content, dict):
            raise BadSettings(f"{path} holds no settings.", "Write 'title: …' and 'as_of: …', one a line.")
        if unknown := sorted(map(str, set(content) - {*KNOWN})):
            raise BadSettings(
                f"{path} has settings nobody reads: {', '.join(unknown)}.",
                f"Known are {', '.join(KNOWN)}.",
            )
        return cls(
            title=str(content.get("title") or study.root.name),
            as_of=_as_of(path, content.get("as_of")),
            terms={term: str(content[term]) for term in TERMS if content.get(term)},
            one_history=_one_history(path, content.get("one_history")),
        )


def refuse_unusable(root: Path) -> None:
    """See that DuckDB can keep files in the folder ``root``.

    Raises:
        UnusableFolder: its path holds a question mark: what follows it is an option to DuckDB, not a name.
    """
    if "?" in str(root.absolute()):
        raise UnusableFolder(
            f"{root} cannot hold a study: there is a '?' in its path.",
            "DuckDB takes what follows it for an option. Choose or rename a folder without '?'.",
        )


def _as_of(path: Path, value: object) -> datetime | None:
    if value is None or value == "":
        return None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise BadSettings(
            f"as_of in {path} is no date-time with an offset.",
            "Write it like '2026-03-01T00:00:00+01:00' in quotes, or leave it empty.",
        )
    return moment.astimezone(UTC)


def _one_history(path: Path, value: object) -> tuple[HistoryDecision, ...]:
    entries = [] if value is None else value
    fault = BadSettings(
        f"one_history in {path} is no list of decisions about participant codes.",
        f'Write each like \'- {{codes: ["P007", "P008"], decision: {DECISIONS[0]}}}\', with every code in quotes.',
    )
    if not isinstance(entries, list):
        raise fault
    decisions = []
    for entry in entries:
        if not isinstance(entry, dict) or set(entry) != {"codes", "decision"} or entry["decision"] not in DECISIONS:
            raise fault
        codes = entry["codes"]
        # YAML takes 007 for the number 7.
        if (
            not isinstance(codes, list)
            or not codes
            or not all(isinstance(code, str) and is_code(code) for code in codes)
        ):
            raise fault
        decisions.append(HistoryDecision(tuple(dict.fromkeys(codes)), entry["decision"]))
    return tuple(decisions)
