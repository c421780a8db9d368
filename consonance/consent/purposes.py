"""What people read of each purpose. Which purposes there are, ``macros/consent.sql`` says."""

from __future__ import annotations

from typing import NamedTuple

from consonance.consent.state import PURPOSES


class Description(NamedTuple):
    """A purpose in words.

    Attributes:
        meaning: What the participant agrees to.
        data: Which data it is about.
        heading: Of its column in a narrow table.
    """

    meaning: str
    data: str
    heading: str


_DESCRIPTIONS = {
    "listening_history": Description(
        "Study what you listened to and when", "plays of music: track, time, length, device family", "listen."
    ),
    "podcasts_audiobooks": Description("Include podcasts and audiobooks", "plays of episodes and chapters", "podc."),
    "private_sessions": Description(
        "Include what you listened to in private sessions", "plays marked as private", "priv."
    ),
    "demographics": Description(
        "Use your age group, gender and country", "age in bands of ten years, gender, country", "demo."
    ),
    "emotion_reports": Description(
        "Use your questionnaires about feelings", "numeric answers and their times; no free text", "emot."
    ),
    "library": Description(
        "Use what you saved", "saved tracks and tracks of playlists; no names of playlists", "library"
    ),
    "ml_training": Description("Train models with your data", "what you consented to above", "ml"),
    "sharing_controlled": Description(
        "Give pseudonymous rows to named researchers", "what you consented to above", "contr."
    ),
    "sharing_public": Description("Count you in published totals", "totals of more than 20 people", "public"),
}
# In the order of PURPOSES. A purpose without a description stops the program here.
DESCRIPTIONS = {purpose: _DESCRIPTIONS[purpose] for purpose in PURPOSES}
