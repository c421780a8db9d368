"""Exports of consent forms: what REDCap and Qualtrics really write, as lines of the ledger."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from commands import consonance
from conftest import SmallStudy

from consonance.consent.form_map import BadMap, FormMap
from consonance.consent.forms import ImportReport, Tool, import_form
from consonance.consent.status import consent_states
from consonance.study.tables import BadTable
from consonance.study.vault import open_study

REDCAP_MAP = """
participant_code: study_code
form_version: v1
occurred_at: consent_timestamp
time_zone: Europe/Berlin
agreed: agree
purposes:
  listening_history: purposes___1
  podcasts_audiobooks: purposes___2
  sharing_public: purposes___3
history_from: first_day
"""

# A longitudinal project with a survey: one row for each event of a record.
REDCAP_RAW = """\
record_id,redcap_event_name,redcap_repeat_instrument,redcap_survey_identifier,consent_timestamp,study_code,name,agree,purposes___1,purposes___2,purposes___3,first_day,consent_complete
1,baseline_arm_1,,jane@mail.example,"2026-01-15 10:30:00",P001,"Jane ""JD"" Doe",1,1,1,0,2015-01-01,2
1,week_2_arm_1,,,,,,,,,,,
2,baseline_arm_1,,,"2026-07-15 10:30",P002,"Max
Moritz",1,1,0,0,,2
3,baseline_arm_1,,,[not completed],P003,,,0,0,0,,0
4,baseline_arm_1,,,"2026-01-16 09:00:00",P004,,0,1,1,1,,2
5,baseline_arm_1,,,"2026-01-17 09:00:00",P005,,1,0,0,0,,2
"""

REDCAP_LABELS_MAP = """
participant_code: Study code
form_version: v1
occurred_at: Survey Timestamp
time_zone: Europe/Berlin
agreed: I agree to take part
purposes:
  listening_history: Purposes (choice=My listening history)
  podcasts_audiobooks: Purposes (choice=Podcasts, audiobooks)
  sharing_public: Purposes (choice=Sharing)
history_from: From
"""
REDCAP_LABELS = """\
"Record ID","Survey Timestamp","Study code","I agree to take part","Purposes (choice=My listening history)","Purposes (choice=Podcasts, audiobooks)","Purposes (choice=Sharing)",From,Complete?,Complete?
1,"2026-01-15 10:30:00",P001,Yes,Checked,Checked,Unchecked,2015-01-01,Complete,Complete
2,"2026-07-15 10:30",P002,Yes,Checked,Unchecked,Unchecked,,Complete,Complete
3,"[not completed]",P003,,Unchecked,Unchecked,Unchecked,,Incomplete,Incomplete
4,"2026-01-16 09:00:00",P004,No,Checked,Checked,Checked,,Complete,Complete
5,"2026-01-17 09:00:00",P005,Yes,Unchecked,Unchecked,Unchecked,,Complete,Complete
"""

QUALTRICS_MAP = """
participant_code: code
form_version: v1
occurred_at: RecordedDate
time_zone: America/Denver
agreed: {column: Q1, is: "Yes, I agree"}
purposes:
  listening_history: {column: Q2, is: My listening history}
  podcasts_audiobooks: {column: Q2, is: "Podcasts, audiobooks"}
  sharing_public: {column: Q3, is: [Yes]}
"""
QUALTRICS = """\
StartDate,EndDate,Status,IPAddress,Progress,Finished,RecordedDate,ResponseId,RecipientEmail,LocationLatitude,code,Q1,Q2,Q3
Start Date,End Date,Response Type,IP Address,Progress,Finished,Recorded Date,Response ID,Recipient Email,Location Latitude,code,"Do you agree?

