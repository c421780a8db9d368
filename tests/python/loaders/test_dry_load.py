"""A load that lands nothing says what a load does, and leaves every byte of the study as it is."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from conftest import SmallStudy, account_play, play

from consonance.cli.commands import cli
from consonance.study.tables import BadTable
from loaders.dry_load import dry_load, shape

SECRET = "Nobody may read this title"


def bytes_of(small: SmallStudy) -> dict[str, tuple[bytes, int]]:
    return {
        path.relative_to(small.root).as_posix(): (path.read_bytes(), path.stat().st_mode)
        for path in small.root.rglob("*")
        if path.is_file()
    }


def test_it_says_what_the_load_then_does_and_changes_nothing(small: SmallStudy) -> None:
    small.admit("P001")
    small.enrol("P002")
    small.donate("P001", [play()], name="before.zip")
    small.load()
    rows = [
        play(ts="2024-01-01T10:00:00Z"),
        play(ts="31.12.2023, Jan", master_metadata_track_name=SECRET),
        play(ms_played=-5),
    ]
    small.donate("P001", rows, name="new.zip")
    small.donate("P002", [account_play()])
    (small.study.surveys / "odd.csv").write_text("participant_code,answered_at\nP001,now\n", encoding="utf-8")
    before = bytes_of(small)
    dry = dry_load(small.study)
    assert bytes_of(small) == before
    assert [(one.reason, one.row) for one in dry.examples] == [("negative_duration", 3), ("unreadable_time", 2)]
    assert dry.examples[1].fields["ts"] == "text like 99.99.9999, aaa"
    assert dry.examples[1].fields["master_metadata_track_name"] == "text of 26 characters"
    assert dry.examples[0].fields["ms_played"] == "number like -9"
    done = CliRunner().invoke(cli, ["load", "--dry-run", "--study", str(small.root)])
    assert bytes_of(small) == before
    assert SECRET not in done.output + json.dumps(dry.as_json())
    assert "3 rows of extended history, 1 to land, 2 to reject" in " ".join(done.output.split())
    load = small.load()
    assert load.as_json() | {"closed_to_others": []} == dry.report.as_json()  # whom a dry load does not keep out
    assert load.exit_status == done.exit_code == 2


def test_its_errors_name_the_files_of_the_study(small: SmallStudy) -> None:
    small.enrol("no code!")
    with pytest.raises(BadTable) as error:
        dry_load(small.study)
    assert str(error.value).startswith(f"{small.study.participants_path} cannot be used")
    assert not list(small.root.glob(".dry-load-*"))


def test_a_shape_is_no_value() -> None:
    values = {
        "title": "Tom",
        "ts": "Anna 7 May",
        "ms_played": 1234,
        "flag": True,
        "none": None,
        "list": ["x"],
        "object": {"x": 1},
    }
    assert {key: shape(key, value) for key, value in values.items()} == {
        "title": "text of 3 characters",
        "ts": "text like aaaa 9 aaa",
        "ms_played": "number like 9999",
        "flag": "true or false",
        "none": "nothing",
        "list": "a list of 1",
        "object": "an object with 1 keys",
    }
