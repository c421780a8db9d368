"""Exports: whole, described, permitted, and noted; and what cannot be exported is not."""

from __future__ import annotations

import csv
import json
import shutil
import stat
from collections.abc import Callable, Sequence
from hashlib import md5
from pathlib import Path
from typing import Any

import duckdb
import frictionless
import pytest
import yaml
from click.testing import CliRunner
from conftest import SmallStudy

from consonance.cli.export import export
from consonance.erasure.exports import exports_to_delete
from consonance.export import openesm, openesm_check
from consonance.export.folder import CannotExport
from consonance.export.openesm import export_openesm
from consonance.export.training import PURPOSES, export_training
from consonance.study.audit_log import anchor, read_entries, record
from consonance.study.dbt_command import PROJECT
from consonance.study.folder import Study
from consonance.study.vault import open_study


@pytest.fixture(scope="module")
def study(demo: SmallStudy, tmp_path_factory: pytest.TempPathFactory) -> SmallStudy:
    """A copy of the synthetic study: an export writes into the audit log."""
    root = tmp_path_factory.mktemp("export") / "study"
    shutil.copytree(demo.root, root)
    return SmallStudy(Study.find(root))


def read(path: Path) -> list[tuple[Any, ...]]:
    return duckdb.execute("from read_parquet($file)", {"file": str(path)}).fetchall()


def test_an_export_asks_for_every_purpose_that_all_rows_of_its_tables_need() -> None:
    asked = {
        ("marts", "training_examples"): set(PURPOSES),
        ("anonymized", "anon_emotion_answers"): set(openesm.PURPOSES) - {"sharing_controlled"},
        ("marts", "emotion_prompts"): set(openesm.PURPOSES) - {"sharing_controlled"},
    }
    assert "sharing_controlled" in openesm.PURPOSES
    for (layer, name), purposes in asked.items():
        file = PROJECT / "models" / layer / f"_{layer}__models.yml"
        (model,) = [one for one in yaml.safe_load(file.read_text(encoding="utf-8"))["models"] if one["name"] == name]
        declared = model["config"]["meta"]["purposes"]
        # Of two purposes one is enough: one of them is asked for by itself, too.
        assert {one for one, rows in declared.items() if rows is True and " or " not in one} == purposes, name


@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_training_examples_are_exported_whole_and_described(
    study: SmallStudy, tmp_path: Path, file_format: str
) -> None:
    folder = tmp_path / "it's data"
    made = export_training(study.study, folder, file_format)
    data = folder / f"training_examples.{file_format}"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == dict.fromkeys(
        (data.name, "dictionary.csv", "permissions.csv", "datapackage.json", "README.md"), 0o600
    )
    rows = study.warehouse("from marts.training_examples order by all")
    assert len(rows) == made.rows > 1_000
    if file_format == "parquet":
        assert sorted(read(data), key=repr) == sorted(rows, key=repr)
    columns = [name for name, *_ in study.warehouse("describe marts.training_examples")]
    with (folder / "dictionary.csv").open(encoding="utf-8", newline="") as file:
        entries = list(csv.DictReader(file))
    assert [entry["column"] for entry in entries] == columns
    assert all(entry["unit"] and entry["source"] and len(entry["meaning"]) > 10 for entry in entries)
    missing = dict(
        zip(columns, (sum(row[place] is None for row in rows) for place in range(len(columns))), strict=True)
    )
    assert {entry["column"]: int(entry["missing"]) for entry in entries} == missing
    sources = {entry["column"]: entry["source"] for entry in entries}
    assert sources["mean_valence"] == "synthetic"
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    assert list(frictionless.Package.metadata_validate(package)) == []
    assert package["consent"]["purposes"] == list(PURPOSES)
    assert {one["source_id"] for one in package["permissions"]} == {"synthetic"}
    if file_format == "csv":
        report = frictionless.Resource.from_descriptor(package["resources"][0], basepath=str(folder)).validate()
        assert report.valid, report.flatten(["rowNumber", "fieldName", "note"])[:3]
    words = (folder / "README.md").read_text(encoding="utf-8")
    assert str(study.root) not in words
    assert all(purpose in words for purpose in PURPOSES)
    with open_study(study.study, read_only=True) as connection:
        (entry,) = [entry for entry in read_entries(connection) if entry.number == made.entry]
    assert (entry.kind, json.loads(entry.facts)["rows"]) == ("exported", made.rows)