Please read the notice first.","What may we use? - Selected Choice",May we share it?
"{""ImportId"":""startDate"",""timeZone"":""America/Denver""}","{""ImportId"":""endDate""}","{""ImportId"":""status""}","{""ImportId"":""ipAddress""}","{""ImportId"":""progress""}","{""ImportId"":""finished""}","{""ImportId"":""recordedDate"",""timeZone"":""America/Denver""}","{""ImportId"":""_recordId""}","{""ImportId"":""recipientEmail""}","{""ImportId"":""locationLatitude""}","{""ImportId"":""code""}","{""ImportId"":""QID1""}","{""ImportId"":""QID2""}","{""ImportId"":""QID3""}"
2026-01-15 01:00:00,2026-01-15 02:00:00,IP Address,198.51.100.7,100,True,2026-01-15 02:30:00,R_1,jane@mail.example,52.5,P001,"Yes, I agree","My listening history,Podcasts, audiobooks",
2026-07-15 01:00:00,2026-07-15 02:00:00,IP Address,198.51.100.8,100,True,2026-07-15 02:30:00,R_2,,52.5,P002,"Yes, I agree",My listening history,No
2026-01-15 01:00:00,2026-01-15 02:00:00,IP Address,198.51.100.9,40,False,2026-01-22 02:00:00,R_3,,52.5,P003,"Yes, I agree",My listening history,Yes
2026-01-15 01:00:00,2026-01-15 02:00:00,IP Address,198.51.100.9,100,True,2026-01-16 01:00:00,R_4,,52.5,P004,No,My listening history,Yes
2026-01-15 01:00:00,2026-01-15 02:00:00,Survey Preview,,100,True,2026-01-15 02:30:00,R_5,,52.5,P006,"Yes, I agree",My listening history,Yes
2026-01-15 01:00:00,2026-01-15 02:00:00,Spam,,100,True,2026-01-15 02:30:00,R_6,,52.5,P007,"Yes, I agree",My listening history,Yes
2026-01-15 01:00:00,2026-01-15 02:00:00,IP Address,,100,True,2026-01-17 01:00:00,R_7,,52.5,P005,"Yes, I agree","audiobooks,-99",-99
"""

# Numbers instead of labels, and the choices of one question in columns of their own.
QUALTRICS_NUMBERS_MAP = """
participant_code: code
form_version: v1
occurred_at: RecordedDate
agreed: Q1
purposes:
  listening_history: Q2_1
  podcasts_audiobooks: {column: Q4, is: [2]}
  sharing_public: Q3
