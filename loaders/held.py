"""Donations that are not read: why they are held, and what the operator can do."""

from __future__ import annotations

from consonance.study.codes import is_code
from consonance.study.folder import Study
from loaders.inbox import Donation
from loaders.load_report import DonationReport

HELD_ADVICE = {
    "no_code": "Give the folder the participant's code as its name, as in participants.csv.",
    "not_enrolled": "Enrol the participant in participants.csv, or move the donation away.",
    "no_consent": "Enter the participant's consent into consents.csv, or return the donation.",
    "withdrawn": "The participant has withdrawn. Run 'consonance withdraw': it erases the data that the study has of them.",
    "erased": "The participant withdrew and was erased: delete the donation.",
    "purpose_not_granted": "The consent does not cover listening_history: return the donation.",
    "not_in_a_folder": "Move it into inbox/<participant_code>/. If a donation tool made it, unpack it: docs/donations.md.",
}
# Of files of donation tools.
TOOL_ADVICE = {
    "not_in_a_folder": "The donation tool does not say whose it is: move it away.",
    "no_code": "Enter the id of the donation tool, and the participant's code, into donation_ids.csv.",
    "not_enrolled": "Enrol the participant in participants.csv; or, if the id of the donation tool is not the participant's"
    " code, enter both into donation_ids.csv.",
    "erased": "The participant withdrew and was erased: run 'consonance withdraw' with this code, or delete the donation.",
}


def why_held(code: str, held: dict[str, str | None]) -> str | None:
    """Why donations in the folder ``code`` of the inbox are not read; ``None`` if they are. ``held``: see ``load_donations``."""
    if code == "":
        return "not_in_a_folder"
    return held.get(code, "not_enrolled") if is_code(code) else "no_code"


def not_read(study: Study, donation: Donation, reason: str) -> DonationReport:
    """The report of a donation that is held for ``reason``, or of whose owner nobody knows."""
    code, file = donation.participant_code, study.within(donation.path)
    if broken := donation.broken:
        return DonationReport(code, file, "refused", broken.reason, f"{broken.what} {broken.remedy}")
    advice = HELD_ADVICE | TOOL_ADVICE if donation.shares else HELD_ADVICE
    return DonationReport(code, file, "held", reason, advice[reason])