def test_a_withdrawal_names_the_exports_that_may_hold_the_participant(study: SmallStudy, tmp_path: Path) -> None:
    made = export_training(study.study, tmp_path / "data", "csv")
    with open_study(study.study) as connection:
        facts = {"what": "training_examples", "release": 7, "rows": 1, "persons": 1}
        number = record(connection, study.study, "exported", facts)
        anchor(connection, study.study)
    named = " ".join(exports_to_delete(study.study, []))
    assert f"entry {made.entry} of" in named and f"entry {number} of" not in named
    assert f"entry {number} of" in " ".join(exports_to_delete(study.study, [7]))


def test_reports_are_exported_in_the_shape_of_openesm(study: SmallStudy, tmp_path: Path) -> None:
    made = export_openesm(study.study, tmp_path / "esm", "Weber")
    assert sorted(path.name for path in (tmp_path / "esm").iterdir()) == [
        "0000_weber_metadata.json",
        "0000_weber_ts.tsv",
    ]
    with (tmp_path / "esm" / "0000_weber_ts.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    agreeing = "participant_id in (select participant_id from marts.participants where grants_sharing_controlled and grants_emotion_reports)"
    answers = study.warehouse(
        f"select participant_id, answered_at_local from anonymized.anon_emotion_answers where {agreeing}"
    )
    persons = {person for person, _ in answers}
    unanswered = study.warehouse(
        f"select participant_id, coalesce(prompted_at_local, opened_at_local) as moment from marts.emotion_prompts where status <> 'answered' and moment is not null and {agreeing}"
    )
    beeps = {*answers, *(prompt for prompt in unanswered if prompt[0] in persons)}
    assert len(rows) == made.rows == len(beeps)
    assert {row["id"] for row in rows} == {str(number + 1) for number in range(len(persons))}
    items = [name for name in rows[0] if name not in ("id", "day", "beep", "counter", "hour")]
    answered = sum(row[item] != "NA" for row in rows for item in items)
    assert answered == len(answers)
    for number in ("1", "2"):
        own = [row for row in rows if row["id"] == number]
        assert [int(row["counter"]) for row in own] == list(range(1, len(own) + 1))
        assert own[0]["day"] == "1" and own[0]["beep"] == "1"
        days = [int(row["day"]) for row in own]
        assert days == sorted(days)
    metadata = json.loads((tmp_path / "esm" / "0000_weber_metadata.json").read_text(encoding="utf-8"))
    assert [feature["name"] for feature in metadata["features"]] == list(rows[0])
    for part, words in (
        ("participants", "25-34, 75 and over"),
        ("additional_comments", "Since 2024-03-01."),
        ("since", "2024"),
    ):
        (told,) = openesm_check._other_words(metadata | {part: words})
        assert words not in told
    assert metadata["n_participants"] == len(persons) == made.persons
    assert metadata["implicit_missingness"] == "no"
    scales = [feature for feature in metadata["features"] if feature["variable_type"] == "rating_scale"]
    assert len(scales) == len(items)
    assert all(feature["answer_categories"] and feature["source"] for feature in scales)
    # No pseudonym, no date.
    assert not any(person in (tmp_path / "esm" / "0000_weber_ts.tsv").read_text() for person in persons)


def test_two_exports_number_people_differently_and_in_no_order_that_can_be_made_again(
    study: SmallStudy, tmp_path: Path
) -> None:
    def first_answers(name: str) -> dict[str, str]:
        export_openesm(study.study, tmp_path / name, "weber")
        rows: dict[str, list[str]] = {}
        with (tmp_path / name / "0000_weber_ts.tsv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                rows.setdefault(row.pop("id"), []).append(str(row))
        return {" ".join(answers): number for number, answers in rows.items()}

    one, two = first_answers("one"), first_answers("two")
    assert one.keys() == two.keys() and len(one) > 20
    assert sum(one[answers] == two[answers] for answers in one) < len(one) / 2


def _day_of_the_calendar(text: str) -> str:
    lines = text.splitlines()
    moved = [
        "\t".join([cells[0], str(int(cells[1]) + 9_000), *cells[2:]])
        for cells in (line.split("\t") for line in lines[1:])
    ]
    return "\n".join([lines[0], *moved]) + "\n"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_day_of_the_calendar, "day does not begin with 1"),
        (lambda text: text.replace("\tbeep\t", "\tpseudonym\t", 1), "its columns are not id, day"),
        (lambda text: text.replace("\n1\t", "\n77\t"), "id is not 1, 2, 3"),
        (lambda text: text[: text.rstrip().rfind("\t")] + "\tfree text\n", "has texts"),
        (lambda text: text[: text.rstrip().rfind("\t")] + "\t20230501\n", "numbers that are no answers"),
    ],
)  # fmt: skip
def test_an_export_that_tells_too_much_is_refused(
    study: SmallStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[str], str], said: str
) -> None:
    written = openesm._write_beeps

    def spoiled(connection: duckdb.DuckDBPyConnection, path: Path, persons: Sequence[str]) -> int:
        beeps = written(connection, path, persons)
        path.write_text(spoil(path.read_text(encoding="utf-8")), encoding="utf-8")
        return beeps

    monkeypatch.setattr(openesm, "_write_beeps", spoiled)
    with pytest.raises(CannotExport, match=said):
        export_openesm(study.study, tmp_path / "esm", "weber")
    assert not (tmp_path / "esm").exists()