"""
QUALTRICS_NUMBERS = """\
Status,Finished,RecordedDate,code,Q1,Q2_1,Q4,Q3
Response Type,Finished,Recorded Date,code,Agree?,Use?,More?,Share?
"{""ImportId"":""status""}","{""ImportId"":""finished""}","{""ImportId"":""recordedDate""}","{""ImportId"":""code""}","{""ImportId"":""QID1""}","{""ImportId"":""QID2_1""}","{""ImportId"":""QID4""}","{""ImportId"":""QID3""}"
0,1,2026-01-15T09:30:00Z,P001,1,1,"1,2",2
16,1,2026-07-15T08:30:00Z,P002,1,1,"12,3",
0,0,2026-01-22T02:00:00Z,P003,1,1,2,1
0,1,2026-01-16T08:00:00Z,P004,2,1,2,1
1,1,2026-01-15T09:30:00Z,P006,1,1,2,1
8,1,2026-01-15T09:30:00Z,P007,1,1,2,1
0,1,2026-01-17T08:00:00Z,P005,1,,-99,-99
"""

EXPECTED = [
    ("P001", "granted", ["listening_history", "podcasts_audiobooks"], "2026-01-15 09:30:00"),
    ("P002", "granted", ["listening_history"], "2026-07-15 08:30:00"),
    ("P005", "granted", [], "2026-01-17 08:00:00"),
]
LEFT_OUT = {
    "redcap": Counter({"not finished": 2, "did not agree": 1}),
    "redcap labels": Counter({"not finished": 1, "did not agree": 1}),
    "qualtrics": Counter({"not finished": 1, "did not agree": 1, "a preview, a test or spam": 2}),
    "qualtrics numbers": Counter({"not finished": 1, "did not agree": 1, "a preview, a test or spam": 2}),
}
FORMS: dict[str, tuple[Tool, str, str]] = {
    "redcap": ("redcap", REDCAP_MAP, REDCAP_RAW),
    "redcap labels": ("redcap", REDCAP_LABELS_MAP, REDCAP_LABELS),
    "qualtrics": ("qualtrics", QUALTRICS_MAP, QUALTRICS),
    "qualtrics numbers": ("qualtrics", QUALTRICS_NUMBERS_MAP, QUALTRICS_NUMBERS),
}


def imported(study: SmallStudy, tool: Tool, form: str, export: str | bytes) -> ImportReport:
    (study.root.parent / "map.yml").write_text(form, encoding="utf-8")
    path = study.root.parent / "export.csv"
    path.write_bytes(export if isinstance(export, bytes) else export.encode())
    return import_form(study.study, path, tool, FormMap.read(study.root.parent / "map.yml"))


@pytest.mark.parametrize("name", FORMS)
def test_consents_of_a_form_enter_the_ledger_once(small: SmallStudy, name: str) -> None:
    tool, form, export = FORMS[name]
    report = imported(small, tool, form, export)
    assert (report.added, report.known, report.faults) == (3, 0, [])
    assert report.left_out == LEFT_OUT[name]
    ledger = small.study.consents_path.read_text()
    for never in ("Jane", "Moritz", "mail.example", "198.51", "52.5"):
        assert never not in ledger
    small.load()
    rows = small.vault(
        "select participant_code, event, purposes, occurred_at::varchar from vault.raw.consent_events order by ledger_line"
    )
    assert rows == EXPECTED
    # Again, with a byte order mark and other line endings; and with somebody new.
    assert imported(small, tool, form, b"\xef\xbb\xbf" + export.replace("\n", "\r\n").encode()).added == 0
    assert small.study.consents_path.read_text() == ledger
    more = export.replace("P004", "P008").replace(",0,1,1,1,,2\n", ",1,1,0,0,,2\n")
    more = more.replace("P008,No", 'P008,"Yes, I agree"' if tool == "qualtrics" else "P008,Yes").replace(
        "P008,2", "P008,1"
    )
    report = imported(small, tool, form, more)
    assert (report.added, report.known) == (1, 3)
    assert small.study.consents_path.read_text().startswith(ledger)
    small.load()
    assert small.vault("select participant_code from vault.raw.consent_events where ledger_line = 4") == [("P008",)]


def test_a_ledger_of_a_european_spreadsheet_is_added_to_in_its_own_form(small: SmallStudy) -> None:
    small.study.consents_path.write_bytes(
        "\ufeffevent;participant_code;purposes;form_version;occurred_at;history_from;history_to;note\r\n"
        "granted;P001;library;v1;2025-01-01T10:00:00+01:00;;;by letter".encode()
    )
    imported(small, "redcap", REDCAP_MAP, REDCAP_RAW)
    lines = small.study.consents_path.read_bytes().split(b"\r\n")
    assert len(lines) == 6 and b"\n" not in lines[2]
    assert lines[2] == (
        b"granted;P001;listening_history podcasts_audiobooks;v1;2026-01-15T09:30:00.000+00:00;2015-01-01;;"
    )
    small.load()
    assert small.vault("select count(*) from vault.raw.consent_events") == [(4,)]


def test_lines_that_cannot_be_used_are_reported_and_the_rest_goes_on(small: SmallStudy) -> None:
    export = REDCAP_RAW.replace("P001", "jane@mail.example").replace("2026-07-15 10:30", "15/07/2026")
    report = imported(small, "redcap", REDCAP_MAP, export)
    assert report.added == 1
    assert [fault.split(" has ")[0] for fault in report.faults] == ["line 2", "line 5"]
    assert "jane" not in str(report.faults)
    without_zone = REDCAP_MAP.replace("time_zone: Europe/Berlin\n", "")
    report = imported(small, "redcap", without_zone, REDCAP_RAW)
    assert (report.added, len(report.faults)) == (0, 3)
    assert "date-time with an offset" in report.faults[0]


GERMAN = """\
study_code,consent_timestamp,agree,purposes___1
P001,2026-01-15 10:30:00,Ja,Angekreuzt
P002,2026-01-15 10:30:00,Ja,Nicht angekreuzt
P003,2026-01-15 10:30:00,Nein,Nicht angekreuzt
P004,2026-01-15 10:30:00,,
"""
GERMAN_MAP = """
participant_code: study_code
form_version: v1
occurred_at: consent_timestamp
time_zone: Europe/Berlin
agreed: {column: agree, is: Ja, is_not: Nein}
purposes:
  listening_history: {column: purposes___1, is: Angekreuzt, is_not: Nicht angekreuzt}
