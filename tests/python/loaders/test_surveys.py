"""Questionnaires as they come: each program's files, the cases met in practice, and damaged files."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import fsspec
import pytest
import survey_files
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from survey_files import Beep, moment

from consonance.erasure import study_files
from consonance.study.dbt_command import PROJECT
from consonance.study.folder import Study
from loaders.load_report import FileReport
from loaders.side_files import NotRead
from loaders.surveys.judging import judge_file, lay_out_instruments, lay_out_people
from loaders.surveys.loading import report_of
from loaders.surveys.maps import Maps, questionnaire_files
from loaders.surveys.proposal import NothingToMap, Proposal, propose
from loaders.surveys.survey_map import BadSurveyMap, read_map

PANAS = [line.split(",")[2] for line in (PROJECT / "seeds" / "instrument_items.csv").read_text().splitlines() if line.startswith("panas,")]  # fmt: skip
ZONES = {"P1": "Europe/Berlin", "P2": "Europe/Berlin", "N1": "America/New_York", "007": "Europe/Berlin"}


@dataclass
class Desk:
    """A study's folder of questionnaires, and a connection that reads it as a load does, without a vault."""

    study: Study
    connection: duckdb.DuckDBPyConnection

    def put(self, name: str, content: str | bytes, survey_map: str | dict[str, Any] | None = None) -> Path:
        path = self.study.surveys / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        if survey_map:
            self.study.survey_maps.mkdir(exist_ok=True)
            text = survey_map if isinstance(survey_map, str) else yaml.safe_dump({"files": name} | survey_map)
            (self.study.survey_maps / f"{path.stem}.yml").write_text(text, encoding="utf-8")
        return path

    def report(self, path: Path) -> FileReport:
        return report_of(
            self.connection, path.name, *judge_file(self.connection, self.study, path, Maps.of(self.study))
        )

    def propose(self, path: Path) -> Proposal:
        """A proposal, written into the study."""
        proposal = propose(self.connection, self.study, path, list(ZONES))
        self.study.survey_maps.mkdir(exist_ok=True)
        at = self.study.survey_maps / f"{path.stem}.yml"
        at.write_text(proposal.text, encoding="utf-8")
        assert read_map(at) == proposal.survey_map
        return proposal

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query).fetchall()

    def landed(self) -> list[tuple[Any, ...]]:
        """(code, moment of the report in UTC, instrument.item, answer) of what lands."""
        return self.rows(
            "select participant_code, reported_at, instrument || '.' || item, answer from judged_answers "
            "where is_answer and reason is null order by all"
        )

    def prompts(self) -> list[tuple[Any, ...]]:
        return self.rows(
            "select participant_code, prompted_at, opened_at, answered_at, status from landed_prompts order by line"
        )


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.register_filesystem(fsspec.filesystem("memory"))
        opened.execute("set TimeZone = 'UTC'")
        yield opened


@pytest.fixture
def desk(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> Desk:
    study = Study(tmp_path / "study")
    study.surveys.mkdir(parents=True)
    zones = " union all ".join(
        f"select '{code}' as participant_code, '{zone}' as timezone, 'DE' as country" for code, zone in ZONES.items()
    )
    lay_out_instruments(connection, study)
    lay_out_people(connection, dict.fromkeys(ZONES) | {"held": "no_consent"}, zones)
    return Desk(study, connection)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text)


GRID = {"a": "affect_grid.valence", "b": "affect_grid.arousal"}
WIDE = "code,at,a,b\n"


def wide(**settings: Any) -> dict[str, Any]:
    return {"format": "wide", "participant": "code", "moments": {"answered": "at"}, "items": GRID} | settings


# Each program's files


