"""What is missing not at random: prompts after bad moods, music without values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from small_studies import Planted, small_study

from consonance.report.statistics.missingness import answers_by_mood, compare_flagged
from consonance.report.statistics.results import AnswersByMood, FlagDifference, NoResult


def test_fewer_answers_in_bad_mood_are_found() -> None:
    found = answers_by_mood(small_study(40, 2, Planted(moody_answers=0.25))[1])
    assert isinstance(found, AnswersByMood) and found.warns
    assert found.effect.low <= 0.25 <= found.effect.high
    none = answers_by_mood(small_study(40, 2)[1])
    assert isinstance(none, AnswersByMood) and not none.warns and 0 < none.share_answered < 1


def test_a_study_in_which_every_prompt_is_answered_says_nothing() -> None:
    prompts = small_study(6, 1)[1]
    assert reason(answers_by_mood(prompts[prompts["status"] == "answered"])) == "no_variation"
    assert reason(answers_by_mood(prompts.iloc[:0])) == "no_rows"
    assert reason(answers_by_mood(prompts.assign(valence=np.nan))) == "no_rows"
    assert reason(answers_by_mood(prompts[prompts["participant_id"] < "p003"])) == "too_few_persons"


def test_flagged_rows_are_compared_within_persons() -> None:
    """Persons who differ in level and in the share of flagged rows do not make a difference."""
    random = np.random.default_rng(8)
    person = np.repeat(np.arange(30), 40)
    flagged = random.random(1200) < (0.2 + 0.02 * person)
    rows = pd.DataFrame(
        {
            "participant_id": person,
            "has_value": flagged,
            "skipped": random.random(1200) < np.where(flagged, 0.2, 0.5),
            "minutes": person + random.normal(size=1200),
            "nothing": 1.0,
        }
    )
    skipped, minutes, nothing = compare_flagged(rows, "has_value", ["skipped", "minutes", "nothing"])
    assert (
        isinstance(skipped, FlagDifference) and skipped.warns and skipped.within.value == pytest.approx(-0.3, abs=0.06)
    )
    assert isinstance(minutes, FlagDifference) and not minutes.warns and minutes.flagged - minutes.others > 2
    assert reason(nothing) == "no_variation"
    shuffled = compare_flagged(rows.sample(frac=1, random_state=1), "has_value", ["skipped"])[0]
    assert isinstance(shuffled, FlagDifference) and shuffled.within.value == pytest.approx(skipped.within.value)
    assert reason(compare_flagged(rows.iloc[:0], "has_value", ["skipped"])[0]) == "no_rows"
    assert reason(compare_flagged(rows[rows["participant_id"] < 3], "has_value", ["skipped"])[0]) == "too_few_persons"
    assert reason(compare_flagged(rows.assign(has_value=True), "has_value", ["skipped"])[0]) == "no_rows"


def reason(found: object) -> str:
    assert isinstance(found, NoResult)
    return found.reason