"""
NO_WORDS = GERMAN_MAP.replace(", is: Ja, is_not: Nein", "").replace(", is: Angekreuzt, is_not: Nicht angekreuzt", "")


def test_a_box_that_holds_neither_a_known_yes_nor_a_known_no_is_reported_and_decides_nothing(small: SmallStudy) -> None:
    before = small.study.consents_path.read_bytes()
    report = imported(small, "redcap", NO_WORDS, GERMAN)
    assert (report.added, dict(report.left_out)) == (0, {"did not agree": 1})
    assert report.faults == [f"line {line} has a word in agree that means neither yes nor no" for line in (2, 3, 4)]
    assert "is_not" in " ".join(report.remedies)
    assert small.study.consents_path.read_bytes() == before


def test_a_map_says_the_words_of_another_language(small: SmallStudy) -> None:
    report = imported(small, "redcap", GERMAN_MAP, GERMAN)
    assert (report.added, dict(report.left_out), report.faults) == (2, {"did not agree": 2}, [])
    small.load()
    assert small.vault("select participant_code, purposes from vault.raw.consent_events order by 1") == [
        ("P001", ["listening_history"]),
        ("P002", []),
    ]
    other = imported(small, "redcap", GERMAN_MAP, GERMAN.replace("P001", "P005").replace(",Angekreuzt", ",Ja"))
    assert other.faults == ["line 2 has a word in purposes___1 that means neither yes nor no"]


def test_words_of_the_survey_tool_in_another_language_are_reported(small: SmallStudy) -> None:
    export = QUALTRICS.replace("Survey Preview", "Umfragevorschau").replace("100,True,2026-07", "100,Wahr,2026-07")
    report = imported(small, "qualtrics", QUALTRICS_MAP, export)
    assert report.added == 2
    assert [fault.removesuffix(" that is not one of Qualtrics' words in English") for fault in report.faults] == [
        "line 7 has a word in Finished",
        "line 10 has a word in Status",
    ]
    assert "numeric values" in " ".join(report.remedies)
    assert dict(report.left_out) == {"not finished": 1, "did not agree": 1, "a preview, a test or spam": 1}


def test_a_withdrawal_form_grants_nothing(small: SmallStudy) -> None:
    imported(small, "redcap", REDCAP_MAP + "event: withdrawn\n", REDCAP_RAW)
    small.load()
    assert small.vault("select distinct event, purposes from vault.raw.consent_events") == [("withdrawn", [])]


def answers(*private: str) -> str:
    lines = [f"P001,2026-01-15 10:30:00,1,{box}" for box in private]
    return "\n".join(["study_code,consent_timestamp,agree,private", *lines, ""])


CORRECTED_MAP = """
participant_code: study_code
form_version: v1
occurred_at: consent_timestamp
time_zone: Europe/Berlin
agreed: agree
purposes:
  listening_history: agree
  private_sessions: private