def test_mpath_tells_prompt_opening_and_answer_apart_and_subtracts_the_offset(desk: Desk) -> None:
    """With a change of the clock between two prompts: 2025-03-30 02:00 in Berlin."""
    answers = {"valence_sliderNegPos": "70", "arousal_sliderNegPos": "35", "note_open": '"""at home, with Jane"""'}
    beeps = [
        Beep("P1", moment("2025-03-29T20:00:00"), answers=answers),
        Beep("P1", moment("2025-03-30T20:00:00"), answers=answers),
        Beep("P1", moment("2025-03-31T20:00:00"), opened_after=None, answered_after=None),
        Beep("P1", moment("2025-04-01T20:00:00"), answered_after=None),
        Beep("N1", moment("2025-04-01T20:00:00"), zone="America/New_York", answers=answers),
        Beep("P9", moment("2025-04-01T20:00:00"), answers=answers),
    ]
    path = desk.put("mpath.csv", survey_files.mpath(beeps))
    proposal = desk.propose(path)
    assert proposal.survey_map.participant == "alias"
    assert proposal.survey_map.only == {"questionListName": ("beep",)}
    assert proposal.survey_map.items == {"valence_sliderNegPos": "vas.valence", "arousal_sliderNegPos": "vas.arousal"}
    assert proposal.not_read == ["connectionId", "initials", "accountCode"]
    report = desk.report(path)
    assert (report.rows_in, report.landed, report.reasons) == (10, 8, {"not_enrolled": 2})
    assert report.prompts == {"answered": 3, "unanswered": 1, "unfinished": 1}
    assert [row for row in desk.landed() if row[2] == "vas.valence"] == [
        ("N1", utc("2025-04-01T20:01:30"), "vas.valence", 70.0),
        ("P1", utc("2025-03-29T20:01:30"), "vas.valence", 70.0),
        ("P1", utc("2025-03-30T20:01:30"), "vas.valence", 70.0),
    ]
    sent, opened, answered = (utc(f"2025-03-30T20:0{minutes}") for minutes in ("0:00", "1:00", "1:30"))
    assert desk.prompts()[1:4] == [
        ("P1", sent, opened, answered, "answered"),
        ("P1", utc("2025-03-31T20:00:00"), None, None, "unanswered"),
        ("P1", utc("2025-04-01T20:00:00"), utc("2025-04-01T20:01:00"), None, "unfinished"),
    ]


def test_mpath_where_the_clock_shows_utc(desk: Desk) -> None:
    path = desk.put("m.csv", survey_files.mpath([Beep("P1", moment("2025-01-01T10:00:00"), zone="Africa/Accra", answers={"v": "0"})]), MAPS["m.csv"])  # fmt: skip
    assert desk.report(path).landed == 1
    assert desk.landed() == [("P1", utc("2025-01-01T10:01:30"), "vas.valence", 0.0)]


def test_mpath_lists_of_choices_are_no_numbers_and_its_list_of_questions_is_read(desk: Desk) -> None:
    answers = {
        "q1_multipleChoice_index": "4",
        "q1_multipleChoice_string": '"""quite a bit"""',
        "q2_multipleChoice_index": "1,3",
    }
    path = desk.put("mpath.csv", survey_files.mpath([Beep("P1", moment("2025-05-01T10:00:00"), answers=answers)]))
    desk.put("questions.csv", survey_files.mpath_listing({"q1_multipleChoice_index": "How <b>alert</b> are you now?", "q1_multipleChoice_string": "How alert are you now?", "q2_multipleChoice_index": "proud"}))  # fmt: skip
    proposal = desk.propose(path)
    assert proposal.survey_map.items == {
        "q1_multipleChoice_index": "panas.alert",
        "q2_multipleChoice_index": "panas.proud",
    }
    report = desk.report(path)
    assert (report.landed, report.reasons) == (1, {"not_a_number": 1})


LABELS = {f"panas_{place}": item for place, item in enumerate(PANAS, start=1)}
ALL_THREE = dict.fromkeys(LABELS, "3")


@pytest.mark.parametrize("time_zone", ["Europe/Berlin", None])
def test_qualtrics_has_three_header_rows_and_columns_that_are_never_read(desk: Desk, time_zone: str | None) -> None:
    beeps = [
        Beep("P1", moment("2025-05-01T10:00:00"), answers=ALL_THREE | {"panas_2": "-99"}),
        Beep("P2", moment("2025-05-01T11:00:00"), answered_after=None, answers={"panas_1": "4"}),
        Beep("N1", moment("2025-05-01T12:00:00"), answers=ALL_THREE | {"panas_1": "2"}),
    ]
    path = desk.put("qualtrics.csv", survey_files.qualtrics(beeps, {name: f"How do you feel? - {text}" for name, text in LABELS.items()}, time_zone))  # fmt: skip
    proposal = desk.propose(path)
    assert proposal.survey_map.items == {name: f"panas.{item}" for name, item in LABELS.items()}
    assert (proposal.survey_map.participant, proposal.survey_map.moments.answered) == ("code", "EndDate")
    assert proposal.survey_map.moments.clock.kind == ("zone" if time_zone else "participant")
    assert any("time zone of its account" in sentence for sentence in proposal.unsure) == (time_zone is None)
    assert set(proposal.not_read) == {
        "IPAddress",
        "RecipientEmail",
        "RecipientLastName",
        "LocationLatitude",
        "LocationLongitude",
    }
    report = desk.report(path)
    assert (report.rows_in, report.landed, report.rejected) == (40, 40, 0)
    assert report.prompts == {"answered": 2, "unfinished": 1}
    assert "answers of unfinished questionnaires left out: 1" in report.decided
    assert ("P1", utc("2025-05-01T10:01:30"), "panas.proud", 3.0) in desk.landed()
    assert not [row for row in desk.landed() if row[0] == "P1" and row[2] == f"panas.{LABELS['panas_2']}"]


