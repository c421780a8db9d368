"""The questions that the report asks of music and mood, decided before anything is computed.

A question is asked if its outcome was reported and its feature is known. Which feature is asked about first is decided
by how much music has a value (``features``), never by what comes out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from consonance.report.features import Choice
from consonance.report.statistics.results import Question

WINDOW_MINUTES = 60
# The outcome of a report, the family of features that it is asked with, how the page calls it, and its unit.
OUTCOMES = {
    "reported_valence": ("valence", "reported valence", "points on the scale from −1 to 1"),
    "reported_arousal": ("arousal", "reported arousal", "points on the scale from −1 to 1"),
    "reported_positive_affect": ("valence", "positive affect", "points of the questionnaire"),
    "reported_negative_affect": ("valence", "negative affect", "points of the questionnaire"),
}
FEATURES = {
    "valence": "valence", "valence_tags": "valence (from tags)", "valence_lyrics_audio": "valence (from lyrics and audio)",
    "mood_happy": "probability to be happy", "energy": "energy", "arousal_tags": "arousal (from tags)",
    "arousal_lyrics_audio": "arousal (from lyrics and audio)", "mood_aggressive": "probability to be aggressive",
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A question in both directions, and its words.

    Attributes:
        outcome: Column of the report.
        feature: Of music.
        outcome_name, feature_name, unit: How the page calls them.
        before, after: Does music go with what is reported after it; does what is reported go with the music after it?
    """

    outcome: str
    feature: str
    outcome_name: str
    feature_name: str
    unit: str
    before: Question
    after: Question


def questions(windows: pd.DataFrame, choices: dict[str, Choice]) -> tuple[Asked, ...]:
    """The questions that these windows can be asked."""
    asked = []
    for outcome, (family, name, unit) in OUTCOMES.items():
        feature = choices[family].main
        if feature is not None and windows[outcome].notna().any():
            before = Question(
                "music_to_report",
                outcome,
                f"music_{feature}",
                f"before_{WINDOW_MINUTES}m",
                plays_column=f"plays_with_{feature}",
            )
            after = replace(
                before,
                direction="report_to_music",
                outcome=before.predictor,
                predictor=outcome,
                window=f"after_{WINDOW_MINUTES}m",
            )
            asked.append(Asked(outcome, feature, name, FEATURES[feature], unit, before, after))
    return tuple(asked)