"""


def granted(study: SmallStudy) -> list[str]:
    study.load()
    with open_study(study.study, read_only=True) as connection:
        return list(consent_states(connection)[0].purposes)


def test_an_answer_that_was_changed_back_in_the_form_counts(small: SmallStudy) -> None:
    small.enrol("P001")
    for box, private in (("0", []), ("1", ["private_sessions"]), ("0", [])):
        report = imported(small, "redcap", CORRECTED_MAP, answers(box))
        assert (report.added, report.known, report.faults) == (1, 0, [])
        assert granted(small) == ["listening_history", *private]
        assert imported(small, "redcap", CORRECTED_MAP, answers(box)).known == 1
    # All of it in one export: the last line counts, once.
    report = imported(small, "redcap", CORRECTED_MAP, answers("0", "1", "0"))
    assert (report.added, report.known, report.left_out) == (0, 1, Counter({"corrected further down": 2}))


@pytest.mark.parametrize("last", ["granted,listening_history", "withdrawn,"])
def test_a_correction_of_the_ledger_is_not_undone_by_a_form_that_was_not_corrected(
    small: SmallStudy, last: str
) -> None:
    small.enrol("P001")
    imported(small, "redcap", CORRECTED_MAP, answers("1"))
    with small.study.consents_path.open("a", encoding="utf-8") as file:
        file.write(f"P001,{last},v1,2026-01-15T10:30:00+01:00,,\n")
    before = small.study.consents_path.read_bytes()
    report = imported(small, "redcap", CORRECTED_MAP, answers("1"))
    assert (report.added, report.known) == (0, 0)
    assert report.faults == ["line 2 grants what a later line of the ledger about the same moment does not grant"]
    assert any("correct the form" in remedy for remedy in report.remedies)
    assert small.study.consents_path.read_bytes() == before
    # What nobody has corrected is new, whatever it grants.
    more = imported(small, "redcap", CORRECTED_MAP, answers("1").replace("10:30", "10:31"))
    assert (more.added, more.faults) == (1, [])


BAD_MAPS = {
    "a: [": "cannot be read as YAML",
    "- a": "has no settings",
    REDCAP_MAP + "who: x": "unknown settings: who. Known are participant_code",
    REDCAP_MAP.replace("occurred_at: consent_timestamp\n", ""): "lacks the setting occurred_at",
    REDCAP_MAP.replace("sharing_public", "sharing"): "has an unknown purpose",
    REDCAP_MAP + "event: agreed": "is not one of the events granted, amended, withdrawn",
    REDCAP_MAP.replace("Europe/Berlin", "Europe/Bielefeld"): "no IANA time zone",
    REDCAP_MAP.replace("agreed: agree", "agreed: [agree]"): "neither the name of a column",
    REDCAP_MAP.replace("consent_timestamp", ""): "names no column",
    REDCAP_MAP.replace("v1", "v7"): "not in notices.csv",
}


@pytest.mark.parametrize("form", BAD_MAPS)
def test_a_map_that_cannot_be_used_is_explained(small: SmallStudy, form: str) -> None:
    with pytest.raises(BadMap) as error:
        imported(small, "redcap", form, REDCAP_RAW)
    assert BAD_MAPS[form] in str(error.value)


BAD_EXPORTS: dict[str, tuple[Tool, str, str | bytes]] = {
    "lacks the column purposes___1": ("redcap", REDCAP_MAP, REDCAP_RAW.replace("purposes___1", "purposes")),
    "has the column Complete? twice": (
        "redcap",
        REDCAP_LABELS_MAP.replace("From", "Complete?"),
        REDCAP_LABELS,
    ),
    "lacks Qualtrics' three header rows": ("qualtrics", QUALTRICS_MAP, QUALTRICS.replace("ImportId", "QID")),
    "lacks the column Status": ("qualtrics", QUALTRICS_MAP, QUALTRICS.replace("Status", "State")),
    "is not UTF-8": ("qualtrics", QUALTRICS_MAP, QUALTRICS.encode("utf-16")),
}


@pytest.mark.parametrize("message", BAD_EXPORTS)
def test_an_export_that_cannot_be_used_changes_nothing(small: SmallStudy, message: str) -> None:
    before = small.study.consents_path.read_bytes()
    with pytest.raises(BadTable) as error:
        imported(small, *BAD_EXPORTS[message])
    assert message in str(error.value)
    assert small.study.consents_path.read_bytes() == before


def test_the_command_says_what_it_did(small: SmallStudy, tmp_path: Path) -> None:
    (tmp_path / "map.yml").write_text(REDCAP_MAP)
    (tmp_path / "export.csv").write_text(REDCAP_RAW.replace("P002", "P 2"))
    arguments = ["consent", "import", tmp_path / "export.csv", "--map", tmp_path / "map.yml", "--study", small.root]
    done = consonance(*arguments, "--from", "redcap")
    assert done.returncode == 2
    assert "2 events added" in done.stdout
    assert "1 lines were left out: did not agree" in done.stdout
    assert "line 5 has no participant_code" in done.stdout
    assert consonance(*arguments, "--from", "surveymonkey").returncode == 2
