"""Prompts, from the file of m-Path to the mart: status, times and delay, the report that answers a prompt."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import survey_files
from conftest import SmallStudy, lay_out_small, play
from survey_files import Beep, moment

MAP = """
files: "*.csv"
format: m-path
participant: alias
moments: {prompted: timeStampSent, opened: timeStampStart, answered: timeStampStop, written_as: unix_seconds, clock: {column: timeZoneOffset}}
items: {v: vas.valence, a: vas.arousal, s: sam.valence}
"""
ANSWERS = {"v": "70", "a": "35", "s": "7"}
NIGHT = moment("2025-10-26T00:30:00")  # 02:30 in Berlin, half an hour before clocks are set back


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> SmallStudy:
    """P1 answers and does not; P2 has prompts alone; P3 does not grant emotion reports. Two exports, one repeats the other."""
    made = lay_out_small(tmp_path_factory.mktemp("prompts") / "study")
    for code in ("P1", "P2"):
        made.admit(code)
    made.admit("P3", purposes="listening_history")
    made.donate("P1", [play()])
    beeps = [
        Beep("P1", moment("2025-05-01T10:00:00"), answers=ANSWERS),
        Beep("P1", NIGHT, opened_after=1800, answered_after=3600, answers=ANSWERS),
        Beep("P1", moment("2025-05-02T10:00:00"), opened_after=None, answered_after=None),
        Beep("P2", moment("2025-05-02T10:00:00"), opened_after=None, answered_after=None),
        Beep("P3", moment("2025-05-02T10:00:00"), answers=ANSWERS),
    ]
    # When the first export was made, this prompt was not answered yet.
    earlier = [Beep("P1", moment("2025-05-01T10:00:00"), opened_after=None, answered_after=None)]
    made.study.survey_maps.mkdir(parents=True)
    (made.study.survey_maps / "mpath.yml").write_text(MAP)
    (made.study.surveys / "2025-05.csv").write_text(
        survey_files.mpath([earlier[0], Beep("P9", NIGHT, answers=ANSWERS)])
    )
    (made.study.surveys / "2025-11.csv").write_text(survey_files.mpath(beeps))
    made.load()
    made.dbt("run", "--select", "+emotion_prompts", "+emotion_reports")
    return made


def local(study: SmallStudy, code: str, text: str) -> datetime:
    """A local time of a participant as the warehouse shows it."""
    ((weeks,),) = study.vault(f"select shift_weeks from vault.raw.keyring where participant_code = '{code}'")
    return datetime.fromisoformat(text) + timedelta(weeks=weeks)


def prompts(study: SmallStudy, code: str, columns: str) -> list[tuple[object, ...]]:
    ((pseudonym,),) = study.vault(f"select pseudonym from vault.raw.keyring where participant_code = '{code}'")
    return study.warehouse(
        f"select {columns} from marts.emotion_prompts where participant_id = '{pseudonym}' order by prompted_at_local"
    )


def test_each_prompt_counts_once_with_its_status_and_delay(study: SmallStudy) -> None:
    assert prompts(study, "P1", "status, delay_ms, report_id is not null") == [
        ("answered", 90_000, True),
        ("unanswered", None, False),
        ("answered", 3_600_000, True),
    ]
    assert prompts(study, "P2", "status, delay_ms, opened_at_local, answered_at_local") == [
        ("unanswered", None, None, None)
    ]
    assert prompts(study, "P3", "*") == []


def test_all_times_of_a_prompt_are_shown_by_the_clock_of_its_answer(study: SmallStudy) -> None:
    (*_, times) = prompts(study, "P1", "prompted_at_local, opened_at_local, answered_at_local")
    assert times == tuple(local(study, "P1", f"2025-10-26 {at}") for at in ("01:30", "02:00", "02:30"))
    assert prompts(study, "P1", "answered_at_local = (select reported_at_local from marts.emotion_reports as r where r.report_id = emotion_prompts.report_id)")[0] == (True,)  # fmt: skip


def test_of_several_instruments_the_first_by_name_answers_the_prompt(study: SmallStudy) -> None:
    assert study.warehouse(
        "select instrument, count(*) from marts.emotion_prompts inner join marts.emotion_reports using (report_id) group by all"
    ) == [("sam", 2)]