def test_qualtrics_without_its_three_header_rows_is_not_read(desk: Desk) -> None:
    text = survey_files.qualtrics([Beep("P1", moment("2025-05-01T10:00:00"), answers=ALL_THREE)], LABELS)
    path = desk.put("q.csv", text)
    desk.propose(path)
    lines = text.split("\n")
    desk.put("q.csv", "\n".join([lines[0], *lines[4:]]))
    with pytest.raises(NotRead) as refusal:
        desk.report(path)
    assert refusal.value.reason == "no_qualtrics"


def test_redcap_has_rows_of_other_forms_and_begun_surveys(desk: Desk) -> None:
    names = [f"phq9_{number}" for number in range(1, 10)]
    beeps = [
        Beep("P1", moment("2025-05-01T10:00:00"), answers=dict.fromkeys(names, "1")),
        Beep("P2", moment("2025-05-01T10:00:00"), answered_after=None, answers={"phq9_1": "1"}),
    ]
    path = desk.put("redcap.csv", survey_files.redcap(beeps, "phq9", names))
    proposal = desk.propose(path)
    assert proposal.survey_map.format == "redcap"
    assert proposal.survey_map.items == {name: f"phq_9.item_{name[-1]}" for name in names}
    assert proposal.survey_map.moments.answered == "phq9_timestamp"
    report = desk.report(path)
    assert (report.rows_in, report.landed, report.prompts) == (10, 10, {"answered": 1, "unfinished": 1})


def test_limesurvey_has_no_submitdate_if_unfinished(desk: Desk) -> None:
    names = ["grid[valence]", "grid[arousal]"]
    beeps = [
        Beep("P1", moment("2025-05-01T10:00:00"), answers=dict(zip(names, "73", strict=True))),
        Beep("P2", moment("2025-05-01T10:00:00"), answered_after=None, answers={names[0]: "7"}),
    ]
    path = desk.put("lime.csv", survey_files.limesurvey(beeps, names))
    proposal = desk.propose(path)
    assert proposal.survey_map.format == "limesurvey"
    assert set(proposal.survey_map.items) == set(names)
    assert desk.report(path).prompts == {"answered": 1, "unfinished": 1}
    assert len(desk.landed()) == 2