@pytest.mark.parametrize(
    "order", [sorted, lambda persons: sorted(persons, key=lambda one: md5(one.encode()).hexdigest())[::-1]]
)
def test_numbers_in_an_order_of_the_pseudonyms_are_refused(
    study: SmallStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: Callable[[list[str]], list[str]]
) -> None:
    monkeypatch.setattr(openesm, "_shuffled", order)
    with pytest.raises(CannotExport, match="id follows the order of the pseudonyms"):
        export_openesm(study.study, tmp_path / "esm", "weber")


def test_who_does_not_grant_every_purpose_is_refused_also_if_the_query_takes_them(
    demo_copy: SmallStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everyone = [person for (person,) in demo_copy.vault("select pseudonym from vault.raw.keyring")]
    monkeypatch.setattr(openesm, "_persons", lambda _: everyone)
    with pytest.raises(CannotExport, match="do not grant emotion_reports, sharing_controlled"):
        export_openesm(demo_copy.study, tmp_path / "esm", "weber")


def test_what_may_not_be_exported_is_not(demo_copy: SmallStudy, tmp_path: Path) -> None:
    study = demo_copy.study
    with pytest.raises(CannotExport, match="is in the study folder"):
        export_training(study, study.root / "data", "csv")
    (tmp_path / "there").mkdir()
    with pytest.raises(CannotExport, match="exists already"):
        export_training(study, tmp_path / "there", "csv")
    with pytest.raises(CannotExport, match="cannot be made"):
        export_training(study, tmp_path / "nowhere" / "data", "csv")
    for release in ("3", "current", "../1"):
        with pytest.raises(CannotExport, match="There is no release"):
            export_training(study, tmp_path / "data", "csv", release)
    with pytest.raises(CannotExport, match="cannot be in the name"):
        export_openesm(study, tmp_path / "data", "../weber")
    # Somebody takes a purpose back, and nobody has built the warehouse again.
    with open_study(study) as connection:
        connection.execute(
            "insert into vault.raw.consent_events select 9000 + row_number() over (order by participant_code), participant_code, 'amended', ['listening_history'], 'v1', '2026-02-01', null, null from vault.raw.keyring"
        )
    with pytest.raises(CannotExport, match="do not grant ml_training"):
        export_training(study, tmp_path / "data", "csv")
    with pytest.raises(CannotExport, match="nobody with emotion reports grants"):
        export_openesm(study, tmp_path / "data", "weber")
    with open_study(study) as connection:
        record(connection, study, "load_started", {})
        anchor(connection, study)
    with pytest.raises(CannotExport, match="The vault was changed after"):
        export_training(study, tmp_path / "data", "csv")
    assert not (tmp_path / "data").exists() and sorted(tmp_path.iterdir()) == [tmp_path / "study", tmp_path / "there"]


def test_the_command_says_what_it_did(study: SmallStudy, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        export, ["training", str(tmp_path / "data"), "--format", "csv", "--study", str(study.root)]
    )
    assert done.exit_code == 0, done.output
    assert "training examples of" in done.output and "you answer for every copy" in done.output
