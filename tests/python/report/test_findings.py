"""The report finds in the synthetic study what was planted there, and nothing that was not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import SmallStudy

from consonance.report.features import choose
from consonance.report.questions import questions
from consonance.report.reading import Marts, of_study, opened
from consonance.report.sections.association import Answered, answer
from consonance.report.sections.compliance import in_bad_mood
from consonance.report.sections.coverage import coverage_and_its_bias
from consonance.report.sentences import Verdict
from consonance.report.statistics.results import Association, Effect, NoResult
from consonance.study.folder import Study
from consonance.synthetic import planted
from consonance.synthetic.study import make_study


@pytest.fixture(scope="module")
def marts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marts]:
    """Of a synthetic study as large as it must be to find all that is planted in it: that of most tests is too small."""
    root = tmp_path_factory.mktemp("findings") / "study"
    make_study(root, seed=1, people=32, plays=180_000, plain=True)
    made = SmallStudy(Study.find(root))
    made.load()
    made.dbt("run")
    with opened(of_study(made.study)) as opened_marts:
        yield opened_marts


@pytest.fixture(scope="module")
def answers(marts: Marts) -> dict[str, Answered]:
    windows = marts.rows("windows").frame
    found = answer(windows, questions(windows, choose(marts)), lambda _: None)
    return {one.asked.outcome: one for one in found}


def fitted(result: Association | NoResult) -> Association:
    assert isinstance(result, Association), result
    return result


def holds(effect: Effect | NoResult, truth: float) -> bool:
    assert isinstance(effect, Effect), effect
    return effect.low <= truth <= effect.high


def test_mood_follows_the_valence_of_music_within_persons_and_not_between(answers: dict[str, Answered]) -> None:
    valence = answers["reported_valence"]
    before = fitted(valence.before)
    assert before.within.excludes_zero and (before.within.p_adjusted or 0) <= 0.05
    assert holds(before.within, planted.VALENCE_WITHIN)
    assert holds(before.between, planted.VALENCE_BETWEEN)
    # Few of these people go on listening within the hour after a report.
    assert isinstance(valence.after, NoResult) or holds(valence.after.within, planted.NEXT_MUSIC_BY_MOOD)


def test_arousal_and_energy_go_together_only_without_control_for_the_hour(answers: dict[str, Answered]) -> None:
    arousal = answers["reported_arousal"]
    assert holds(fitted(arousal.before).within, planted.AROUSAL_BY_ENERGY)
    assert not holds(fitted(arousal.time.without_control).within, planted.AROUSAL_BY_ENERGY)
    assert arousal.time.vanishes


def test_the_page_warns_of_what_is_missing_not_at_random(marts: Marts) -> None:
    assert planted.KNOWN_BY_RARITY < 0 < planted.ANSWERED_BY_VALENCE
    warnings = coverage_and_its_bias(marts).warnings
    (rarity,) = (one for one in warnings if "of more popular tracks" in one.text)
    mood = in_bad_mood(marts)
    assert rarity.verdict is mood.verdict is Verdict.FOUND
    assert "answered less often in a worse mood" in mood.text