def test_formr_has_texts_and_nulls(desk: Desk) -> None:
    names = ["sam_valence", "sam_arousal", "sam_dominance"]
    beeps = [
        Beep("P1", moment("2025-05-01T10:00:00"), answers=dict(zip(names, "734", strict=True))),
        Beep("P2", moment("2025-05-01T10:00:00"), answered_after=None),
    ]
    path = desk.put("formr.json", survey_files.formr(beeps, names))
    proposal = desk.propose(path)
    assert proposal.survey_map.items == {name: name.replace("_", ".", 1) for name in names}
    report = desk.report(path)
    assert (report.landed, report.prompts) == (4, {"answered": 1, "unfinished": 1})
    assert ("P1", utc("2025-05-01T10:01:30"), "sam.valence", 7.0) in desk.landed()


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", '{"a": 1}', "[" * 5000, '[{"a": "\ud800"}]'.encode("utf-8", "surrogatepass"), b"\xff\xfe\x00"])  # fmt: skip
def test_json_that_is_no_export_is_not_read(desk: Desk, content: str | bytes) -> None:
    path = desk.put("f.json", content, {"format": "formr", "participant": "session", "moments": {"answered": "ended"}, "items": {"a": "sam.valence"}})  # fmt: skip
    with pytest.raises(NotRead):
        desk.report(path)


# How moments are read

CLOCKS = [
    ("Europe/Berlin", "2025-07-01 12:00:00", "2025-07-01T10:00:00", {}),
    ("Europe/Berlin", "2025-01-01 12:00:00", "2025-01-01T11:00:00", {}),
    ("Europe/Berlin", "2025-10-26 02:30:00", "2025-10-26T00:30:00", {"times_given_twice": 1}),
    ("Europe/Berlin", "2025-03-30 02:30:00", "2025-03-30T01:30:00", {"times_that_did_not_exist": 1}),
    ("Europe/Berlin", "2025-10-26 03:00:00", "2025-10-26T02:00:00", {}),
    ("Europe/Berlin", "2025-10-26 01:59:59", "2025-10-25T23:59:59", {}),
    ("Europe/Berlin", "2025-03-30 03:00:00", "2025-03-30T01:00:00", {}),
    ("Australia/Lord_Howe", "2025-04-06 01:45:00", "2025-04-05T14:45:00", {"times_given_twice": 1}),
    ("Asia/Kathmandu", "2025-04-06 01:45:00", "2025-04-05T20:00:00", {}),
    ("participant", "2025-07-01 12:00:00", "2025-07-01T10:00:00", {}),
    ("utc", "2025-07-01 12:00:00", "2025-07-01T12:00:00", {}),
    ("utc", "2025-07-01T12:00:00+02:00", "2025-07-01T10:00:00", {}),
    ("Europe/Berlin", "2025-07-01T12:00:00Z", "2025-07-01T12:00:00", {}),
]


@pytest.mark.parametrize("clock, text, expected, remarks", CLOCKS)
def test_a_local_time_is_read_by_the_clock_of_the_map(
    desk: Desk, clock: str, text: str, expected: str, remarks: dict[str, int]
) -> None:
    path = desk.put("w.csv", f"{WIDE}P1,{text},7,3\n", wide(moments={"answered": "at", "clock": clock}))
    report = desk.report(path)
    assert (report.landed, report.remarks) == (2, remarks)
    assert desk.landed()[0][1] == utc(expected)


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"]
)
def test_local_times_are_those_of_the_zone_and_of_two_the_earlier(desk: Desk, zone: str) -> None:
    """As Python's zoneinfo reads them, around every change of the clock of twenty years."""
    day, times = datetime(2005, 1, 1), []
    while day.year < 2025:
        offsets = [(day + timedelta(days=more)).replace(tzinfo=ZoneInfo(zone)).utcoffset() for more in (0, 1)]
        if offsets[0] != offsets[1] or day.day == 15:
            times += [day + timedelta(minutes=30 * half) for half in range(-4, 60)]
        day += timedelta(days=1)
    text = WIDE + "".join(f"P1,{at},7,3\n" for at in times)
    desk.report(desk.put("w.csv", text, wide(moments={"answered": "at", "clock": zone}, span=0)))
    read = desk.rows("select line, moment from survey_moments order by line")
    assert [(line - 2, at) for line, at in read] == [
        (place, at.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None))
        for place, at in enumerate(times)
    ]


@pytest.mark.parametrize("written_as, number", [("unix_seconds", "1751364000"), ("unix_milliseconds", "1751364000000"), ("unix_seconds", "1751364000.0")])  # fmt: skip
def test_moments_as_numbers(desk: Desk, written_as: str, number: str) -> None:
    moments = {"answered": "at", "written_as": written_as, "clock": "utc"}
    desk.report(desk.put("w.csv", f"{WIDE}P1,{number},7,3\n", wide(moments=moments)))
    assert desk.landed()[0][1] == utc("2025-07-01T10:00:00")


@pytest.mark.parametrize(
    "text", ["", "soon", "2025-02-30 10:00:00", "2025-07-01", "99999999999999999999", "1e400", "nan"]
)
@pytest.mark.parametrize("written_as", ["text", "unix_seconds"])
def test_what_is_no_moment_is_rejected(desk: Desk, text: str, written_as: str) -> None:
    moments = {"answered": "at", "written_as": written_as, "clock": "Europe/Berlin"}
    report = desk.report(desk.put("w.csv", f"{WIDE}P1,{text},7,3\n", wide(moments=moments)))
    assert report.landed + report.rejected == report.rows_in
    assert not desk.landed()


# Cases met in practice


def long(lines: list[str], code: str = "P1") -> str:
    return "participant_code,answered_at,instrument,item,answer\n" + "".join(f"{code},{line}\n" for line in lines)


