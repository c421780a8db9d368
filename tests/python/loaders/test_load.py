"""Loading a study: consent at the door, repetition, reports, surveys, feature archives."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from conftest import EVERYTHING, SmallStudy, account_play, as_zip, play

from consonance.consent.state import PURPOSES
from consonance.study.feature_sources import known_sources
from consonance.study.folder import NoStudy, Study
from consonance.study.layout import StudyExists, lay_out_study
from consonance.study.settings import BadSettings, Settings
from consonance.study.tables import BadTable
from loaders.catalogue import BadArchive, add_archive
from loaders.inbox import find_donations
from loaders.load import load_study


def statuses(study: SmallStudy) -> dict[str, tuple[str, str | None]]:
    return {donation.participant_code: (donation.status, donation.reason) for donation in study.load().donations}


def test_init_lays_out_a_study_and_never_overwrites_one(tmp_path: Path) -> None:
    study = lay_out_study(tmp_path / "new")
    assert {path.name for path in study.root.iterdir()} == {
        "study.yml", "consents.csv", "participants.csv", "notices.csv", "recipients.csv", "README.md", "vault.key", "vault.duckdb", "audit.head", "catalog.duckdb", "inbox", "surveys", "instruments", "catalogue",
    }  # fmt: skip
    assert oct(study.key_path.stat().st_mode)[-3:] == "600"
    key = study.key_path.read_text()
    with pytest.raises(StudyExists, match="nothing was changed"):
        lay_out_study(tmp_path / "new")
    assert study.key_path.read_text() == key
    assert load_study(study).exit_status == 0
    notices = tmp_path / "begun" / "notices.csv"
    notices.parent.mkdir()
    notices.write_text("v1", encoding="utf-8")
    with pytest.raises(StudyExists, match="nothing was changed"):
        lay_out_study(notices.parent)
    assert [path.name for path in notices.parent.iterdir()] == ["notices.csv"]


def test_without_consent_a_donation_is_held_unread(small: SmallStudy) -> None:
    unreadable = {"MyData/a.json": b"\xff\xfe not to be opened"}
    for code, consent in {
        "NONE": None,
        "GONE": ("granted", "withdrawn"),
        "OTHER": ("emotion_reports",),
        "FUTURE": ("future",),
    }.items():
        small.enrol(code)
        as_zip(small.study.inbox / code / "x.zip", unreadable)
        if consent == ("granted", "withdrawn"):
            small.consent(code)
            small.consent(code, "", event="withdrawn", at="2025-02-01T00:00:00+00:00")
        elif consent == ("emotion_reports",):
            small.consent(code, "emotion_reports")
        elif consent == ("future",):
            small.consent(code, at="2026-03-02T00:00:00+00:00")
    small.consent("STRANGER")
    as_zip(small.study.inbox / "STRANGER" / "x.zip", unreadable)
    as_zip(small.study.inbox / "nobody.zip", unreadable)
    report = small.load()
    assert {donation.participant_code: (donation.status, donation.reason) for donation in report.donations} == {
        "NONE": ("held", "no_consent"),
        "GONE": ("held", "withdrawn"),
        "OTHER": ("held", "purpose_not_granted"),
        "FUTURE": ("held", "no_consent"),
        "STRANGER": ("held", "not_enrolled"),
        "": ("held", "not_in_a_folder"),
    }
    assert all(donation.advice for donation in report.donations)
    assert report.exit_status == 2
    assert small.vault("select count(*) from vault.raw.donations") == [(0,)]


def test_the_later_line_counts_of_events_at_one_moment(small: SmallStudy) -> None:
    small.enrol("P1")
    small.consent("P1", "", event="withdrawn")
    small.consent("P1")
    small.donate("P1", [play()])
    assert statuses(small) == {"P1": ("loaded", None)}


def test_the_same_bytes_twice_change_nothing(small: SmallStudy) -> None:
    small.admit("P1")
    first = small.donate("P1", [play(), play(ms_played=-1)])
    report = small.load()
    assert (report.donations[0].status, report.exit_status) == ("partly", 2)
    before = small.vault("select * from vault.raw.extended_plays") + small.vault("select * from vault.raw.donations")
    shutil.copy(first, first.with_name("the same under another name.zip"))
    report = small.load()
    assert [donation.status for donation in report.donations] == ["already", "already"]
    told = report.as_json()
    for counts in (told["totals"], told["participants"]["P1"]):
        assert [counts[what] for what in ("rows_in", "landed", "rejected", "rows_already")] == [0, 0, 0, 4]
    assert report.exit_status == 2
    assert (
        small.vault("select * from vault.raw.extended_plays") + small.vault("select * from vault.raw.donations")
        == before
    )


def test_the_same_member_counts_once_wherever_it_lies(small: SmallStudy) -> None:
    small.admit("P1")
    rows = [play(), play(ts="2024-01-01T00:00:00Z")]
    small.donate("P1", rows, name="1.zip")
    folder = small.study.inbox / "P1" / "2 unpacked"
    folder.mkdir()
    (folder / "renamed.json").write_text(json.dumps(rows, ensure_ascii=False))
    (folder / "copy of renamed.json").write_text(json.dumps(rows, ensure_ascii=False))
    (small.study.inbox / "P1" / "loose.json").write_text(json.dumps(rows, ensure_ascii=False))
    report = small.load()
    assert sorted((donation.file, donation.status, donation.rows("landed")) for donation in report.donations) == [
        ("inbox/P1", "loaded", 0),
        ("inbox/P1/1.zip", "loaded", 2),
        ("inbox/P1/2 unpacked", "loaded", 0),
    ]
    totals = report.as_json()["totals"]
    assert (totals["rows_in"], totals["landed"], totals["rejected"]) == (2, 2, 0)
    assert small.vault("select count(*) from vault.raw.members") == [(1,)]


def test_the_same_export_of_two_people_counts_for_both(small: SmallStudy) -> None:
    for code in ("P1", "P2"):
        small.admit(code)
        small.donate(code, [play()])
    assert small.load().as_json()["totals"]["landed"] == 2


def test_the_json_report_adds_up_at_every_level(demo_copy: SmallStudy) -> None:
    report = demo_copy.load()
    told = report.as_json()
    assert report.exit_status == 2
    assert set(told["participants"]) == {f"D{number:03d}" for number in range(1, 41)}
    for code, person in told["participants"].items():
        assert person["rows_in"] == person["landed"] + person["rejected"]
        for what in ("rows_in", "landed", "rejected"):
            assert person[what] == sum(
                member[what] for donation in person["donations"] for member in donation["members"]
            ), code
        for donation in person["donations"]:
            assert donation["file"].startswith(f"inbox/{code}")
            for member in donation["members"]:
                assert member["rejected"] == 0 and member["rows_already"] >= sum(member["reasons"].values())
    assert (
        sum(
            member["rows_already"] - sum(member["reasons"].values())
            for person in told["participants"].values()
            for donation in person["donations"]
            for member in donation["members"]
        )
        == demo_copy.vault(
            "select (select count(*) from vault.raw.extended_plays) + (select count(*) from vault.raw.account_plays)"
        )[0][0]
    )
    assert told["participants"]["D004"]["status"] == "held"
    assert told["participants"]["D005"]["status"] == "held"
    assert told["participants"]["D016"]["status"] == "refused"
    assert told["totals"]["held"] == 3


def test_accounting_by_participant_code_stays_in_the_vault(small: SmallStudy) -> None:
    small.admit("P1")
    as_zip(
        small.study.inbox / "P1" / "x.zip",
        {"a.json": [play(), None], "b.json": json.dumps([play()])[:-1], "c.json": "{}"},
    )
    small.load()
    assert small.vault(
        "select participant_code, member, status, rows_in, landed, rejected, reason from vault.raw.load_accounting order by member"
    ) == [
        ("P1", "a.json", "landed", 2, 1, 1, None),
        ("P1", "b.json", "broken", 0, 0, 0, "cut_off_json"),
    ]


BAD_LEDGER = {
    "P1,agreed,listening_history,v1,2025-01-01T00:00:00Z,,": "line 13 has an event that is not one of",
    "P1,granted,listening_histroy,v1,2025-01-01T00:00:00Z,,": "line 13 has 1 unknown purposes",
    "P1,granted,listening_history,v1,2025-01-01T00:00:00,,": "line 13 has no date-time with an offset in occurred_at",
    "P1,granted,listening_history,v1,2025-01-01T00:00:00Z,01.02.2020,": "line 13 has no date in history_from",
    "P1,granted,listening_history,v1,2025-01-01T00:00:00Z,2021-01-01,2020-01-01": "line 13 has a history_from after its history_to",
    "P1,granted,listening_history,,2025-01-01T00:00:00Z,,": "line 13 names no form_version",
    ",granted,listening_history,v1,2025-01-01T00:00:00Z,,": "line 13 has no participant_code",
    "P1,granted": "line 13 has 2 values, but the header has 7",
}


@pytest.mark.parametrize("line", BAD_LEDGER)
def test_a_ledger_that_cannot_be_used_stops_the_load_and_names_the_line(small: SmallStudy, line: str) -> None:
    with small.study.consents_path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(BadTable, match=r"consents\.csv") as error:
        small.load()
    assert BAD_LEDGER[line] in str(error.value).replace(
        f"line {len(small.study.consents_path.read_text().splitlines())}", "line 13"
    )
    assert small.vault("select count(*) from vault.raw.consent_events") == [(0,)]


def test_faults_are_reported_all_at_once_and_quote_nothing(small: SmallStudy) -> None:
    for value in ("jane@mail.example", "31.02."):
        small.enrol("P1", birth_year=value, country="Germany", timezone="Europe/Bielefeld")
    with pytest.raises(BadTable) as error:
        small.load()
    text = str(error.value)
    assert text.count("has no year in birth_year") == 2
    assert "repeats a participant_code" in text
    assert "has no ISO 3166-1 alpha-2 code" in text
    assert "has no IANA zone" in text
    assert "jane" not in text
    assert "Bielefeld" not in text


def test_tables_saved_by_a_european_spreadsheet_are_read(small: SmallStudy) -> None:
    small.study.participants_path.write_text(
        "\ufeffparticipant_code;birth_year;gender;country;timezone;enrolled_at\r\nP1;1990;female;de;;2025-01-01\r\n;;;;;\r\n",
        encoding="utf-8",
    )
    small.study.consents_path.write_text(
        "participant_code;event;purposes;form_version;occurred_at;history_from;history_to\r\n"
        'P1;granted;"listening_history, emotion_reports";v1;2025-01-01T10:00:00+01:00;;\r\n',
        encoding="utf-8",
    )
    small.donate("P1", [play()])
    assert statuses(small) == {"P1": ("loaded", None)}
    assert small.vault("select country, timezone from vault.raw.participants") == [("DE", None)]


def test_secrets_are_drawn_once_and_tell_nothing(small: SmallStudy) -> None:
    for number in range(60):
        small.enrol(f"P{number:02d}")
    small.load()
    before = small.vault(
        "select participant_code, pseudonym, shift_weeks, play_secret from vault.raw.keyring order by all"
    )
    small.enrol("P99")
    small.load()
    after = small.vault(
        "select participant_code, pseudonym, shift_weeks, play_secret from vault.raw.keyring where participant_code <> 'P99' order by all"
    )
    assert after == before
    assert len({pseudonym for _, pseudonym, _, _ in before}) == 60
    assert all(shift != 0 for _, _, shift, _ in before)
    assert {shift > 0 for _, _, shift, _ in before} == {True, False}


def test_every_purpose_of_the_ledger_is_one_of_the_design(small: SmallStudy) -> None:
    small.admit("P1", purposes=" ".join(PURPOSES))
    small.load()
    assert small.vault("select purposes from vault.raw.consent_events") == [(list(PURPOSES),)]


def survey(
    study: SmallStudy,
    *lines: str,
    name: str = "s.csv",
    header: str = "participant_code,answered_at,instrument,item,answer",
) -> None:
    (study.study.surveys / name).write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")


def test_surveys_land_numbers_of_those_who_consented(small: SmallStudy) -> None:
    small.admit("P1")
    small.admit("P2", purposes="listening_history")
    survey(
        small,
        "P1,2025-05-01T10:00:00+02:00,Affect_Grid,Valence,7",
        'P1,2025-05-01T10:00:00+02:00,affect_grid,arousal,"3,5"',
        "P1,2025-05-01T10:00:00+02:00,panas,alert,",
        "P1,2025-05-01T10:00:00,affect_grid,valence,7",
        "P1,2025-05-01T10:00:00+02:00,affect_grid,valence,I feel fine",
        "P1,2025-05-01T10:00:00+02:00,affect_grid,valence,inf",
        "P2,2025-05-01T10:00:00+02:00,affect_grid,valence,7",
        "P3,2025-05-01T10:00:00+02:00,affect_grid,valence,7",
    )
    (report,) = small.load().surveys
    assert (report.rows_in, report.landed, report.rejected) == (8, 3, 5)
    assert report.reasons == {
        "purpose_not_granted": 1, "no_time_with_offset": 1, "not_a_number": 2, "not_enrolled": 1,
    }  # fmt: skip
    assert small.vault(
        "select instrument, item, answer, answered_at::varchar from vault.raw.survey_answers order by line"
    ) == [
        ("affect_grid", "valence", 7.0, "2025-05-01 08:00:00"),
        ("affect_grid", "arousal", 3.5, "2025-05-01 08:00:00"),
        ("panas", "alert", None, "2025-05-01 08:00:00"),
    ]
    small.load()
    assert small.vault("select count(*) from vault.raw.survey_answers") == [(3,)]


def test_feature_archives_with_quirks_land(small: SmallStudy) -> None:
    folder = small.study.catalogue / "spotify_archive"
    folder.mkdir()
    one, two, three = ("0" * 21 + digit for digit in "123")
    (folder / "percent.csv").write_bytes(
        (
            "Track URI,Track Name,Valence,Energy,Tempo,Loudness,Time Signature,Key\n"
            f'spotify:track:{one},caf\u00e9,73,100,"1,021",0.4,0,11\n'
            f"https://open.spotify.com/track/{two},x,5,,98.5,-7.25,4,-1\n"
            f"spotify:track:{two},again,99,1,1,1,1,1\n"
            "spotify:local:mine,x,1,1,1,1,1,1\n"
        ).encode("latin-1")
    )
    (folder / "fractions.csv").write_text(f"id;valence\n{three};0,25\n".replace(";", ","), encoding="utf-8")
    reports = {report.file.split("/")[-1]: report for report in small.load().catalogue}
    # The second row of track two fills in what its first leaves empty.
    assert (reports["percent.csv"].rows_in, reports["percent.csv"].landed) == (4, 3)
    rows = small.values("valence, energy, tempo, loudness, time_signature, musical_key")
    assert rows[:2] == [(one, 0.73, 1.0, None, 0.4, None, 11), (two, 0.05, 0.01, 98.5, -7.25, 4, 1)]


def test_an_archive_without_a_licence_row_is_refused(small: SmallStudy, tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    file.write_text(f"id,valence\n{'1' * 22},0.5\n")
    with pytest.raises(BadArchive, match="no feature source with the name") as error:
        add_archive(small.study, file, "found_somewhere")
    assert "seeds/feature_sources.csv" in str(error.value)
    assert list(small.study.catalogue.iterdir()) == []
    assert "spotify_archive" in known_sources()


def test_an_archive_that_is_taken_away_goes(small: SmallStudy, tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    file.write_text(f"id,valence\n{'1' * 22},0.5\n")
    kept = add_archive(small.study, file, "study_features")
    small.load()
    assert small.vault("select count(*) from catalogue.music.source_tracks") == [(1,)]
    shutil.rmtree(kept.parent)
    small.load()
    assert small.vault("select count(*) from catalogue.music.source_tracks") == [(0,)]


def test_settings_are_checked(small: SmallStudy, tmp_path: Path) -> None:
    with pytest.raises(NoStudy, match="consonance init"):
        Study.find(tmp_path / "nowhere")
    for text, finding in {
        "title: [": "cannot be read as YAML",
        "- a": "has no settings",
        "as_off: x": "unknown settings: as_off",
        "as_of: 2026-03-01": "is not a date-time with an offset",
        "as_of: 2026": "is not a date-time with an offset",
        "as_of: 2026-02-30": "cannot be read as YAML",
        "retention: [a, b]": "is not a text",
        "as_of: yesterday": "is not a date-time with an offset",
    }.items():
        small.study.settings_path.write_text(text)
        with pytest.raises(BadSettings, match=finding):
            Settings.read(small.study)
    small.study.settings_path.write_text('as_of: "2026-03-01T00:00:00+01:00"\n')
    assert str(Settings.read(small.study).as_of) == "2026-02-28 23:00:00+00:00"


def test_the_inbox_lists_zips_folders_and_loose_files_and_no_hidden_ones(small: SmallStudy) -> None:
    place = small.study.inbox / "P1"
    small.donate("P1", [account_play()], name="b.zip")
    (place / "folder").mkdir()
    (place / ".DS_Store").write_text("x")
    (place / "one.json").write_text("[]")
    (place / "two").write_text('[{"ts": 1}]')
    assert [
        (donation.path.name, [path.name for path in donation.loose]) for donation in find_donations(small.study)
    ] == [
        ("b.zip", []),
        ("folder", []),
        ("P1", ["one.json", "two"]),
    ]


def test_whoever_takes_back_a_purpose_is_held_at_the_next_load(small: SmallStudy) -> None:
    small.admit("P1", purposes=EVERYTHING)
    survey(small, "P1,2025-05-01T10:00:00+02:00,affect_grid,valence,7")
    small.donate("P1", [play()])
    small.load()
    small.consent("P1", "listening_history", event="amended", at="2025-03-01T00:00:00+00:00")
    report = small.load()
    assert report.surveys[0].reasons == {"purpose_not_granted": 1}
    assert small.vault("select count(*) from vault.raw.survey_answers") == [(0,)]
