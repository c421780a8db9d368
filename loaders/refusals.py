"""What a donation, or one file of it, is refused for: named by one word, with the remedy."""

from __future__ import annotations

from consonance.study.errors import ConsonanceError


class DonationRefused(ConsonanceError):
    """The donation as a whole is not taken; ``reason`` is the short name of why."""

    def __init__(self, reason: str, what: str, remedy: str) -> None:
        super().__init__(what, remedy)
        self.reason = reason


class MemberBroken(ConsonanceError):
    """One member of a donation cannot be used; ``reason`` is the short name of why."""

    def __init__(self, reason: str, what: str, remedy: str) -> None:
        super().__init__(what, remedy)
        self.reason = reason


ASK_AGAIN = "Ask the participant for the zip as Spotify delivered it."
DOWNLOAD_AGAIN = "Ask the participant to download it again from Spotify and to send that file."