def test_items_stamped_one_by_one_are_one_report_with_the_moment_of_the_first(desk: Desk) -> None:
    lines = [f"2024-05-01T13:00:{2 * place:02}+02:00,panas,{item},3" for place, item in enumerate(PANAS)]
    again = [line.replace("13:00", "13:01") for line in lines]
    report = desk.report(desk.put("ema.csv", long(lines)))
    assert (report.landed, report.doubts, report.remarks) == (20, {}, {"items_put_together": 19, "constant_answers": 1})
    assert {row[1] for row in desk.landed()} == {utc("2024-05-01T11:00:00")}
    # No item twice: the next round is a report of its own, here the same one sent again.
    report = desk.report(desk.put("ema.csv", long(lines + again)))
    assert (report.landed, report.reasons) == (20, {"sent_twice": 20})
    report = desk.report(desk.put("ema.csv", long(lines + [line.replace("alert,3", "alert,4") for line in again])))
    assert {row[1] for row in desk.landed()} == {utc("2024-05-01T11:00:00"), utc("2024-05-01T11:01:00")}
    assert report.landed == 40


def reports_of(answers: list[tuple[int, str]], span: int) -> list[int]:
    """The second at which the report of each answer begins: moment after moment, as a person would put them together."""
    starts: list[int] = []
    seen: set[str] = set()
    last = start = -1000
    for at, group in itertools.groupby(answers, key=lambda answer: answer[0]):
        items = {item for _, item in group}
        if at - last > span or seen & items:
            start, seen = at, set()
        starts += [start] * len(items)
        seen |= items
        last = at
    return starts


@pytest.mark.parametrize("span", [0, 10, 60])
def test_items_belong_together_within_the_span_and_none_twice(desk: Desk, span: int) -> None:
    draw, begin = random.Random(span), datetime(2025, 5, 1, 10)
    moments = [(at, item) for at in range(0, 300, 5) for item in "abcd"]
    lines, expected = [], []
    for number in range(300):  # each on an instrument of its own
        answers = sorted(draw.sample(moments, draw.randint(1, 14)))
        lines += [f"{begin + timedelta(seconds=at)}Z,mine_{number},{item},{number}" for at, item in answers]
        expected += reports_of(answers, span)
    one = {"format": "long", "participant": "participant_code", "moments": {"answered": "answered_at"}, "span": span}
    desk.report(
        desk.put("l.csv", long(lines), one | {"columns": {name: name for name in ("instrument", "item", "answer")}})
    )
    found = [
        (at - begin).total_seconds() for (at,) in desk.rows("select reported_at from judged_answers order by line")
    ]
    assert found == expected


def test_a_report_sent_twice_counts_once_and_so_does_its_prompt(desk: Desk) -> None:
    lines = "P1,2025-05-01 10:00:00,7,3\nP1,2025-05-01 10:00:02,7,3\nP1,2025-05-01 12:00:00,7,3\nP2,2025-05-01 10:00:02,7,3\n"
    report = desk.report(desk.put("w.csv", WIDE + lines, wide(moments={"answered": "at", "clock": "utc"})))
    assert (report.rows_in, report.landed, report.reasons) == (8, 6, {"sent_twice": 2})
    assert report.prompts == {"answered": 3}


def test_a_panas_stored_from_zero_is_refused_until_the_map_adds_one(desk: Desk) -> None:
    answers = ["0" if item in ("interested", "distressed") else "2" for item in PANAS]
    text = long(
        [f"2024-05-01T13:00:00+02:00,panas,{item},{answer}" for item, answer in zip(PANAS, answers, strict=True)]
    )
    path = desk.put("panas.csv", text)
    report = desk.report(path)
    assert (report.landed, report.reasons) == (0, {"looks_recoded": 20})
    assert "recode: {panas: {add: 1}}" in " ".join(report.advice)
    proposal = desk.propose(path)
    assert proposal.survey_map.recoding_of("panas.alert").add == 1
    assert any("stored off by one" in sentence for sentence in proposal.unsure)
    assert desk.report(path).landed == 20
    assert sum(row[3] for row in desk.landed()) == 56


def test_labels_land_only_where_the_map_has_a_number_for_them(desk: Desk) -> None:
    text = long(
        [
            f"2024-05-01T13:00:00+02:00,panas,{item},{'Moderately' if place % 2 else '3 - Moderately'}"
            for place, item in enumerate(PANAS)
        ]
    )
    path = desk.put("labels.csv", text)
    assert desk.report(path).reasons == {"not_a_number": 20}
    proposal = desk.propose(path)
    assert proposal.survey_map.recoding_of("panas.alert").labels == {"moderately": 3, "3 - moderately": 3}
    assert desk.report(path).landed == 20
    assert {row[3] for row in desk.landed()} == {3.0}


