"""What the figures of the attacks should be in a release, and whether they are: ``consonance/release/thresholds.yml``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import yaml

from consonance.release.parameters import strict_enough
from consonance.study.dbt_command import PROJECT

FILE = "consonance/release/thresholds.yml"


@dataclass(frozen=True)
class Figure:
    """One row of ``audit.privacy_risk``.

    Attributes:
        attack: Which attack: unicity, membership, k, l, shift_recovery, clock_changes, dated_values.
        knowledge: What the attacker knows.
        points: How many points of a person are rightly known (shift_recovery: entries of the list);
            ``None`` where nothing is counted.
        wrong_points: How many wrong ones are known beside (shift_recovery: among the entries).
        persons: How many persons were attacked.
        persons_left_out: How many of those seen were not: too few points, no mood reported, or beyond
            the number of persons that shift_recovery attacks.
        samples: How many tries there were.
        measure: What ``value`` is.
        value: A share from 0 to 1, or for k and l a count; ``None`` if there was nobody to attack.
        low, high: 95 % interval of a share over the samples.
    """

    attack: str
    knowledge: str
    points: int | None
    wrong_points: int | None
    persons: int
    persons_left_out: int
    samples: int | None
    measure: str
    value: float | None
    low: float | None
    high: float | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Threshold:
    """What every figure of one measure should be: at least, or at most, so much."""

    name: str
    tier: str
    attack: str
    measure: str
    since: str
    reason: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def wanted(self) -> str:
        return f"at most {self.at_most:g}" if self.at_most is not None else f"at least {self.at_least:g}"

    def judge(self, figures: Iterable[Figure]) -> Verdict:
        """Compare the worst of the figures; what could not be measured has failed."""
        values = [figure.value for figure in figures if (figure.attack, figure.measure) == (self.attack, self.measure)]
        measured = [value for value in values if value is not None]
        if not measured:
            return Verdict(self, None, False)
        worst = max(measured) if self.at_most is not None else min(measured)
        passed = worst <= self.at_most if self.at_most is not None else worst >= (self.at_least or 0)
        return Verdict(self, worst, passed)


@dataclass(frozen=True)
class Verdict:
    """Whether a threshold is met; ``worst`` is the figure that decides, ``None`` if nothing was measured."""

    threshold: Threshold
    worst: float | None
    passed: bool

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self.threshold), "worst": self.worst, "passed": self.passed}


@cache
def all_thresholds() -> tuple[Threshold, ...]:
    """Every threshold of ``thresholds.yml``.

    Raises:
        ValueError: one has neither ``at_least`` nor ``at_most``, or both.
        WeakThreshold: see there.
    """
    thresholds = tuple(
        Threshold(**{**entry, "since": str(entry["since"]), "reason": entry["reason"].strip()})
        for entry in yaml.safe_load((PROJECT / FILE).read_text(encoding="utf-8"))
    )
    for threshold in thresholds:
        if (threshold.at_least is None) == (threshold.at_most is None):
            raise ValueError(f"{threshold.name!r} needs either at_least or at_most")
        strict_enough(threshold.measure, threshold.at_least or threshold.at_most or 0, FILE)
    return thresholds


def limit(measure: str) -> float:
    """The least that ``measure`` should be.

    Raises:
        KeyError: no threshold asks for a least of it.
    """
    for threshold in all_thresholds():
        if threshold.measure == measure and threshold.at_least is not None:
            return threshold.at_least
    raise KeyError(measure)
