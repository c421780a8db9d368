"""The rules by which the report makes its sentences: every sentence that claims something is written from an interval.

The interval excludes 0: direction, size and interval. It includes 0: "no evidence", and which sizes remain possible.
There is none: why. A sentence holds no number that was not computed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from consonance.report.statistics.results import Effect, Interval, NoResult

MINUS, UNBROKEN = "−", "\u00a0"
ALPHA = 0.05


class Verdict(StrEnum):
    """What an interval says."""

    FOUND = "found"
    NO_EVIDENCE = "no evidence"
    EXPLAINED = "explained"
    NOT_COMPUTED = "not computed"


@dataclass(frozen=True)
class Sentence:
    """A sentence, and the verdict that it puts into words."""

    text: str
    verdict: Verdict


@dataclass(frozen=True)
class Evidence:
    """What a sentence is written from.

    Attributes:
        interval: The estimate with its 95 % interval, or why there is none.
        p_adjusted: p value after the correction for ``tests`` tests, if there were several.
        tests: How many.
    """

    interval: Interval | NoResult
    p_adjusted: float | None = None
    tests: int | None = None

    @classmethod
    def of_effect(cls, effect: Effect | NoResult) -> Evidence:
        """The difference of the outcome for one standard deviation of the predictor."""
        if isinstance(effect, NoResult):
            return cls(effect)
        return cls(effect.per_sd, effect.p_adjusted, effect.tests)

    @property
    def verdict(self) -> Verdict:
        """Found only if it still is after the correction, where there is one."""
        if isinstance(self.interval, NoResult) or not _is_whole(self.interval):
            return Verdict.NOT_COMPUTED
        is_lost = self.p_adjusted is not None and not self.p_adjusted <= ALPHA
        return Verdict.FOUND if self.interval.excludes_zero and not is_lost else Verdict.NO_EVIDENCE


def differs(what: str, when: str, unit: str, evidence: Evidence) -> Sentence:
    """Whether ``what`` is higher or lower ``when``.

    Args:
        what: The outcome: "reported valence".
        when: What it is compared with: "after music of higher valence than usual".
        unit: Of the estimate: "points per standard deviation of the music".
        evidence: To write from.
    """
    interval = evidence.interval
    if isinstance(interval, NoResult) or evidence.verdict is Verdict.NOT_COMPUTED:
        return not_computed(f"whether {what} differs {when}", interval)
    if evidence.verdict is Verdict.FOUND:
        direction = "higher" if interval.value > 0 else "lower"
        size = number(abs(interval.value))
        text = f"{_capital(what)} is {direction} {when}: by {size} {unit} ({_known(interval, evidence)})."
        return Sentence(text, Verdict.FOUND)
    return _no_evidence(f"{what} differs {when}", unit, interval, evidence)


def predicts_better(model: str, baseline: str, unit: str, evidence: Evidence) -> Sentence:
    """Whether a model predicts better than a baseline; the interval is of the gain, above 0 is better."""
    interval = evidence.interval
    if isinstance(interval, NoResult) or evidence.verdict is Verdict.NOT_COMPUTED:
        return not_computed(f"whether {model} predicts better than {baseline}", interval)
    if evidence.verdict is Verdict.FOUND:
        direction = "better" if interval.value > 0 else "worse"
        size = number(abs(interval.value))
        text = (
            f"{_capital(model)} predicts {direction} than {baseline}: by {size} {unit} ({_known(interval, evidence)})."
        )
        return Sentence(text, Verdict.FOUND)
    return _no_evidence(f"{model} predicts better than {baseline}", unit, interval, evidence)


def warns(above: str, below: str, unit: str, consequence: str, evidence: Evidence) -> Sentence:
    """A warning, if the interval excludes 0: ``above`` or ``below`` says what is then the case.

    Args:
        above, below: Clauses: "prompts are answered less often in a bad mood".
        unit: Of the estimate.
        consequence: A sentence: what that does to the results.
        evidence: To write from.
    """
    interval = evidence.interval
    if isinstance(interval, NoResult) or evidence.verdict is Verdict.NOT_COMPUTED:
        return not_computed(f"whether {above}", interval)
    if evidence.verdict is Verdict.FOUND:
        fact = above if interval.value > 0 else below
        text = (
            f"{_capital(fact)}: by {number(abs(interval.value))} {unit} ({_known(interval, evidence)}). {consequence}"
        )
        return Sentence(text, Verdict.FOUND)
    return _no_evidence(above, unit, interval, evidence)


def explained_by(what: str, control: str, without: Interval, held: Evidence) -> tuple[Sentence, ...]:
    """What control for ``control`` does to an association whose interval excludes 0 without it.

    Nothing, if there is no such association, or if it is lost to the correction alone: that is said of the effect itself.

    Args:
        what: The association, with its article.
        control: What is held constant: "the time of day".
        without: The estimate without control.
        held: With it, corrected like every claim.
    """
    interval = held.interval
    if isinstance(interval, NoResult) or held.verdict is Verdict.NOT_COMPUTED:
        return ()
    if Evidence(without).verdict is not Verdict.FOUND:
        return ()
    sizes = f"{number(without.value)} without control ({span(without)}), {number(interval.value)} with it ({span(interval)})"
    if held.verdict is Verdict.FOUND:
        return (Sentence(f"{_capital(what)} stays with control for {control}: {sizes}.", Verdict.FOUND),)
    if interval.excludes_zero:
        return ()
    text = (
        f"The interval of {what} excludes 0 without control for {control} and includes it with control: {sizes}. "
        f"{_capital(control)} can explain it."
    )
    return (Sentence(text, Verdict.EXPLAINED),)


def not_computed(what: str, interval: Interval | NoResult) -> Sentence:
    """That ``what`` was not computed, and why."""
    why = interval.explanation if isinstance(interval, NoResult) else "The estimate has no interval."
    return Sentence(f"{_capital(what)} was not computed. {why}", Verdict.NOT_COMPUTED)


def span(interval: Interval) -> str:
    """An interval in words: ``95 % interval −0.02 to 0.10``."""
    return f"95{UNBROKEN}% interval {number(interval.low)} to {number(interval.high)}"


def number(value: float | None) -> str:
    """A number as the page prints it: two decimals, or two digits that count if it is smaller."""
    if value is None or not math.isfinite(value):
        return "–"
    if abs(value) >= 100:
        text = f"{value:,.0f}"
    elif abs(value) >= 0.1 or abs(value) < 5e-7:
        text = f"{abs(value) if value == 0 else value:.2f}"
    else:
        text = f"{value:.{min(6, 1 - math.floor(math.log10(abs(value))))}f}"
    return text.replace("-", MINUS)


def probability(value: float | None) -> str:
    """A p value: three decimals, or that it is smaller."""
    if value is None or not math.isfinite(value):
        return "–"
    return "below 0.001" if value < 0.001 else f"{value:.3f}"


def percent(share: float) -> str:
    """A share as a percentage; with one decimal where it is small."""
    digits = 0 if share == 0 or abs(share) >= 0.1 else 1
    return f"{100 * share:.{digits}f}{UNBROKEN}%"


def counted(count: int, one: str, many: str | None = None) -> str:
    """``1 person``, ``2 persons``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(words: Sequence[str]) -> str:
    """``a, b and c``."""
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def _no_evidence(what: str, unit: str, interval: Interval, evidence: Evidence) -> Sentence:
    if interval.excludes_zero:
        text = (
            f"There is no evidence that {what}: the interval of this one test ({span(interval)} {unit}) excludes "
            f"0, but the result does not survive the correction for {evidence.tests} tests "
            f"(corrected p = {probability(evidence.p_adjusted)})."
        )
    else:
        low, high = number(interval.low), number(interval.high)
        text = (
            f"There is no evidence that {what}. The 95{UNBROKEN}% interval includes 0: effects from {low} to {high} {unit} "
            "remain possible."
        )
    return Sentence(text, Verdict.NO_EVIDENCE)


def _known(interval: Interval, evidence: Evidence) -> str:
    """The interval of a finding, with its corrected p value."""
    corrected = ""
    if evidence.p_adjusted is not None:
        p = probability(evidence.p_adjusted)
        corrected = f"; p {p if p.startswith('below') else '= ' + p} after the correction for {evidence.tests} tests"
    return span(interval) + corrected


def _is_whole(interval: Interval) -> bool:
    return all(one is not None and math.isfinite(one) for one in (interval.value, interval.low, interval.high))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