def test_foreign_items_are_unknown_until_they_are_mapped(desk: Desk) -> None:
    words = [
        "interessiert",
        "stark",
        "begeistert",
        "stolz",
        "wach",
        "angeregt",
        "entschlossen",
        "aufmerksam",
        "aengstlich",
        "feindselig",
        "my_own",
    ]
    path = desk.put("de.csv", long([f"2024-05-01T13:00:00+02:00,panas,{word},3" for word in words]))
    assert desk.report(path).doubts == {"unknown_item": 11}
    proposal = desk.propose(path)
    assert proposal.survey_map.items["panas.wach"] == "panas.alert"
    assert proposal.survey_map.items["panas.aengstlich"] == "panas.afraid"
    assert proposal.unsure == ["1 words in item are no item of their instrument. Write items for them."]
    assert desk.report(path).doubts == {"unknown_item": 1}


def test_codes_that_a_spreadsheet_changed_are_reported(desk: Desk) -> None:
    at = "2024-05-01T13:00:00+02:00,affect_grid"
    text = (
        "participant_code,answered_at,instrument,item,answer\n"
        + f"7,{at},valence,7\n7.00,{at},arousal,5\n007,{at},arousal,5\n"
    )
    report = desk.report(desk.put("s.csv", text))
    assert (report.landed, report.reasons) == (1, {"not_enrolled": 2})
    assert "2 of them differ from an enrolled code only in leading zeros" in report.advice[-1]


def test_a_table_without_a_map_is_read_as_it_is_with_a_wide_one_refused(desk: Desk) -> None:
    path = desk.put("q.csv", "StartDate,code,panas_1\n2024-05-01 12:55:00,P1,4\n")
    with pytest.raises(NotRead) as refusal:
        desk.report(path)
    assert refusal.value.reason == "lacks_columns"
    assert "consonance survey map" in refusal.value.remedy


def test_the_items_of_one_prompt_are_one_prompt_and_a_line_without_answer_is_one_too(desk: Desk) -> None:
    text = (
        "code,sent,done,item,answer\n"
        "P1,2025-05-01 10:00,2025-05-01 10:02,valence,7\nP1,2025-05-01 10:00,2025-05-01 10:03,arousal,3\n"
        "P1,2025-05-01 12:00,,,\nP2,2025-05-01 10:00,2025-05-01 10:05,valence,NA\n"
    )
    one = {"format": "long", "participant": "code", "missing": ["NA"], "columns": {"item": "item", "answer": "answer"}}
    one |= {"moments": {"prompted": "sent", "answered": "done", "clock": "utc"}}
    one |= {"items": {"valence": "affect_grid.valence", "arousal": "affect_grid.arousal"}}
    report = desk.report(desk.put("l.csv", text, one))
    assert (report.rows_in, report.landed, report.prompts) == (4, 4, {"answered": 2, "unanswered": 1})
    assert [(code, at and at.minute, status) for code, _, _, at, status in desk.prompts()] == [
        ("P1", 2, "answered"), ("P1", None, "unanswered"), ("P2", 5, "answered"),
    ]  # fmt: skip
    assert len(desk.landed()) == 3


# What is refused


@pytest.mark.parametrize("answer", ["jane@mail.example", "198.51.100.7", "+49 170 1234567", "01701234567", "79102"])
def test_answers_that_identify_are_never_landed_nor_quoted(desk: Desk, answer: str) -> None:
    report = desk.report(desk.put("w.csv", f"{WIDE}P1,2025-05-01T10:00:00Z,{answer},3\n", wide()))
    assert (report.landed, report.reasons) == (1, {"identifies": 1})
    assert answer not in str(report)


BAD_MAPS = {
    "no YAML": ("{", "cannot be read as YAML"),
    "unknown setting": ({"colour": "red"}, "unknown settings: colour"),
    "no participant": ({"participant": ""}, "participant .* names no column"),
    "no moment": ({"moments": {"opened": "at"}}, "answered of moments"),
    "no clock": ({"moments": {"answered": "at", "clock": "Europe/Nowhere"}}, "clock of moments .* is no clock"),
    "no date format": ({"moments": {"answered": "at", "date_format": "%Q"}}, "date_format of moments"),
    "no format": ({"format": "excel"}, "format .* is no known format"),
    "a column that identifies": ({"items": {"IPAddress": "panas.alert"}}, "a column that identifies people"),
    "no item": ({"items": {"a": "valence"}}, "written as instrument.item"),
    "no items": ({"items": {}}, "names no items"),
    "no columns": ({"format": "long"}, "lacks the setting columns"),
    "no labels": ({"recode": {"panas": {"labels": {"A little": "two"}}}}, "labels of recode"),
    "no number": ({"recode": {"panas": {"add": "one"}}}, "add of recode"),
    "no span": ({"span": -1}, "span .* is no number of seconds"),
    "outside": ({"files": "../x.csv"}, "files .* names no file of surveys/"),
}


