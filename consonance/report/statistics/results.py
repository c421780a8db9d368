"""What the computations of the report return: frozen values, without any text of the page.

Every computation returns its result, or ``NoResult`` with a reason: an odd study is no exception. Units: the outcome's
and the predictor's own, unless a name says ``standardised`` (standard deviations). Intervals are 95 % intervals.
``docs/statistics.md`` says which model, which interval and which correction, and why.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Direction = Literal["music_to_report", "report_to_music"]
Level = Literal["within", "between"]
Centring = Literal["person_mean", "person_trend", "grand_mean"]
Reason = Literal["no_rows", "too_few_persons", "too_few_reports", "no_variation", "not_converged"]
Correction = Literal["holm", "benjamini_hochberg"]


@dataclass(frozen=True)
class NoResult:
    """Why something could not be computed.

    Attributes:
        reason: A word for programs.
        explanation: A sentence for the page, without any participant's value.
        reports, persons: How many rows and persons could be used.
    """

    reason: Reason
    explanation: str
    reports: int = 0
    persons: int = 0


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval; the ends are ``None`` where none could be had."""

    value: float
    low: float | None
    high: float | None

    @property
    def excludes_zero(self) -> bool:
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


@dataclass(frozen=True)
class Question:
    """What is asked of the windows, see ``association.associate``.

    Attributes:
        direction: ``music_to_report``: does music in a window before the report go with what is reported?
            ``report_to_music``: does what is reported go with the music in the window after it?
        outcome: Column that is explained: of the report, or (``report_to_music``) of the window after.
        predictor: Column that explains: of the window before, or (``report_to_music``) of the report.
        window: The ``emotion_window`` of the music: ``before_60m``, or (``report_to_music``) ``after_60m``. For
            ``report_to_music`` the music before is that of the window of equal length, ``before_60m``.
        minimum_plays: Windows where ``plays_column`` counts fewer are left out, as are those without a value.
        control_time: Whether hour of day and weekend are held constant.
        control_previous: Whether the earlier value of the outcome is: the previous report of the same instrument,
            or (``report_to_music``) the music before the report.
    """

    direction: Direction
    outcome: str
    predictor: str
    window: str
    minimum_plays: int = 1
    control_time: bool = True
    control_previous: bool = True
    plays_column: str = "plays_with_features"


