"""Instruments: those of ``seeds/`` are whole, and a study adds its own, as docs/instruments.md says."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import duckdb
import fsspec
import pytest
from conftest import SmallStudy, lay_out_small

from consonance.study.dbt_command import PROJECT
from consonance.study.folder import Study
from consonance.study.layout import ITEMS as ITEMS_TEMPLATE
from consonance.study.layout import SCALES as SCALES_TEMPLATE
from consonance.study.tables import BadTable
from loaders.instruments import ITEM_COLUMNS, SCALE_COLUMNS, OwnInstruments, known_instruments, own_instruments

SCALES, ITEMS = ",".join(SCALE_COLUMNS), ",".join(ITEM_COLUMNS)
CALM = "calm,calm,0,10,mean,0,"
RELAXED = "calm,calm,relaxed,false"
DOCS = (PROJECT / "docs" / "instruments.md").read_text(encoding="utf-8")


def seed(name: str) -> list[dict[str, str]]:
    with (PROJECT / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def define(root: Path, scales: str, items: str) -> Study:
    """A folder ``instruments/`` with two tables."""
    study = Study(root)
    study.instruments.mkdir(parents=True, exist_ok=True)
    (study.instruments / "scales.csv").write_text(scales + "\n", encoding="utf-8")
    (study.instruments / "items.csv").write_text(items + "\n", encoding="utf-8")
    return study


def test_every_instrument_of_the_seeds_is_whole_and_documented() -> None:
    instruments = {row["instrument"]: row for row in seed("instruments")}
    scales = {(row["instrument"], row["scale"]): row for row in seed("instrument_scales")}
    items = seed("instrument_items")
    assert {instrument for instrument, _ in scales} == set(instruments)
    assert {(row["instrument"], row["scale"]) for row in items} == set(scales)
    for instrument in instruments:
        places = [int(row["position"]) for row in items if row["instrument"] == instrument]
        assert sorted(places) == list(range(1, len(places) + 1)), instrument
        assert DOCS.count(f"| `{instrument}` |") == 1, instrument
    for (instrument, scale), row in scales.items():
        expected = sum(item["instrument"] == instrument and item["scale"] == scale for item in items)
        assert 0 <= int(row["max_missing"]) < expected and int(row["answer_min"]) < int(row["answer_max"])
        assert re.search(rf"\| `{instrument}` \|.*`{scale}`", DOCS), (instrument, scale)
        dois = re.findall(r"doi:\S+[^\s).,;]", instruments[instrument]["citation"] + " " + row["missing_rule"])
        assert all(doi in DOCS for doi in dois), instrument


def test_texts_are_of_items_that_may_be_printed_and_each_language_is_whole() -> None:
    may_print = {row["instrument"] for row in seed("instruments") if row["may_print_items"] == "true"}
    items = {(row["instrument"], row["item"]) for row in seed("instrument_items")}
    texts = seed("instrument_item_texts")
    assert len({(row["instrument"], row["item"], row["language"]) for row in texts}) == len(texts)
    for instrument, language in {(row["instrument"], row["language"]) for row in texts}:
        assert instrument in may_print
        found = {(row["instrument"], row["item"]) for row in texts if row["language"] == language}
        assert {item for item in items if item[0] == instrument} <= found, (instrument, language)


def test_the_templates_of_a_new_study_define_nothing_and_their_examples_can_be_used(tmp_path: Path) -> None:
    assert own_instruments(Study(tmp_path / "none")) == OwnInstruments()
    assert own_instruments(define(tmp_path / "new", SCALES_TEMPLATE, ITEMS_TEMPLATE)) == OwnInstruments()
    used = (re.sub(r"^# (?=calmness)", "", text, flags=re.MULTILINE) for text in (SCALES_TEMPLATE, ITEMS_TEMPLATE))
    own = own_instruments(define(tmp_path / "used", *used))
    assert own.scales == (("calmness", "calm", 0, 10, "mean", "0", None),)
    assert own.items == (("calmness", "calm", "relaxed", False), ("calmness", "calm", "hectic", True))


def test_the_items_of_the_study_are_known_beside_those_of_the_seeds(tmp_path: Path) -> None:
    study = define(tmp_path, f"{SCALES}\nCalm,Calm,-3,3,sum,1,Arousal", f"{ITEMS}\ncalm,calm,Ruhig,FALSE")
    with duckdb.connect() as connection:
        connection.register_filesystem(fsspec.filesystem("memory"))
        known_instruments(connection, study)
        ranges = "select * from instrument_ranges where instrument = '{}' order by position"
        assert connection.execute(ranges.format("calm")).fetchall() == [("calm", "ruhig", "calm", -3, 3, 1)]
        assert connection.execute(ranges.format("vas")).fetchall() == [
            ("vas", "valence", "valence", 0, 100, 1),
            ("vas", "arousal", "arousal", 0, 100, 2),
        ]
        texts = "select text from instrument_item_texts where instrument = 'panas' and item = 'upset' order by text"
        assert connection.execute(texts).fetchall() == [("upset",), ("verärgert",)]
        (study.instruments / "items.csv").unlink()
        known_instruments(connection, study)
        assert connection.execute(ranges.format("calm")).fetchall() == []


FAULTS = {
    "no items": (CALM, "", "line 2 has a scale without items"),
    "no scale": ("", RELAXED, "line 2 has a scale that scales.csv does not have"),
    "a name of seeds": (
        "panas,calm,0,10,mean,0,",
        "panas,calm,a,false",
        "line 2 has the name of an instrument of seeds/",
    ),
    "no name": (f"{CALM}\n,calm,0,10,mean,0,", RELAXED, "line 3 has no name in instrument"),
    "a telephone number": (CALM, f"{RELAXED}\ncalm,calm,0151 2345678,false", "line 3 has no name in item"),
    "an address": (CALM, f"{RELAXED}\ncalm,calm,anna@example.org,false", "line 3 has no name in item"),
    "ends turned round": (CALM.replace("0,10", "10,0"), RELAXED, "no smallest and greatest answer"),
    "no number": (CALM.replace("10", "ten"), RELAXED, "no smallest and greatest answer"),
    "no end": (CALM.replace("10", "inf"), RELAXED, "no smallest and greatest answer"),
    "another score": (CALM.replace("mean", "median"), RELAXED, "neither sum nor mean"),
    "half an item": (CALM.replace("mean,0", "mean,0.5"), RELAXED, "no whole number in max_missing"),
    "another dimension": (CALM + "joy", RELAXED, "valence, arousal or nothing in dimension"),
    "two of one dimension": (
        "calm,a,0,10,mean,0,valence\ncalm,b,0,10,mean,0,valence",
        "calm,a,x,false\ncalm,b,y,false",
        "line 3 repeats a dimension",
    ),
    "a scale twice": (f"{CALM}\n{CALM}", RELAXED, "line 3 repeats a scale"),
    "an item twice": (CALM, f"{RELAXED}\n{RELAXED}", "line 3 repeats an item"),
    "perhaps reversed": (CALM, RELAXED.replace("false", "maybe"), "neither true nor false"),
    "a value too many": (CALM + ",", RELAXED, "line 2 has 8 values"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, fault: str) -> None:
    scales, items, message = FAULTS[fault]
    study = define(tmp_path, f"{SCALES}\n{scales}", f"{ITEMS}\n{items}")
    with pytest.raises(BadTable, match=re.escape(message)) as raised:
        own_instruments(study)
    assert "anna" not in str(raised.value) and "0151" not in str(raised.value)


def test_a_load_takes_the_instruments_of_the_study_together_or_not_at_all(small: SmallStudy) -> None:
    landed = (
        "select (select count(*) from vault.raw.instrument_scales), (select count(*) from vault.raw.instrument_items)"
    )
    assert small.load().instruments == []
    define(small.root, f"{SCALES}\n{CALM}", f"{ITEMS}\n{RELAXED}\ncalm,calm,hectic,true")
    report = small.load()
    assert {file.file: file.landed for file in report.instruments} == {
        "instruments/scales.csv": 1,
        "instruments/items.csv": 2,
    }
    assert report.exit_status == 0 and small.vault(landed) == [(1, 2)]
    define(small.root, f"{SCALES}\n{CALM}", f"{ITEMS}\n{RELAXED}\ncalm,other,hectic,true")
    (small.study.instruments / "texts.docx").write_bytes(b"PK")
    report = small.load()
    assert {file.file: file.not_read for file in report.instruments} == {
        "instruments/texts.docx": "unknown_file",
        "instruments": "bad_table",
    }
    assert report.exit_status == 2 and small.vault(landed) == [(0, 0)]
    assert any("line 3 has a scale" in advice for file in report.instruments for advice in file.advice)


# Not all within the range, and not one lower than they should be either: there is a 5.
PANAS_ANSWERS = {"interested": 0, "distressed": 0, "afraid": 5}


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> SmallStudy:
    """The study of docs/instruments.md, with the answers given there, and a PANAS with answers below 1."""
    made = lay_out_small(tmp_path_factory.mktemp("instruments") / "study")
    tables = re.findall(r"`(instruments/\w+\.csv)`.*\n\n((?:    .*\n)+)", DOCS)
    assert [name for name, _ in tables] == ["instruments/scales.csv", "instruments/items.csv"]
    for name, block in tables:
        (made.root / name).write_text(re.sub(r"^    ", "", block, flags=re.MULTILINE), encoding="utf-8")
    sentence = re.search(r"An answer of .* gives:", DOCS)
    assert sentence
    given = re.findall(r"(\d+) to `(\w+)`", sentence[0])
    panas = [row["item"] for row in seed("instrument_items") if row["instrument"] == "panas"]
    answers = [
        *(f"evening_mood,{item},{answer}" for answer, item in given),
        *(f"panas,{item},{PANAS_ANSWERS.get(item, 2)}" for item in panas),
        *(f"gad_7,item_{number},1" for number in range(1, 7)),
        "unheard_of,mood,3",
    ]
    made.admit("P1")
    (made.study.surveys / "answers.csv").write_text(
        "participant_code,answered_at,instrument,item,answer\n"
        + "".join(f"P1,2025-05-01T10:00:00+02:00,{answer}\n" for answer in answers)
    )
    made.load()
    made.dbt("run", "--select", "+emotion_scores")
    return made


@pytest.mark.slow
def test_a_study_adds_an_instrument_as_the_docs_say(scored: SmallStudy) -> None:
    table = re.findall(r"^\| (\w+) \| ([\d.]+) \| (\d+) \| (\d+) \| ([\d.]*) *\|$", DOCS, re.MULTILINE)
    assert len(table) == 2
    expected = [
        (scale, *map(float, numbers), float(common) if common else None, "scored") for scale, *numbers, common in table
    ]
    assert expected == scored.warehouse(
        """
        select scale, score, score_min, score_max, dimension_score, score_status
        from marts.emotion_scores where instrument = 'evening_mood' order by scale
        """
    )
    assert scored.warehouse("select valence from marts.emotion_reports where instrument = 'evening_mood'") == [(0.6,)]


@pytest.mark.slow
def test_a_report_says_why_it_has_no_score(scored: SmallStudy) -> None:
    assert scored.warehouse(
        """
        select instrument, score_status, items_expected, items_answered, positive_affect
        from marts.emotion_reports where instrument <> 'evening_mood' order by instrument
        """
    ) == [
        ("gad_7", "too_many_missing", 7, 6, None),
        ("panas", "outside_range", 20, 20, None),
        ("unheard_of", "unknown_instrument", 0, 0, None),
    ]