@pytest.mark.parametrize("what", BAD_MAPS)
def test_a_map_that_cannot_be_used_is_explained_and_costs_its_files(desk: Desk, what: str) -> None:
    content, message = BAD_MAPS[what]
    path = desk.put(
        "w.csv", f"{WIDE}P1,2025-05-01T10:00:00Z,7,3\n", content if isinstance(content, str) else wide(**content)
    )
    at = desk.study.survey_maps / "w.yml"
    with pytest.raises(BadSurveyMap, match=message) as refusal:
        read_map(at)
    assert "alert" not in refusal.value.what
    if isinstance(content, dict) and "files" not in content:
        with pytest.raises(NotRead) as not_read:
            desk.report(path)
        assert not_read.value.reason == "bad_map"


@pytest.mark.parametrize(
    "content", ["P1,2025-05-01 10:00:00,7,3\nP1,2025-05-01 12:00:00,7,3\n", "jane@mail.example,valence\nx,7\n"]
)
def test_a_file_without_a_header_is_not_mapped_nor_quoted(desk: Desk, content: str) -> None:
    with pytest.raises(NothingToMap, match="no names of columns") as refusal:
        desk.propose(desk.put("w.csv", content))
    assert "jane" not in str(refusal.value)


@pytest.mark.parametrize("content", ["code,at,valence\n", "code,at\nP1,2025-05-01 10:00:00\n", "a\n1\n", "code,at,note\nP1,2025-05-01 10:00:00,I feel well\n"])  # fmt: skip
def test_the_smallest_files_are_mapped_or_refused(desk: Desk, content: str) -> None:
    path = desk.put("w.csv", content)
    try:
        desk.propose(path)
    except NothingToMap as error:
        assert "well" not in str(error)
    else:
        assert desk.report(path).rows_in == 0


def test_lines_that_the_map_passes_over_are_counted(desk: Desk) -> None:
    text = WIDE + "P1,2025-05-01T10:00:00Z,7,3\nP1,,,\n"
    path = desk.put("w.csv", text, wide())
    assert desk.report(path).decided == ["lines passed over: 1"]
    desk.put("w.csv", text, wide(only={"code": ["P2"]}))
    report = desk.report(path)
    assert (report.rows_in, report.doubts, report.is_whole) == (0, {"no_line_counts": 2}, False)


def test_words_of_qualtrics_in_an_unknown_language_are_not_guessed(desk: Desk) -> None:
    text = survey_files.qualtrics(
        [Beep("P1", moment("2025-05-01T10:00:00"), answers=ALL_THREE)], LABELS, finished=("tosi", "epätosi")
    )
    proposal = desk.propose(desk.put("q.csv", text))
    assert proposal.survey_map.finished is None
    assert (
        "Finished: its words are in a language that is not known. Write which of them count (finished)."
        in proposal.unsure
    )


def test_two_maps_of_one_file_read_two_questionnaires(desk: Desk) -> None:
    text = (
        "code,grid_at,a,b,sam_at,c\nP1,2025-05-01T10:00:00Z,7,3,2025-05-01T18:00:00Z,5\nP2,,,,2025-05-01T19:00:00Z,5\n"
    )
    path = desk.put("w.csv", text, wide(moments={"answered": "grid_at"}))
    (desk.study.survey_maps / "x.yml").write_text(
        yaml.safe_dump(wide(files="*.csv", moments={"answered": "sam_at"}, items={"c": "sam.valence"}))
    )
    report = desk.report(path)
    assert (report.rows_in, report.landed, report.prompts) == (4, 4, {"answered": 3})


# Damaged files

