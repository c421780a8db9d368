"""What an attacker knows beside the marts, and how often the attacks try."""

from __future__ import annotations

from dataclasses import dataclass

from consonance.study.errors import ConsonanceError


class BadKnowledge(ConsonanceError):
    """The parameters describe no attack."""


@dataclass(frozen=True)
class Knowledge:
    """What the attacker knows, and how often the attack is tried.

    Attributes:
        seed: Another seed draws other samples.
        samples: How many samples of each person's points; ``None``: 200, in studies of more than 50
            persons fewer, so that they are about 10,000 in all.
        wrong_points: How many wrong points are among those of a noisy sample.
        list_sizes: How many entries a scrobble list has; each list begins with the shorter one.
        wrong_share: Which share of the entries of a list names a wrong track.
        jitter_seconds: By how much the time of an entry may be wrong, either way.
        targets: How many persons' shifts are attacked at most.
    """

    seed: int = 1
    samples: int | None = None
    wrong_points: int = 2
    list_sizes: tuple[int, ...] = (10, 50, 200)
    wrong_share: float = 0.1
    jitter_seconds: int = 60
    targets: int = 100

    def __post_init__(self) -> None:
        if self.samples is not None and self.samples < 1:
            raise BadKnowledge("There are no samples to draw.", "Give --samples 1 or more.")
        # Masks of places are 31 bits wide; few draws of wrong points are made.
        if not 1 <= self.wrong_points <= 10 or not self.list_sizes or min(self.list_sizes) < 0:
            raise BadKnowledge(
                "The parameters of the attack are out of range.", "Use 1 to 10 wrong points, and one list or more."
            )
        if not 0 <= self.wrong_share <= 1 or not 0 <= self.jitter_seconds < 450:
            raise BadKnowledge(
                "The parameters of the scrobble lists are out of range.",
                "Use a share of 0 to 1, and less than 450 seconds.",
            )
