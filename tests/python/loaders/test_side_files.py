"""Questionnaires and feature archives as people make them: each costs itself, and what is not read is reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from commands import consonance
from conftest import EVERYTHING, SmallStudy, play

from consonance.erasure import study_files
from loaders.catalogue import BadArchive, add_archive
from loaders.load_report import FileReport, LoadReport

ONE, TWO, THREE = (digit * 22 for digit in "123")
ANSWERS = "participant_code,answered_at,instrument,item,answer"
GRID = "P1,2025-05-01T10:00:00+02:00,affect_grid,valence,7\nP1,2025-05-01T10:00:00+02:00,affect_grid,arousal,3"
FEATURES = "valence, energy, tempo, loudness, musical_key, mode, time_signature, danceability, instrumentalness"


@pytest.fixture
def study(small: SmallStudy) -> SmallStudy:
    """One participant with one play."""
    small.admit("P1")
    small.donate("P1", [play()])
    return small


def survey(study: SmallStudy, name: str, content: str | bytes) -> None:
    path = study.study.surveys / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def archive(study: SmallStudy, name: str, content: str | bytes, source: str = "spotify_archive") -> None:
    path = study.study.catalogue / source / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def by_name(files: list[FileReport]) -> dict[str, FileReport]:
    return {file.file.split("/", 1)[1]: file for file in files}


def loaded(study: SmallStudy) -> LoadReport:
    """A load in which the donation of P1 is there, whatever else is wrong."""
    report = study.load()
    there = [(one.participant_code, one.rows("landed") + one.rows("rows_already")) for one in report.donations]
    assert there == [("P1", 1)]
    return report


def values(study: SmallStudy, columns: str) -> list[tuple[Any, ...]]:
    return [(spotify_id[0], *found) for spotify_id, *found in study.values(columns)]


SAVED = {
    "PANAS.CSV": f"{ANSWERS}\n{GRID}\n".encode(),
    "m.tsv": f"{ANSWERS}\n{GRID}\n".replace(",", "\t").encode(),
    "m.TXT": f"{ANSWERS}\n{GRID}\n".replace(",", "|").encode(),
    "semicolons.csv": f"{ANSWERS}\n{GRID}\n;;;;\n\n".replace(",", ";").encode(),
    "wave 1/below/a.csv": f"{ANSWERS}\r\n{GRID}\r\n".replace("\n", "\r\n").encode("utf-8-sig"),
    "old mac.csv": f"{ANSWERS}\n{GRID}".replace("\n", "\r").encode(),
    "unicode text.txt": f"{ANSWERS}\n{GRID}\n".replace(",", "\t").encode("utf-16"),
    "big end.csv": b"\xfe\xff" + f"{ANSWERS}\n{GRID}\n".encode("utf-16-be"),
    "no mark.csv": f"{ANSWERS}\n{GRID}\n".encode("utf-16-le"),
    "windows.csv": f"{ANSWERS},Bemerkung\n{GRID.replace(chr(10), ',für' + chr(10))},x\n".encode("cp1252"),
}


@pytest.mark.parametrize("name", SAVED)
def test_a_questionnaire_is_read_however_it_was_saved(study: SmallStudy, name: str) -> None:
    survey(study, name, SAVED[name])
    report = loaded(study)
    assert [(one.rows_in, one.landed, one.is_whole) for one in report.surveys] == [(2, 2, True)]
    assert report.exit_status == 0
    assert study.vault("select item, answer from vault.raw.survey_answers order by line") == [
        ("valence", 7.0),
        ("arousal", 3.0),
    ]


UNREAD = {
    "report.xlsx": (b"PK\x03\x04", "no_csv"),
    "named.csv": (b"PK\x03\x04\x00\x00\x81", "no_text"),
    "empty.csv": (b"", "empty_file"),
    "blank.csv": (b"\xef\xbb\xbf \r\n\r\n", "empty_file"),
    "odd.csv": (b"who,what\nP1,7\n", "lacks_columns"),
    "wide.csv": (b'StartDate,Finished,code,panas_1\n"Start Date","Finished","Code","interested"\n1,1,P1,4\n', "lacks_columns"),
    "twice.csv": (f"{ANSWERS},answer\n{GRID}\n".encode(), "repeated_column"),
    "open.csv": (f'{ANSWERS}\nP1,"{GRID}\n'.encode(), "open_quotation"),
    "no suffix": (GRID.encode(), "no_csv"),
}  # fmt: skip


def test_a_questionnaire_that_cannot_be_read_costs_itself_and_is_named_with_the_remedy(study: SmallStudy) -> None:
    survey(study, "good.csv", f"{ANSWERS}\n{GRID}\n")
    for name, (content, _) in UNREAD.items():
        survey(study, name, content)
    (study.study.surveys / "link.csv").symlink_to("nowhere")
    report = loaded(study)
    assert report.exit_status == 2
    assert {name: one.not_read for name, one in by_name(report.surveys).items()} == {
        "good.csv": None,
        "link.csv": "no_file",
        **{name: reason for name, (_, reason) in UNREAD.items()},
    }
    assert all(one.advice for one in report.surveys if one.not_read)
    assert study.vault("select distinct file from vault.raw.survey_answers") == [("surveys/good.csv",)]
    told = consonance("load", "--study", study.root)
    assert told.returncode == 2
    assert "surveys/odd.csv: not read (lacks_columns)" in told.stdout
    assert "P1" in told.stdout and "1 had been landed before" in told.stdout
    assert json.loads(consonance("load", "--json", "--study", study.root).stdout)["surveys"]["surveys/odd.csv"][
        "not_read"
    ] == "lacks_columns"  # fmt: skip


def test_companions_of_files_are_no_files(study: SmallStudy) -> None:
    for name in (
        ".DS_Store",
        "Thumbs.db",
        "desktop.ini",
        "~$panas.csv",
        "panas.csv:Zone.Identifier",
        "__MACOSX/._a.csv",
    ):
        survey(study, name, "x")
        archive(study, name, "x")
    report = loaded(study)
    assert (report.surveys, report.catalogue, report.exit_status) == ([], [], 0)


def test_a_line_that_is_no_row_costs_itself(study: SmallStudy) -> None:
    survey(study, "s.csv", f"{ANSWERS}\n{GRID}\nP1,2025-05-01T10:00:00+02:00,panas,alert,3,and,more\n")
    archive(study, "f.csv", f"id,valence\n{ONE},0.5\n{TWO},0.5,1,2\n")
    report = loaded(study)
    assert [(one.rows_in, one.landed, one.reasons) for one in [*report.surveys, *report.catalogue]] == [
        (3, 2, {"bad_line": 1}),
        (2, 1, {"bad_line": 1}),
    ]


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("broken", ['"broken', f'"{TWO},0.9', f'{TWO},"0.9', f'{TWO},0.9,"'])
def test_a_quotation_that_never_ends_costs_its_line_alone(study: SmallStudy, broken: str, times: int) -> None:
    rows = [f"{place:022},0.5,'" for place in range(40)]
    for place in range(times):
        rows.insert(10 * (place + 1), broken)
    rows.insert(35, f'{ONE},0.5,"a song\nin ""two"" lines"')
    archive(study, "f.csv", "\n".join(["id,valence,title", *rows, ""]))
    (report,) = loaded(study).catalogue
    assert (report.rows_in, report.landed, report.reasons) == (41 + times, 41, {"bad_line": times})
    assert study.vault("select title from catalogue.music.source_tracks where contains(title, 'song')") == [
        ('a song\nin "two" lines',)
    ]


def test_a_questionnaire_that_became_unreadable_leaves_the_vault(study: SmallStudy) -> None:
    survey(study, "s.csv", f"{ANSWERS}\n{GRID}\n")
    loaded(study)
    survey(study, "s.csv", b"")
    (report,) = loaded(study).surveys
    assert report.not_read == "empty_file"
    assert "The 2 answers that an earlier load had landed from this file are no longer in the vault." in report.advice
    assert study.vault("select count(*) from vault.raw.survey_answers") == [(0,)]
    survey(study, "s.csv", f"{ANSWERS}\n{GRID}\n")
    assert loaded(study).exit_status == 0
    (study.study.surveys / "s.csv").unlink()
    loaded(study)
    assert study.vault("select count(*) from vault.raw.survey_answers") == [(0,)]


def test_codes_that_match_nobody_are_counted_and_codes_a_spreadsheet_changed_are_reported(small: SmallStudy) -> None:
    small.admit("007")
    small.admit("P1", purposes=EVERYTHING)
    at = "2025-05-01T10:00:00+02:00,affect_grid"
    lines = [f"{code},{at},{item},5" for code in ("7", "7.00", "7,0", "p1", "jane@mail.example", "007") for item in ("valence", "arousal")]  # fmt: skip
    survey(small, "s.csv", f"{ANSWERS}\n" + "\n".join(lines).replace("7,0,", '"7,0",') + f"\n,{at},valence,5\n")
    report = small.load()
    (one,) = report.surveys
    assert (one.rows_in, one.landed, one.reasons) == (13, 2, {"no_code": 1, "not_enrolled": 10})
    assert one.advice == [
        "Codes that participants.csv does not have: 5. 4 of them differ from an enrolled code only in leading zeros "
        "or capital letters: spreadsheets turn 007 into 7. Save the column as text."
    ]
    assert report.exit_status == 2
    assert small.vault("select distinct participant_code from vault.raw.survey_answers") == [("007",)]


def test_answers_as_labels_land_nowhere(study: SmallStudy) -> None:
    at = "P1,2025-05-01T10:00:00+02:00,panas"
    survey(
        study,
        "s.csv",
        f"{ANSWERS}\n{at},alert,Moderately\n{at},active,3 - Moderately\n{at},proud,NaN\n{at},upset,1e999\n",
    )
    report = loaded(study)
    assert report.surveys[0].reasons == {"not_a_number": 4}
    assert report.exit_status == 2
    assert study.vault("select count(*) from vault.raw.survey_answers") == [(0,)]


DOUBTFUL = {
    "outside_range": ("panas", ["alert,0", "active,5", "proud,6", "upset,"], {"outside_range": 2}),
    "unknown_item": ("panas", ["wach,3", "aktiv,3", "proud,3"], {"unknown_item": 2}),
    "unknown_instrument": ("mood_of_the_day", ["x,3", "y,3"], {"unknown_instrument": 2}),
}


@pytest.mark.parametrize("doubt", DOUBTFUL)
def test_answers_that_no_score_can_use_are_landed_and_reported(study: SmallStudy, doubt: str) -> None:
    instrument, lines, expected = DOUBTFUL[doubt]
    rows = "\n".join(f"P1,2025-05-01T10:00:00+02:00,{instrument},{line}" for line in lines)
    survey(study, "s.csv", f"{ANSWERS}\n{rows}\n")
    report = loaded(study)
    assert (report.surveys[0].landed, report.surveys[0].doubts) == (len(lines), expected)
    assert len(report.surveys[0].advice) == 1
    assert report.exit_status == 2


def test_items_with_stamps_of_their_own_are_reported(study: SmallStudy) -> None:
    rows = "\n".join(
        f"P1,2025-05-01T10:0{at}:00+02:00,panas,{item},3"
        for at, item in zip((0, 2, 4), ("alert", "upset", "proud"), strict=True)
    )
    survey(study, "s.csv", f"{ANSWERS}\n{rows}\n")
    assert loaded(study).surveys[0].doubts == {"one_item_reports": 3}


def test_the_lines_of_who_is_erased_are_found_in_every_file_that_is_read(study: SmallStudy) -> None:
    study.admit("P2")
    both = f"{ANSWERS}\n{GRID}\n{GRID}\n".replace("P1", "P2", 2)
    survey(study, "A.CSV", both)
    survey(study, "below/b.tsv", both.replace(",", "\t").encode("utf-16"))
    survey(study, "c.txt", (both.replace(",", "|") + "#x|y\n").encode("cp1252"))
    survey(study, "d.csv", "answer,participant_code\n#1,P1\n")
    found = study_files.find(study.study, ["P1"])
    assert {name: lines for name, lines in found.lines.items() if name.startswith("surveys")} == {
        "surveys/A.CSV": 2, "surveys/below/b.tsv": 2, "surveys/c.txt": 2, "surveys/d.csv": 1,
    }  # fmt: skip
    survey(study, "wide.txt", "code\tpanas_1\nP1\t4\n".encode("utf-16"))
    study_files.clear(study.study, {"P1": "erased"})
    assert study_files.find(study.study, ["P1"]).lines == {}
    (to_do,) = [one for one in study_files.left_to_do(study.study, ["P1"], []) if "surveys/" in one]
    assert to_do.startswith("surveys/wide.txt names the participant")
    assert (study.study.surveys / "below" / "b.tsv").read_bytes().decode("utf-16") == (
        f"{ANSWERS}\n{GRID}\n".replace("P1", "P2").replace(",", "\t")
    )


def test_what_lies_elsewhere_in_the_catalogue_is_listed_as_not_read(study: SmallStudy) -> None:
    (study.study.catalogue / "loose.csv").write_text(f"id,valence\n{ONE},0.5\n")
    archive(study, "f.csv", f"id,valence\n{ONE},0.5\n", source="found_somewhere")
    archive(study, "data.json", "{}")
    archive(study, "playlist.csv", '"Track URI","Track Name"\n"spotify:track:x","y"\n')
    archive(study, "sub/Good.TSV", f"id\tvalence\n{ONE}\t0.5\n")
    report = loaded(study)
    assert {name: one.not_read for name, one in by_name(report.catalogue).items()} == {
        "loose.csv": "no_source",
        "found_somewhere/f.csv": "unknown_source",
        "spotify_archive/data.json": "no_csv",
        "spotify_archive/playlist.csv": "no_features",
        "spotify_archive/sub/Good.TSV": None,
    }
    assert report.exit_status == 2
    assert values(study, "valence") == [("1", 0.5)]
    # What did not change is not read again, and is told again.
    assert loaded(study).catalogue == report.catalogue


IDS = {
    "a table whose ids stand in links": f"id,href,valence\n5f0b6c0e-0000-4c53,https://open.spotify.com/track/{ONE},0.5\n",
    "links of another country": f"link,valence\nhttps://open.spotify.com/intl-de/track/{ONE}?si=abc,0.5\n",
    "a column of another name": f"Name,Kennung,album_id,valence\nSong,{ONE},{TWO},0.5\n",
    "albums and playlists beside it": f"track_album_id,playlist_id,track_id,valence\n{TWO},{THREE},{ONE},0.5\n",
    "a playlist saved by a program": f"Track URI,Album URI,Valence\nspotify:track:{ONE},spotify:album:{TWO},0.5\n",
}


@pytest.mark.parametrize("what", IDS)
def test_spotify_ids_are_known_by_their_values(study: SmallStudy, what: str) -> None:
    archive(study, "f.csv", IDS[what])
    report = loaded(study)
    assert (report.catalogue[0].landed, report.exit_status) == (1, 0)
    assert values(study, "valence") == [("1", 0.5)]


def test_each_reason_of_a_rejected_row_has_its_own_count(study: SmallStudy) -> None:
    archive(study, "a.csv", f"track_id,valence,tempo\nt_cf0164dd-0000-4399-0000,0.5,100\n{ONE},0.5,\n{ONE},0.6,\n{TWO},,\nspotify:local:x,1,1\n")  # fmt: skip
    archive(study, "t.csv", "track_id,valence\nt_cf0164dd-0000-4399-0000,0.5\n", source="study_features")
    report = loaded(study)
    first, second = report.catalogue
    assert (first.rows_in, first.landed, first.rejected) == (5, 1, 4)
    assert first.reasons == {"no_spotify_id": 2, "no_value": 1, "repeated_track": 1}
    assert (second.rows_in, second.landed, second.reasons) == (1, 0, {"no_track": 1})
    assert "without a Spotify id" in first.advice[1] and "name no track" in second.advice[0]
    assert report.exit_status == 2


def test_within_a_source_the_first_value_of_each_feature_counts(study: SmallStudy) -> None:
    archive(study, "a.csv", f"id,valence,energy,tempo\n{ONE},,,\n{TWO},,0.2,\n{THREE},0.3,,\n")
    archive(
        study, "b.csv", f"id,valence,energy,tempo\n{ONE},0.9,0.8,120\n{TWO},0.9,0.8,\n{TWO},0.1,0.1,99\n{THREE},0.9,,\n"
    )
    report = loaded(study)
    assert values(study, "valence, energy, tempo") == [
        ("1", 0.9, 0.8, 120.0),
        ("2", 0.9, 0.2, 99.0),
        ("3", 0.3, None, None),
    ]
    assert [(one.landed, one.reasons) for one in report.catalogue] == [
        (2, {"no_value": 1}),
        (3, {"repeated_track": 1}),
    ]


def test_an_empty_row_of_the_preferred_source_hides_nothing_and_coverage_counts_values(small: SmallStudy) -> None:
    small.admit("P1")
    tracks = [f"spotify:track:{track}" for track in (ONE, TWO, THREE, "4" * 22)]
    small.donate("P1", [play(ts=f"2023-05-01T1{at}:00:00Z", spotify_track_uri=uri, master_metadata_track_name=uri[-1]) for at, uri in enumerate(tracks)])  # fmt: skip
    archive(small, "empty.csv", f"id,valence,tempo\n{ONE},,\n{TWO},,100\n", source="study_features")
    archive(small, "a_empty.csv", f"id,valence,tempo\n{THREE},,\n")
    archive(small, "b_full.csv", f"id,valence,tempo\n{ONE},0.9,120\n{TWO},0.9,120\n{THREE},0.9,\n")
    assert small.load().exit_status == 2
    small.dbt("run")
    assert small.warehouse(
        "select title, valence::double, valence_source, tempo::double, tempo_source, feature_source from marts.tracks order by 1"
    ) == [
        ("1", 0.9, "spotify_archive", 120.0, "spotify_archive", "spotify_archive"),
        ("2", 0.9, "spotify_archive", 100.0, "study_features", "study_features"),
        ("3", 0.9, "spotify_archive", None, None, "spotify_archive"),
        ("4", None, None, None, None, None),
    ]
    assert small.warehouse(
        "select feature, feature_source, tracks, plays from marts.feature_coverage where feature in ('tempo', 'valence') and grouped_by = 'all' order by all"
    ) == [
        ("tempo", "none", 2, 2),
        ("tempo", "spotify_archive", 1, 1),
        ("tempo", "study_features", 1, 1),
        ("valence", "none", 1, 1),
        ("valence", "spotify_archive", 3, 3),
    ]


# What is written, and what is read: (valence, energy, tempo, loudness) of tracks 1, 2, 3; what was decided, doubted.
NUMBERS: dict[str, tuple[str, list[tuple[float | None, ...]], list[str], dict[str, int]]] = {
    "a decimal comma": (
        "id;valence;energy;tempo;loudness\n1;0,624;0,578;98,002;-11,84\n2;0,5;0,373;120,5;-18,556\n3;0,25;1;99,99;-7,5\n",
        [(0.624, 0.578, 98.002, -11.84), (0.5, 0.373, 120.5, -18.556), (0.25, 1.0, 99.99, -7.5)],
        ["decimal comma"],
        {},
    ),
    "a decimal comma, all with three digits": (
        'id,valence,tempo,loudness\n1,"0,624","98,002","-11,841"\n2,"0,500","120,501","-8,156"\n',
        [(0.624, None, 98.002, -11.841), (0.5, None, 120.501, -8.156)],
        ["decimal comma"],
        {},
    ),
    "a decimal comma told by the semicolons": (
        "id;tempo\n1;98,002\n2;120,500\n",
        [(None, None, 98.002, None), (None, None, 120.5, None)],
        ["decimal comma"],
        {},
    ),
    "points that part thousands beside a decimal comma": (
        "id\tvalence\ttempo\n1\t0,5\t1.021,5\n2\t0,25\t98,5\n",
        [(0.5, None, None, None), (0.25, None, 98.5, None)],
        ["decimal comma"],
        {"unreadable tempo": 1},
    ),
    "commas that part thousands": (
        'id,valence,tempo\n1,0.5,"1,021"\n2,0.25,98.5\n',
        [(0.5, None, None, None), (0.25, None, 98.5, None)],
        [],
        {"unreadable tempo": 1},
    ),
    "commas that may be either": (
        'id,energy,tempo\n1,0,"98,002"\n2,1,"120,500"\n',
        [(None, 0.0, None, None), (None, 1.0, None, None)],
        [],
        {"ambiguous tempo": 2},
    ),
    "a comma and a point in one column": (
        'id,energy,valence\n1,"0,5",0.5\n2,0.25,0.25\n',
        [(0.5, None, None, None), (0.25, None, None, None)],
        [],
        {"ambiguous energy": 2},
    ),
    "small numbers": (
        "id;valence;energy\n1;1,02E-05;0,5\n2;0;1\n",
        [(0.0000102, 0.5, None, None), (0.0, 1.0, None, None)],
        ["decimal comma"],
        {},
    ),
    "a hair above 1": (
        "id,valence,energy\n1,0.8,0.6\n2,0.4,1.0000001\n3,-0.0000001,0.2\n",
        [(0.8, 0.6, None, None), (0.4, 1.0, None, None), (0.0, 0.2, None, None)],
        [],
        {},
    ),
    "one value far above 1": (
        "id,valence,energy\n1,0.8,0.6\n2,0.4,57\n",
        [(0.8, 0.6, None, None), (0.4, None, None, None)],
        [],
        {"unreadable energy": 1},
    ),
    "one value above 1 in the only column": (
        "id,energy\n1,0.6\n2,1.5\n",
        [(None, 0.6, None, None)],
        [],
        {"unreadable energy": 1},
    ),
    "percent": (
        "id,valence,energy\n1,73,1\n2,5,0\n3,100,64\n",
        [(0.73, 0.01, None, None), (0.05, 0.0, None, None), (1.0, 0.64, None, None)],
        ["percent in energy, valence"],
        {},
    ),
    "percent, one row": ("id,valence,energy\n1,73,1\n", [], [], {"ambiguous valence": 1}),
    "percent, one row of several": (
        "id,valence,energy\n1,73,58\n",
        [(0.73, 0.58, None, None)],
        ["percent in energy, valence"],
        {},
    ),
    "percent signs": (
        "id;valence;energy\n1;73 %;0,5\n2;7,5%;0,25\n",
        [(0.73, 0.5, None, None), (0.075, 0.25, None, None)],
        ["decimal comma"],
        {},
    ),
    "fractions beside percent": (
        "id,valence,energy\n1,73,0.5\n2,5,0.25\n",
        [(0.73, 0.5, None, None), (0.05, 0.25, None, None)],
        ["percent in valence"],
        {},
    ),
    "fractions or small percentages": (
        "id,valence,energy\n1,73.5,0.5\n2,5.25,0.25\n",
        [(0.735, None, None, None), (0.0525, None, None, None)],
        ["percent in valence"],
        {"ambiguous energy": 2},
    ),
    "half of the rows in percent": (
        "id,valence,tempo\n1,73,100\n2,0.5,100\n3,64,100\n",
        [(None, None, 100.0, None)] * 3,
        [],
        {"ambiguous valence": 3},
    ),
    "words for nothing, and words": (
        "id,valence,energy,loudness,tempo\n1,NA,0.5,0.4,0\n2,null,high,-60,fast\n",
        [(None, 0.5, None, 0.4), (None, None, None, -60.0)],
        [],
        {"unreadable energy": 1, "unreadable tempo": 1},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", NUMBERS)
def test_numbers_are_read_as_they_were_written(study: SmallStudy, what: str) -> None:
    content, expected, decided, doubts = NUMBERS[what]
    lines = content.split("\n")
    for place, line in enumerate(lines):
        if line[:1] in ("1", "2", "3"):
            lines[place] = line[0] * 22 + line[1:]
    archive(study, "f.csv", "\n".join(lines))
    report = loaded(study)
    if expected:
        assert [row[1:] for row in values(study, "valence, energy, tempo, loudness")] == expected
    assert report.catalogue[0].decided == decided
    assert report.catalogue[0].doubts == doubts
    assert report.exit_status == (2 if doubts else 0)
    assert len([one for one in report.catalogue[0].advice if one.startswith("No value of")]) == sum(
        doubt.startswith("ambiguous") for doubt in doubts
    )


def test_keys_modes_and_metres_in_words_are_read(study: SmallStudy) -> None:
    archive(study, "f.csv", f"id,key,mode,time_signature\n{ONE},C#,Major,4/4\n{TWO},B♭,minor,3\n{THREE},-1,1,0\n{'4' * 22},H,dur,5/4\n")  # fmt: skip
    report = loaded(study)
    assert values(study, "musical_key, mode, time_signature") == [
        ("1", 1.0, 1.0, 4.0),
        ("2", 10.0, 0.0, 3.0),
        ("3", None, 1.0, None),
        ("4", None, None, 5.0),
    ]
    assert report.catalogue[0].doubts == {"unreadable musical_key": 1, "unreadable mode": 1}


BAD_ARCHIVES = {
    "it has no features": ("f.csv", "Track URI,Track Name\nspotify:track:x,y\n"),
    "it has no Spotify id": ("f.csv", "track_id,valence\nt_cf0164dd,0.5\n"),
    "its values are empty": ("f.csv", f"id,valence\n{ONE},\n"),
    "it is empty": ("f.csv", ""),
    "it has a header alone": ("f.csv", "id,valence\n"),
    "it is no table by its name": ("f.xlsx", "PK"),
    "its name is that of a companion": (".f.csv", f"id,valence\n{ONE},0.5\n"),
}


@pytest.mark.parametrize("why", BAD_ARCHIVES)
def test_a_bad_archive_is_refused_and_nothing_is_left_behind(study: SmallStudy, tmp_path: Path, why: str) -> None:
    name, content = BAD_ARCHIVES[why]
    file = tmp_path / name
    file.write_text(content)
    before = sorted(study.root.rglob("*"))
    done = consonance("catalog", "add", file, "--source", "spotify_archive", "--study", study.root)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert name in done.stderr.replace("\n", "")
    assert sorted(study.root.rglob("*")) == before


def test_an_archive_never_replaces_another(study: SmallStudy, tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    file.write_text(f"id,valence\n{ONE},0.5\n")
    kept = add_archive(study.study, file, "spotify_archive")
    assert add_archive(study.study, file, "spotify_archive") == kept
    file.write_text(f"id,valence\n{ONE},0.6\n")
    with pytest.raises(BadArchive, match="is there already, with other content"):
        add_archive(study.study, file, "spotify_archive")
    assert kept.read_text() == f"id,valence\n{ONE},0.5\n"
