"""What a load did, as values: for the closing table, for ``--json``, for the exit status."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from consonance.study.feature_permissions import NotedPermission
from loaders.history_doubts import HistoryDoubt

ROWS = ("rows_in", "landed", "rejected", "rows_already")
Status = Literal["loaded", "already", "partly", "refused", "held"]


@dataclass(frozen=True)
class MemberReport:
    """One listening-history file of a donation. ``status`` is landed, repeated, already or broken.

    Rows are counted by the load that read them: ``rows_in = landed + rejected``, all 0 if the same file is
    elsewhere too (repeated) or was read before (already; then ``rows_already`` says how many it has, and
    ``reasons`` why some of them were rejected then).
    """

    member: str
    status: str
    kind: str | None = None
    rows_in: int = 0
    landed: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    reason: str | None = None
    rows_already: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "member": self.member,
            "status": self.status,
            "kind": self.kind,
            "rows_in": self.rows_in,
            "landed": self.landed,
            "rejected": self.rejected,
            "rows_already": self.rows_already,
            "reasons": self.reasons,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class DonationReport:
    """One donation: its status, the reason, and what the operator can do."""

    participant_code: str
    file: str
    status: Status
    reason: str | None = None
    advice: str | None = None
    members: tuple[MemberReport, ...] = ()
    unlisted_files: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether all of its rows are in the vault."""
        return self.status in ("loaded", "already") and all(
            member.status != "broken" and not member.reasons for member in self.members
        )

    def rows(self, what: str) -> int:
        return sum(getattr(member, what) for member in self.members)

    def as_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "status": self.status,
            "reason": self.reason,
            "advice": self.advice,
            "unlisted_files": self.unlisted_files,
            "members": [member.as_json() for member in self.members],
        }


@dataclass(frozen=True)
class FileReport:
    """One file of instruments, surveys or the catalogue.

    Attributes:
        file: Its name, within the study folder.
        rows_in, landed, rejected, reasons: Lines, and why some were not landed.
        not_read: Why nothing of the file was read; ``None`` if it was.
        doubts: What was landed, or left empty, and should be looked at: what it is, and how often.
        remarks: What was landed as it is and is worth a look; the file is whole all the same.
        prompts: Of a questionnaire file, its prompts by what became of them.
        decided: How its values were read, where a file of this kind may mean several things.
        advice: What an operator can do.
    """

    file: str
    rows_in: int = 0
    landed: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    not_read: str | None = None
    doubts: dict[str, int] = field(default_factory=dict)
    remarks: dict[str, int] = field(default_factory=dict)
    prompts: dict[str, int] = field(default_factory=dict)
    decided: list[str] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether all of its lines were landed, and nothing is doubtful."""
        return not (self.not_read or self.rejected or self.doubts)

    def as_json(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if key != "file"}


@dataclass(frozen=True)
class LoadReport:
    """One run of ``consonance load``.

    Attributes:
        closed: The parts of the study that others could read before.
        not_read_again: Participants who grant again what was erased, and whose donations are not all in the inbox.
    """

    donations: list[DonationReport]
    surveys: list[FileReport] = field(default_factory=list)
    catalogue: list[FileReport] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    history_doubts: list[HistoryDoubt] = field(default_factory=list)
    feature_permissions: list[NotedPermission] = field(default_factory=list)
    instruments: list[FileReport] = field(default_factory=list)
    not_read_again: list[str] = field(default_factory=list)

    @property
    def undecided(self) -> list[HistoryDoubt]:
        """The doubts about whose a history is that the operator has not decided."""
        return [doubt for doubt in self.history_doubts if not doubt.is_decided]

    @property
    def exit_status(self) -> int:
        """0 if everything is in the vault; 2 if something was rejected, refused, held, not read, or waits for a decision."""
        parts: list[DonationReport | FileReport] = [*self.donations, *self.instruments, *self.surveys, *self.catalogue]
        return 0 if all(part.is_whole for part in parts) and not self.undecided else 2

    def by_participant(self) -> dict[str, list[DonationReport]]:
        grouped: dict[str, list[DonationReport]] = {}
        for donation in self.donations:
            grouped.setdefault(donation.participant_code, []).append(donation)
        return grouped

    def as_json(self) -> dict[str, Any]:
        participants = {
            code: {
                "status": participant_status(donations),
                **{what: sum(donation.rows(what) for donation in donations) for what in ROWS},
                "donations": [donation.as_json() for donation in donations],
            }
            for code, donations in self.by_participant().items()
        }
        statuses = Counter[str](donation.status for donation in self.donations)
        return {
            "participants": participants,
            "instruments": {file.file: file.as_json() for file in self.instruments},
            "surveys": {file.file: file.as_json() for file in self.surveys},
            "catalogue": {file.file: file.as_json() for file in self.catalogue},
            "closed_to_others": self.closed,
            "not_read_again": self.not_read_again,
            "history_doubts": [doubt.as_json() for doubt in self.history_doubts],
            "feature_permissions": [permission.as_json() for permission in self.feature_permissions],
            "totals": {
                "participants": len(participants),
                "donations": len(self.donations),
                **{what: sum(entry[what] for entry in participants.values()) for what in ROWS},
                **{status: statuses[status] for status in ("loaded", "already", "partly", "refused", "held")},
            },
        }


def participant_status(donations: list[DonationReport]) -> Status:
    """One word for a person: the same for all donations, else ``partly`` if something is missing."""
    statuses = {donation.status for donation in donations}
    if len(statuses) == 1:
        return statuses.pop()
    return "partly" if statuses - {"loaded", "already"} else "loaded"
