"""Permissions of features, on data: which cells are there, and that nothing else changes when a permission does."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import EVERYTHING, SmallStudy, copy_project, play
from forks import DBT, Forks

from consonance.checks.checkpoint import run_checkpoint
from consonance.checks.rules import all_rules
from consonance.study.folder import STUDY_VARIABLE
from consonance.study.vault import open_catalogue, open_study

IDS = [letter * 22 for letter in "ABCDE"]
# By source, in the order of preference: the first two are permitted nothing, the last one everything. Track E is unknown.
VALUES: dict[str, dict[str, tuple[Any, Any]]] = {
    "study_features": {"A": (0.1, ""), "D": (0.1, 0.15)},
    "spotify_archive": {"A": (0.2, 0.25), "B": (0.2, 0.25), "D": (0.2, "")},
    "synthetic": {"A": (0.3, 0.35), "B": (0.3, ""), "C": (0.3, 0.35)},
}
Cells = dict[tuple[str, str], tuple[float, str]]


@dataclass(frozen=True)
class Copied:
    """A study, and a copy of the project that builds it: there licences may be changed."""

    study: SmallStudy
    project: Path
    forks: Forks

    def build(self, *arguments: str) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DBT")}
        environment |= {STUDY_VARIABLE: str(self.study.root), "PYTHONPATH": str(self.project)}
        done = self.forks.run([DBT, "--no-use-colors", "run", "--no-write-json", *arguments], self.project, environment)
        assert done.returncode == 0, done.stdout[-3000:]

    def build_again(self) -> None:
        """Build what depends on the permissions; nothing else can change."""
        self.build("--select", "stg_feature_use+", "feat_source_permissions+")

    def license(self, source: str, train: bool, redistribute: bool) -> None:
        """What the licence of ``source`` permits, from the next build on."""
        path = self.project / "seeds" / "feature_sources.csv"
        flags = f",{str(train).lower()},{str(redistribute).lower()},"
        pattern = rf"(?m)^({source},.*?),(?:true|false),(?:true|false),"
        text, count = re.subn(pattern, rf"\1{flags}", path.read_text(encoding="utf-8"))
        assert count == 1
        path.write_text(text, encoding="utf-8")

    def shown_for(self, use: str | None) -> None:
        """Make it the study that a release is made of, or a study again."""
        with open_study(self.study.study) as connection:
            connection.execute("delete from vault.raw.feature_use")
            if use:
                connection.execute("insert into vault.raw.feature_use values (?)", [use])

    def trained(self) -> Cells:
        return {
            (letter, feature): (value, source)
            for letter, feature, value, source in self.study.warehouse(
                """
                select substring(spotify_uri, 15, 1), feature, value, source_id
                from features.feat_training_values
                inner join anonymized.anon_tracks using (track_id)
                """
            )
        }

    def examples(self) -> dict[tuple[str, str], float]:
        """The means of the quarter of an hour before each report, in which one track was heard."""
        return {
            (letter, feature): mean
            for letter, feature, mean in self.study.warehouse(
                """
                select substring(spotify_uri, 15, 1), feature, mean
                from (unpivot (select report_id, emotion_window, mean_valence as valence, mean_energy as energy from marts.training_examples) on valence, energy into name feature value mean)
                inner join features.feat_emotion_report_plays using (report_id, emotion_window)
                inner join marts.tracks using (track_id)
                where emotion_window = 'before_15m'
                """
            )
        }

    def shown(self) -> Cells:
        """The cells of ``marts.tracks``."""
        rows = self.study.warehouse(
            "select substring(spotify_uri, 15, 1), valence::double, valence_source, energy::double, energy_source from marts.tracks"
        )
        cells = {}
        for letter, valence, valence_source, energy, energy_source in rows:
            cells[letter, "valence"] = (valence, valence_source)
            cells[letter, "energy"] = (energy, energy_source)
        return {place: cell for place, cell in cells.items() if cell != (None, None)}

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        tables = self.study.warehouse(
            "select table_schema || '.' || table_name from information_schema.tables where table_type = 'BASE TABLE' order by all"
        )
        return {table: self.study.warehouse(f"from {table} order by all") for (table,) in tables}

    def broken(self, rule: str) -> int:
        """Violations of the rules whose names begin with ``rule``."""
        results = run_checkpoint(self.study.study, [one for one in all_rules() if one.name.startswith(rule)])
        return sum(1 if result.violations is None else result.violations for result in results)


@pytest.fixture
def copied(small: SmallStudy, tmp_path: Path, forks: Forks) -> Copied:
    small.admit("P1", purposes=f"{EVERYTHING} ml_training")
    small.donate("P1", [play(f"2023-05-0{n}T10:00:00Z", spotify_track_uri=f"spotify:track:{one}", master_metadata_track_name=f"Song {one[0]}") for n, one in enumerate(IDS, start=1)])  # fmt: skip
    lines = [
        f"P1,2023-05-0{n}T10:05:00+00:00,affect_grid,{item},7" for n in range(1, 6) for item in ("valence", "arousal")
    ]
    (small.study.surveys / "grid.csv").write_text(
        "\n".join(["participant_code,answered_at,instrument,item,answer", *lines])
    )
    for source, values in VALUES.items():
        file = small.study.catalogue / source / "features.csv"
        file.parent.mkdir(parents=True)
        rows = [f"{letter * 22},{valence},{energy}" for letter, (valence, energy) in values.items()]
        file.write_text("\n".join(["id,valence,energy", *rows]) + "\n")
    small.load()
    project = tmp_path / "project"
    copy_project(project)
    return Copied(small, project, forks)


TRAINED: Cells = {
    ("A", "valence"): (0.3, "synthetic"),
    ("A", "energy"): (0.35, "synthetic"),
    ("B", "valence"): (0.3, "synthetic"),
    ("C", "valence"): (0.3, "synthetic"),
    ("C", "energy"): (0.35, "synthetic"),
}
SHOWN: Cells = {
    ("A", "valence"): (0.1, "study_features"),
    ("A", "energy"): (0.25, "spotify_archive"),
    ("B", "valence"): (0.2, "spotify_archive"),
    ("B", "energy"): (0.25, "spotify_archive"),
    ("C", "valence"): (0.3, "synthetic"),
    ("C", "energy"): (0.35, "synthetic"),
    ("D", "valence"): (0.1, "study_features"),
    ("D", "energy"): (0.15, "study_features"),
}
# The cells that come to spotify_archive, if it may be trained on, or passed on.
ARCHIVED: Cells = {
    ("A", "valence"): (0.2, "spotify_archive"),
    ("A", "energy"): (0.25, "spotify_archive"),
    ("B", "valence"): (0.2, "spotify_archive"),
    ("B", "energy"): (0.25, "spotify_archive"),
    ("D", "valence"): (0.2, "spotify_archive"),
}
# The last one counts the rows of the others.
TRAINED_ON = {
    "features.feat_training_values",
    "features.feat_training_window_features",
    "marts.training_examples",
    "marts.training_sources",
    "audit.consent_coverage",
}
SAY_SO = {"features.feat_source_permissions", "reference.feature_sources", "marts.feature_coverage"}


def values(cells: Cells) -> dict[tuple[str, str], float]:
    return {place: value for place, (value, _) in cells.items()}


def test_a_licence_changes_its_own_cells_and_nothing_else(copied: Copied) -> None:
    copied.build()
    assert (copied.trained(), copied.shown()) == (TRAINED, SHOWN)
    assert copied.examples() == values(TRAINED)
    assert copied.broken("P2") == 0
    before = copied.everything()

    copied.license("spotify_archive", train=True, redistribute=False)
    copied.build_again()
    assert (copied.trained(), copied.shown()) == (TRAINED | ARCHIVED, SHOWN)
    assert copied.examples() == values(TRAINED | ARCHIVED)
    assert copied.broken("P2") == 0
    after = copied.everything()
    changed = {table for table in before | after if before.get(table) != after.get(table)}
    assert changed <= SAY_SO | TRAINED_ON
    # The other way round, everything is as it was.
    copied.license("spotify_archive", train=False, redistribute=False)
    copied.build_again()
    assert copied.everything() == before

    # A release has the cells of the sources that may be passed on, and their values.
    copied.shown_for("release")
    copied.build_again()
    assert copied.shown() == copied.trained() == TRAINED
    assert copied.examples() == values(TRAINED)
    assert {source for (source,) in copied.study.warehouse("select distinct source_id from features.feat_track_source_values")} == {"synthetic"}  # fmt: skip
    before = copied.everything()
    copied.license("spotify_archive", train=False, redistribute=True)
    copied.build_again()
    assert (copied.trained(), copied.shown()) == (TRAINED, TRAINED | ARCHIVED)
    after = copied.everything()
    changed = {table for table in before | after if before.get(table) != after.get(table)}
    assert "marts.plays" in changed
    untouched = {"anonymized", "sessionized", "audit"}
    assert {table for table in changed if table.split(".")[0] in untouched} <= {"audit.consent_coverage"}

    # All forbidden: no cell anywhere, and no rule broken.
    for source in VALUES:
        copied.license(source, train=False, redistribute=False)
    copied.build_again()
    assert copied.trained() == copied.shown() == copied.examples() == {}
    assert copied.broken("P2") == 0
    assert copied.study.warehouse("select count(*) from marts.tracks") == [(5,)]


@pytest.mark.thorough
def test_a_permission_of_the_study_counts_as_its_licence_would(copied: Copied) -> None:
    settings = copied.study.study.settings_path
    plain = settings.read_text(encoding="utf-8")

    def permit(expires: str) -> None:
        entries = "".join(
            f"  - {{source: spotify_archive, scope: {scope}, reference: letter, expires: {expires}}}\n"
            for scope in ("train", "redistribute")
        )
        settings.write_text(f"{plain}\nfeature_permissions:\n{entries}", encoding="utf-8")
        copied.study.load()
        copied.build()

    permit("2026-03-01")  # the study's as_of
    assert copied.trained() == TRAINED | ARCHIVED
    assert copied.broken("P2") == 0
    copied.shown_for("release")
    copied.build()
    assert copied.shown() == copied.trained() == TRAINED | ARCHIVED
    permit("2026-02-28")
    assert copied.shown() == copied.trained() == TRAINED
    assert copied.broken("P2") == 0


FORBIDDEN = [
    "update features.feat_training_values set source_id = 'spotify_archive'",
    "update features.feat_training_values set value = 0.25 where feature = 'energy'",
    "delete from features.feat_training_values where feature = 'energy'",
    "insert into features.feat_training_values from features.feat_training_values limit 1",
    "update marts.training_examples set mean_energy = 0.25 where mean_energy is not null",
    "update marts.training_examples set mean_valence = null",
    "insert into features.feat_training_values by name select track_id, feature, value, source_id from features.feat_track_source_values where source_id = 'study_features'",
]  # fmt: skip


def test_a_planted_forbidden_cell_is_found(copied: Copied, tmp_path: Path) -> None:
    copied.build()
    warehouse = copied.study.study.warehouse_path
    shutil.copy(warehouse, tmp_path / "sound")
    for fault in FORBIDDEN:
        shutil.copy(tmp_path / "sound", warehouse)
        with duckdb.connect(str(warehouse)) as connection:
            connection.execute(fault)
        assert copied.broken("P2"), fault


def test_without_a_catalogue_nothing_may_be_trained_on(small: SmallStudy) -> None:
    small.admit("P1")
    small.donate("P1", [play()])
    small.load()
    small.dbt("run")
    assert small.warehouse("from features.feat_training_values") == []
    results = run_checkpoint(small.study, [one for one in all_rules() if one.name.startswith("P2")])
    assert len(results) == 2 and all(result.passed for result in results)


PERSONAL = [
    "alter table catalogue.music.source_tracks add column added_by varchar",
    "create table catalogue.music.playlists (participant_code varchar)",
    "update catalogue.music.source_tracks set artist = 'MTG-0001' where spotify_id = 'AAAAAAAAAAAAAAAAAAAAAA'",
    "update catalogue.music.archive_files set file = 'catalogue/study_features/playlist of mtg-0001.csv'",
    "update catalogue.music.source_tracks set spotify_id = 'MTG-0001' where spotify_id = 'AAAAAAAAAAAAAAAAAAAAAA'",
    "update catalogue.music.source_tracks set isrc = 'MTG-0001'",
    # As if it had only what the study heard.
    "update catalogue.music.source_tracks set track_no = track_no + 1",
]  # fmt: skip


def test_a_participant_in_the_catalogue_is_found(small: SmallStudy, tmp_path: Path) -> None:
    small.admit("MTG-0001")
    small.donate("MTG-0001", [play()])
    file = small.study.catalogue / "study_features" / "features.csv"
    file.parent.mkdir()
    # What a table says of persons is not landed.
    file.write_text(f"id,valence,Added By,Added At,participant_code\n{IDS[0]},0.5,some-listener,2024-01-01,MTG-0001\n")
    small.load()
    small.dbt("run")
    rule = [one for one in all_rules() if one.name.startswith("A9")]
    (result,) = run_checkpoint(small.study, rule)
    assert result.passed
    assert b"MTG-0001" not in small.study.catalogue_path.read_bytes()
    assert b"some-listener" not in small.study.catalogue_path.read_bytes()
    shutil.copy(small.study.catalogue_path, tmp_path / "sound")
    for fault in PERSONAL:
        shutil.copy(tmp_path / "sound", small.study.catalogue_path)
        with open_catalogue(small.study) as connection:
            connection.execute(fault)
        (result,) = run_checkpoint(small.study, rule)
        assert result.violations, fault