DAMAGE = st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from(['"', ";", "\n", "\0", ",", "é", "-99", "e", " ", "\t", "[", "{", "'", "%"]))  # fmt: skip
FILES = {
    "m.csv": survey_files.mpath([Beep("P1", moment(f"2025-05-0{day}T10:00:00"), answers={"v": "70", "o": '"""secretive"""'}) for day in range(1, 5)]),
    "q.csv": survey_files.qualtrics([Beep("P1", moment(f"2025-05-0{day}T10:00:00"), answers={"v": "70"}) for day in range(1, 5)], {"v": "valence"}),
    "f.json": survey_files.formr([Beep("P1", moment(f"2025-05-0{day}T10:00:00"), answers={"v": "70"}) for day in range(1, 5)], ["v"]),
    "l.csv": long([f"2025-05-0{day}T10:00:00Z,vas,valence,70" for day in range(1, 5)]),
}  # fmt: skip
MAPS: dict[str, dict[str, Any]] = {
    "m.csv": {"format": "m-path", "participant": "alias", "moments": {"prompted": "timeStampSent", "answered": "timeStampStop", "written_as": "unix_seconds", "clock": {"column": "timeZoneOffset"}}, "items": {"v": "vas.valence"}},
    "q.csv": {"format": "qualtrics", "participant": "code", "moments": {"answered": "EndDate", "clock": "participant"}, "items": {"v": "vas.valence"}},
    "f.json": {"format": "formr", "participant": "session", "moments": {"opened": "created", "answered": "ended", "clock": "Europe/Berlin"}, "items": {"v": "vas.valence"}},
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damages=st.lists(DAMAGE, min_size=1, max_size=4), cut=st.floats(0.3, 1))
def test_a_damaged_file_costs_rows_or_itself_and_nothing_of_it_is_quoted(
    desk: Desk, name: str, damages: list[tuple[float, int, str]], cut: float
) -> None:
    text = FILES[name]
    for place, length, inserted in damages:
        at = int(place * len(text))
        text = text[:at] + inserted + text[at + length :]
    path = desk.put(name, text[: int(cut * len(text))], MAPS.get(name))
    try:
        report = desk.report(path)
    except NotRead as error:
        told = str(error)
    else:
        assert report.rows_in == report.landed + report.rejected
        told = str(report)
    assert "secretive" not in told and "jane.doe" not in told


# The documentation


def test_every_example_of_the_documentation_works(desk: Desk) -> None:
    text = (PROJECT / "docs" / "questionnaires.md").read_text(encoding="utf-8")
    examples = re.findall(r"^`(surveys/[\w./]+)`:\n\n```\w+\n(.*?)```$", text, re.MULTILINE | re.DOTALL)
    assert len(examples) == 13
    for name, content in examples:
        path = desk.study.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    maps = Maps.of(desk.study)
    assert not maps.faults
    landed = {}
    for path in questionnaire_files(desk.study):
        report = desk.report(path)
        assert report.is_whole or set(report.doubts) == {"one_item_reports"}, (path.name, report)
        landed[path.name] = (len(desk.landed()), report.prompts)
        assert {row[1].date() for row in desk.landed()} == {datetime(2025, 5, 1).date()}
        assert desk.landed()[0][1] in (
            utc("2025-05-01T08:00:00"),
            utc("2025-05-01T08:02:00"),
            utc("2025-05-01T11:00:00"),
        )
    assert landed == {
        "by_hand.csv": (2, {}),
        "mpath.csv": (2, {"answered": 1, "unanswered": 1}),
        "qualtrics.csv": (3, {"answered": 1, "unfinished": 1}),
        "redcap.csv": (7, {"answered": 1, "unfinished": 1}),
        "limesurvey.csv": (2, {"answered": 1, "unfinished": 1}),
        "formr.json": (2, {"answered": 1, "unfinished": 1}),
        "deutsch.tsv": (2, {}),
    }


# Erasure


def test_the_lines_of_who_is_erased_are_found_by_the_columns_of_the_maps(desk: Desk) -> None:
    beeps = [Beep(code, moment("2025-05-01T10:00:00"), answers={"v": "70"}) for code in ("P1", "P2", "P1")]
    desk.study.consents_path.write_text("participant_code\n")
    desk.study.participants_path.write_text("participant_code\n")
    whole, rest = {}, {}
    for name, content in (
        ("m.csv", survey_files.mpath),
        ("q.csv", survey_files.qualtrics),
        ("f.json", survey_files.formr),
    ):
        more = {"q.csv": [{"v": "valence"}], "f.json": [["v"]]}.get(name, [])
        whole[name], rest[name] = (content(some, *more) for some in (beeps, [beeps[1]]))
        desk.put(name, whole[name], MAPS[name])
    assert study_files.find(desk.study, ["P1"]).lines == {f"surveys/{name}": 2 for name in whole}
    study_files.clear(desk.study, {"P1": "erased"})
    assert study_files.find(desk.study, ["P1"]).lines == {}
    assert json.loads((desk.study.surveys / "f.json").read_text()) == json.loads(rest["f.json"])
    for name in ("m.csv", "q.csv"):
        kept = (desk.study.surveys / name).read_bytes().decode()
        assert "P1" not in kept and kept.count("P2") == 1 and kept[:200] == whole[name][:200]
    assert not study_files.left_to_do(desk.study, ["P1"], [])
