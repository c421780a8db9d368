"""Which features of music the report asks about: seeds name what is known; how much is known differs from study to study."""

from __future__ import annotations

from dataclasses import dataclass

from consonance.report.reading import Marts

# Measurements of the same side of music, by different means; docs/numbers.md says why they are not one thing.
# The first that is known for at least half as many plays as the best known one is asked about first.
FAMILIES = {
    "valence": ("valence", "valence_tags", "valence_lyrics_audio", "mood_happy"),
    "arousal": ("energy", "arousal_tags", "arousal_lyrics_audio", "mood_aggressive"),
}


@dataclass(frozen=True)
class Choice:
    """The features of one family that have values, the one to ask about first.

    Attributes:
        family: ``valence`` or ``arousal``.
        features: Their names.
    """

    family: str
    features: tuple[str, ...]

    @property
    def main(self) -> str | None:
        return self.features[0] if self.features else None


def choose(marts: Marts) -> dict[str, Choice]:
    """The features of each family, by how much music has a value. Outcomes have no part in the choice."""
    known = {
        feature: int(plays)
        for feature, plays in marts.connection.execute(
            "select feature, sum(plays) from marts.feature_coverage where grouped_by = 'all' and feature_source <> 'none' group by feature"
        ).fetchall()
    }
    choices = {}
    for family, features in FAMILIES.items():
        found = [feature for feature in features if known.get(feature)]
        most = max((known[feature] for feature in found), default=0)
        main = next((feature for feature in found if 2 * known[feature] >= most), None)
        choices[family] = Choice(family, tuple(sorted(found, key=lambda feature: feature != main)))
    return choices
