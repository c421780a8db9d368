"""No message of a load quotes an input: neither what it prints, nor its report, nor what it raises or writes."""

from __future__ import annotations

import ast
import io
import json
import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from conftest import SmallStudy, account_play, as_zip, play
from rich.console import Console

from consonance.cli.load_report import print_load
from consonance.study.dbt_command import PROJECT
from consonance.study.errors import ConsonanceError

# It is no number, no date, no zone, no purpose and no code of a country, and is too long to occur by chance.
CANARY = "zq7-canary-of-the-input"
ENROLMENT = {
    "birth_year": "1990",
    "gender": "female",
    "country": "DE",
    "timezone": "Europe/Berlin",
    "enrolled_at": "2025-01-01",
}
EVENT = {
    "event": "granted", "purposes": "listening_history", "form_version": "v1", "occurred_at": "2025-01-01T10:00:00+00:00",
    "history_from": "", "history_to": "",
}  # fmt: skip
NOTICE = {"language": "en", "title": "Information", "file": "notice-v1.txt", "sha256": "0" * 64}
SCALE = {
    "instrument": "calmness", "scale": "calm", "answer_min": "0", "answer_max": "10", "score_as": "mean", "max_missing": "0",
    "dimension": "",
}  # fmt: skip
ITEM = {"instrument": "calmness", "scale": "calm", "item": "relaxed", "is_reversed": "false"}
ANSWER = {
    "participant_code": "P1", "answered_at": "2023-05-01T10:00:00+00:00", "instrument": "panas", "item": "interested", "answer": "3",
}  # fmt: skip
TRACK = {
    "spotify_id": "0" * 22,
    "artist": "An Artist",
    "title": "A Title",
    "isrc": "DEA010000001",
    "valence": "0.5",
    "tempo": "120",
}


def _lines(first: Mapping[str, str], rest: Mapping[str, str]) -> str:
    """A table with the canary in each column once, and in ``rest`` alone if ``first`` says whose a row is."""
    rows = [
        [*({name: f"{value}{number}" for name, value in first.items()} | rest | {column: CANARY}).values()]
        for number, column in enumerate(rest, start=2)
    ]
    return "".join(",".join(row) + "\n" for row in rows)


def _table(row: Mapping[str, str]) -> str:
    return ",".join(row) + "\n" + _lines({}, row)


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


@pytest.fixture
def told(small: SmallStudy, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """What a load told in any way. At the end of the test nothing of it has the canary, and something was told."""
    texts: list[str] = []
    caplog.set_level(logging.DEBUG)
    yield texts
    captured = capfd.readouterr()
    texts += [captured.out, captured.err, caplog.text]
    texts += [
        str(row)
        for table in ("vault.raw.audit_log", "catalogue.music.archive_files")
        for row in small.vault(f"from {table}")
    ]
    texts += [path.read_text(encoding="utf-8") for path in small.root.glob("*.log*")]
    assert any(texts)
    assert not [text for text in texts if CANARY in text.lower()]


def _load(small: SmallStudy) -> list[str]:
    try:
        report = small.load()
    except ConsonanceError as error:
        return [str(error), repr(error), str(error.__cause__)]
    out = io.StringIO()
    print_load(report, Console(file=out, width=200))
    return [json.dumps(report.as_json(), default=str), out.getvalue()]


@pytest.mark.parametrize(
    ("file", "lines"),
    [
        ("participants.csv", _lines({"participant_code": "P"}, ENROLMENT)),
        ("consents.csv", _lines({"participant_code": "P"}, EVENT)),
        ("notices.csv", _lines({"form_version": "w"}, NOTICE)),
        ("study.yml", f"\nas_of: '{CANARY}'\none_history: [{{codes: ['{CANARY}'], decision: '{CANARY}'}}]\n"),
    ],
)
def test_a_table_that_is_refused_is_not_quoted(small: SmallStudy, told: list[str], file: str, lines: str) -> None:
    small.admit("P1")
    _append(small.root / file, lines)
    told += _load(small)
    assert "line" in told[0] or "study.yml" in told[0]


def test_what_is_rejected_doubted_or_landed_is_not_quoted(small: SmallStudy, told: list[str]) -> None:
    small.admit("P1", purposes="listening_history emotion_reports library demographics")
    rows = [play(ts=f"2023-05-01T10:{minute:02}:00Z") | {key: CANARY} for minute, key in enumerate(play())]
    rows += [play() | {key: [CANARY]} for key in play()] + [play() | {CANARY: CANARY}]
    small.donate("P1", [play(), *rows])
    accounts = [account_play() | {key: CANARY} for key in account_play()]
    as_zip(
        small.study.inbox / "P1" / "account.zip",
        {
            "MyData/StreamingHistory_music_0.json": [account_play(), *accounts],
            "MyData/YourLibrary.json": {"tracks": [{"artist": CANARY, "track": CANARY, "uri": CANARY}]},
            "MyData/Broken.json": json.dumps([play()])[:-9] + CANARY,
            "MyData/Identity.json": {"displayName": CANARY},
        },
    )
    (small.study.instruments / "scales.csv").write_text(_table(SCALE), encoding="utf-8")
    (small.study.instruments / "items.csv").write_text(_table(ITEM), encoding="utf-8")
    (small.study.surveys / "mood.csv").write_text(_table(ANSWER), encoding="utf-8")
    (small.study.surveys / "broken.csv").write_text(f'a,b\n"{CANARY}\n', encoding="utf-8")
    features = small.study.catalogue / "study_features" / "features.csv"
    features.parent.mkdir(parents=True)
    features.write_text(_table(TRACK), encoding="utf-8")
    told += _load(small)
    report = json.loads(told[0])
    assert report["totals"]["rejected"] > 5
    assert report["surveys"]["surveys/mood.csv"]["rejected"] >= 3


ALLOWED = re.compile(r"len\(\w+\)|[A-Z_]+|', '\.join\([A-Z_]+\)")
# Names of columns, which are in the code or in a map of the operator's.
COLUMNS = {
    ("consonance/study/tables.py", "column"), ("consonance/consent/forms.py", "unknown[0]"),
    ("consonance/consent/forms.py", "foreign"), ("loaders/instruments.py", "odd[0]"),
}  # fmt: skip


def test_what_is_said_of_a_line_is_written_in_the_code() -> None:
    """A fault of a line of the operator's tables is a fixed text: whatever is put into it may be a cell."""
    put_in = {
        (module.relative_to(PROJECT).as_posix(), ast.unparse(value.value))
        for folder in ("consonance", "loaders")
        for module in (PROJECT / folder).rglob("*.py")
        for call in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "fault"
        for argument in call.args[1:]
        for value in ast.walk(argument)
        if isinstance(value, ast.FormattedValue)
    }
    assert put_in, "the texts are looked for where they are"
    wrong = {one for one in put_in if not ALLOWED.fullmatch(one[1])} - COLUMNS
    assert not wrong, f"These values are put into messages about lines, which must not quote a cell: {wrong}."