@dataclass(frozen=True)
class Effect:
    """A slope: by how much the outcome differs if the predictor differs by 1.

    Attributes:
        level: ``within``: a person's moments compared with the same person's others. ``between``: persons compared.
        estimate, standard_error, low, high: Outcome units per unit of the predictor.
        df: Degrees of freedom of the t distribution that interval and p value are made with.
        p: Two-sided p value of no effect.
        p_adjusted, correction, tests: After correction for ``tests`` tests; ``None`` before (``multiple_tests.correct``).
        predictor_sd: ``within``: standard deviation of the predictor around each person's mean. ``between``: of the
            persons' means.
        outcome_sd: The same of the outcome.
    """

    level: Level
    estimate: float
    standard_error: float
    df: float
    low: float
    high: float
    p: float
    predictor_sd: float
    outcome_sd: float
    p_adjusted: float | None = None
    correction: Correction | None = None
    tests: int | None = None

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval (not corrected) excludes no effect."""
        return self.low > 0 or self.high < 0

    @property
    def per_sd(self) -> Interval:
        """The difference of the outcome, in its own units, for one standard deviation of the predictor."""
        sd = self.predictor_sd
        return Interval(self.estimate * sd, self.low * sd, self.high * sd)

    @property
    def standardised(self) -> Interval:
        """Standard deviations of the outcome for one standard deviation of the predictor."""
        sd = self.predictor_sd / self.outcome_sd
        return Interval(self.estimate * sd, self.low * sd, self.high * sd)

    def corrected(self, p_adjusted: float, correction: Correction, tests: int) -> Effect:
        return replace(self, p_adjusted=p_adjusted, correction=correction, tests=tests)


@dataclass(frozen=True)
class Association:
    """One question answered by a linear mixed model.

    Attributes:
        question: What was asked.
        within: The effect within persons.
        between: The effect between persons, or why there is none (all persons alike, or too few).
        reports, persons: What the model was fitted to.
        random_slope: Whether each person has a slope of their own in the model.
        fallback: A sentence if the model with a slope of its own for each person could not be fitted; else ``None``.
        slope_sd: Standard deviation of the persons' slopes; ``None`` without random slope. 0 is possible.
        intercept_sd, residual_sd: Standard deviations of the persons' intercepts and of what is left.
        controls: Names of what was held constant: ``previous``, ``hour``, ``weekend``, ``instrument``.
        df_rule: The rule for degrees of freedom in words.
    """

    question: Question
    within: Effect
    between: Effect | NoResult
    reports: int
    persons: int
    random_slope: bool
    fallback: str | None
    slope_sd: float | None
    intercept_sd: float
    residual_sd: float
    controls: tuple[str, ...]
    df_rule: str


@dataclass(frozen=True)
class TimeControl:
    """The same association without and with control for hour of day and weekend, on the same reports."""

    without_control: Association | NoResult
    with_control: Association | NoResult

    @property
    def vanishes(self) -> bool | None:
        """Whether an association within persons is there without control, and none is found with it.

        ``None`` where one of the two could not be fitted. That a confounder explains an association shows in
        ``share_left`` too: "not found" alone might come of a wider interval.
        """
        if isinstance(self.without_control, NoResult) or isinstance(self.with_control, NoResult):
            return None
        return self.without_control.within.excludes_zero and not self.with_control.within.excludes_zero

    @property
    def share_left(self) -> float | None:
        """Estimate with control, divided by the one without; ``None`` where there is none."""
        if isinstance(self.without_control, NoResult) or isinstance(self.with_control, NoResult):
            return None
        without = self.without_control.within.estimate
        return self.with_control.within.estimate / without if without else None


@dataclass(frozen=True)
class Specification:
    """One way to compute the effect, and what came of it.

    Attributes:
        predictor, window, centring, minimum_plays, control_time: The choices.
        estimate: Standardised effect with its interval; ``None`` if it could not be computed.
        p: Two-sided p value.
        reports, persons: How many were used.
        no_result: Why there is none.
    """

    predictor: str
    window: str
    centring: Centring
    minimum_plays: int
    control_time: bool
    estimate: Interval | None
    p: float | None
    reports: int
    persons: int
    no_result: NoResult | None = None


@dataclass(frozen=True)
class SpecificationCurve:
    """All reasonable ways to compute one effect (Simonsohn and others 2020), in order of their estimates.

    ``specifications`` has those without an estimate last.
    """

    outcome: str
    direction: Direction
    specifications: tuple[Specification, ...]

    @property
    def estimated(self) -> tuple[Specification, ...]:
        return tuple(one for one in self.specifications if one.estimate is not None)

    @property
    def median(self) -> float | None:
        """Median of the estimates."""
        estimates = [one.estimate.value for one in self.estimated if one.estimate]
        middle = len(estimates) // 2
        if not estimates:
            return None
        return estimates[middle] if len(estimates) % 2 else (estimates[middle - 1] + estimates[middle]) / 2

    @property
    def share_positive(self) -> float | None:
        """Share of the estimates above zero."""
        signs = [one.estimate.value > 0 for one in self.estimated if one.estimate]
        return sum(signs) / len(signs) if signs else None

    @property
    def share_significant(self) -> float | None:
        """Share whose interval excludes zero on the side of the median."""
        if self.median is None:
            return None
        found = [
            one.estimate.excludes_zero and (one.estimate.value > 0) == (self.median > 0)
            for one in self.estimated
            if one.estimate
        ]
        return sum(found) / len(found)


ModelName = Literal["dummy", "person_mean", "previous_report", "elastic_net", "gradient_boosting"]
Inputs = Literal["none", "context", "music", "music_and_context"]


@dataclass(frozen=True)
class Score:
    """How well one model predicts reports of persons whom it has never seen. Intervals: bootstrap over persons.

    Attributes:
        model: ``dummy``: the mean of the training rows. ``person_mean``: the mean of the person's training rows; a
            person never seen has none, so that it is the mean of all: it equals the dummy, by construction.
            ``previous_report``: the person's previous report, unchanged (first reports: the dummy). ``elastic_net``
            and ``gradient_boosting``: fitted to ``inputs``.
        inputs: ``context``: hour of day, weekend, previous report. ``music``: the features of the window.
        r2: 1 − squared errors divided by squared deviations from the mean of all reports that were predicted.
        mae: Mean absolute error, in units of the outcome.
        mae_gain: The dummy's mean absolute error minus this one: above zero is better than the dummy.
        r: Correlation of prediction and report inside the outer folds; ``None`` if predictions do not vary.
        r_within: The same inside persons.
    """

    model: ModelName
    inputs: Inputs
    r2: Interval
    mae: Interval
    mae_gain: Interval
    r: Interval | None
    r_within: Interval | None


@dataclass(frozen=True)
class Prediction:
    """Prediction of one outcome under nested person-wise cross-validation.

    Attributes:
        outcome: Column that is predicted.
        window: The ``emotion_window`` of the music.
        scores: One for each model and inputs, the dummy first.
        reports, persons, folds: What was predicted; persons of an outer fold are in no other.
        features: The columns of music that were used.
        bootstrap_samples: How many samples of persons the intervals come from.
    """

    outcome: str
    window: str
    scores: tuple[Score, ...]
    reports: int
    persons: int
    folds: int
    features: tuple[str, ...]
    bootstrap_samples: int

    @property
    def dummy(self) -> Score:
        return next(score for score in self.scores if score.model == "dummy")


@dataclass(frozen=True)
class SmallestEffect:
    """The smallest effect that a sample like this one finds with the given power.

    Attributes:
        level: ``within`` or ``between``.
        effect: Outcome units per unit of the predictor.
        per_sd: Outcome units for one standard deviation of the predictor.
        standardised: Standard deviations per standard deviation.
        power: 0.8 unless asked otherwise.
        alpha: Level of the two-sided test, 0.05.
    """

    level: Level
    effect: float
    per_sd: float
    standardised: float
    power: float
    alpha: float


@dataclass(frozen=True)
class Difference:
    """How persons who stayed differ from those who were lost in one respect.

    Attributes:
        characteristic: The column.
        category: The value, for a share; ``None`` for a mean.
        kept, lost: Mean, or share from 0 to 1; ``None`` if suppressed or unknown.
        standardised: Standardised difference, kept minus lost; ``None`` if suppressed, unknown, or all are alike.
        suppressed: Whether figures are left out because they stand for few persons.
    """

    characteristic: str
    category: str | None
    kept: float | None
    lost: float | None
    standardised: float | None
    suppressed: bool


@dataclass(frozen=True)
class AttritionStep:
    """From one step of taking part to a later one.

    No figure stands for 1 to ``small_group_persons`` persons. A step that would lose so few is taken together with
    the next one: its ``kept`` is ``None``, and the next step starts ``from_step`` of the last that is shown.

    Attributes:
        step: Name of the step that is reached, such as ``donated``.
        from_step: The step before it that is shown.
        before, kept, lost: Numbers of persons; ``None`` if suppressed.
        suppressed: Whether the numbers are left out.
        differences: Kept against lost.
    """

    step: str
    from_step: str
    before: int | None
    kept: int | None
    lost: int | None
    suppressed: bool
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Attrition:
    """Who was lost on the way. ``first_step`` and ``persons``: who began (``None`` if suppressed)."""

    first_step: str
    persons: int | None
    steps: tuple[AttritionStep, ...]
    small_group: int


@dataclass(frozen=True)
class AnswersByMood:
    """Whether prompts are answered less often in bad mood, within persons.

    Attributes:
        reported: The column of the mood.
        mood_from: ``same_day``: the mood at a prompt is the mean of the person's other reports of that day.
            ``previous_report``: it is the report before, in a study with one prompt a day.
        effect: Change of the chance (0 to 1) that a prompt is answered, per unit of the mood. An interval above zero:
            fewer answers in bad mood; below zero: fewer in good mood.
        share_answered: Of the prompts for which the mood is known in this way.
        prompts, persons: How many those are.
    """

    reported: str
    mood_from: Literal["same_day", "previous_report"]
    effect: Effect
    share_answered: float
    prompts: int
    persons: int

    @property
    def warns(self) -> bool:
        """Whether reports are missing depending on mood: what is found holds for the answered prompts."""
        return self.effect.excludes_zero


@dataclass(frozen=True)
class FlagDifference:
    """How a person's flagged rows (plays that have a value, reports with music) differ from the person's others.

    Attributes:
        characteristic: The column compared.
        flagged, others: Means over all rows.
        within: Mean over persons of the person's own difference, flagged minus others, with its interval (persons are
            counted alike, those with both kinds of rows).
        standardised: ``within`` divided by the standard deviation of the rows around each person's mean.
        p: Two-sided p value of no difference.
        p_adjusted: After Holm's correction for all characteristics compared together.
        rows, persons: How many were compared.
    """

    characteristic: str
    flagged: float
    others: float
    within: Interval
    standardised: float
    p: float
    p_adjusted: float
    rows: int
    persons: int

    @property
    def warns(self) -> bool:
        """Whether values are missing depending on this characteristic: p ≤ 0.05 corrected, and at least 0.1 SD."""
        return self.p_adjusted <= 0.05 and abs(self.standardised) >= 0.1
