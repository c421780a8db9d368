"""The synthetic study from its files to the report: what is planted is found, and nothing else."""

from __future__ import annotations

import pytest
from conftest import SmallStudy

from consonance.report.features import choose
from consonance.report.questions import questions
from consonance.report.reading import of_study, opened
from consonance.report.section import Section
from consonance.report.sections.association import Answered, answer, music_and_mood
from consonance.report.sections.coverage import coverage_and_its_bias
from consonance.report.sections.mood import mood_over_the_day
from consonance.report.sentences import Verdict
from consonance.report.statistics.results import Association, Effect, NoResult
from consonance.synthetic import planted

Found = tuple[dict[str, Answered], Section, Section, Section]


@pytest.fixture(scope="module")
def found(demo: SmallStudy) -> Found:
    """The answers by outcome; the sections on the association, on coverage and on mood."""
    with opened(of_study(demo.study)) as marts:
        windows = marts.ask("windows")
        answers = answer(windows.frame, questions(windows.frame, choose(marts)), lambda _: None)
        association = music_and_mood(answers, windows.sql, "")
        return (
            {one.asked.outcome: one for one in answers},
            association,
            coverage_and_its_bias(marts),
            mood_over_the_day(marts),
        )


def within(result: object) -> Effect:
    assert isinstance(result, Association)
    assert isinstance(result.within, Effect)
    return result.within


def test_valence_follows_the_music_within_persons_by_what_was_planted(found: Found) -> None:
    answers, section, _, _ = found
    effect = within(answers["reported_valence"].before)
    assert 0 < effect.low < planted.VALENCE_WITHIN < effect.high
    (said,) = (one for one in section.findings if one.text.startswith("Reported valence is higher after music"))
    assert said.verdict is Verdict.FOUND
    # So small a study hardly has music in the hour after a report.
    after = answers["reported_valence"].after
    assert isinstance(after, NoResult) or within(after).low < planted.NEXT_MUSIC_BY_MOOD < within(after).high


def test_arousal_goes_with_energy_by_the_hour_alone(found: Found) -> None:
    answers, _, _, _ = found
    time = answers["reported_arousal"].time
    with_control, without = within(time.with_control), within(time.without_control)
    assert without.low > 0
    assert with_control.low < planted.AROUSAL_BY_ENERGY < with_control.high


def test_what_is_not_missing_at_random_is_warned_of(found: Found) -> None:
    _, _, coverage, mood = found
    assert any(
        "more popular tracks" in one.text and "missing not at random" in one.text and one.verdict is Verdict.FOUND
        for one in coverage.warnings
    )
    assert [one.verdict for one in mood.warnings if "answered less often in a worse mood" in one.text] == [
        Verdict.FOUND
    ]
