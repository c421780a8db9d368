"""The export of the vault, for a cluster: identified data, for its owner alone, there completely or not at all."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from conftest import SmallStudy, play

from consonance.erasure.exports import exports_to_delete
from consonance.export import vault
from consonance.export.folder import CannotExport
from consonance.export.vault import export_vault
from consonance.study.audit_log import read_entries
from consonance.study.vault import open_study


@pytest.fixture
def study(small: SmallStudy) -> SmallStudy:
    for code in ("W81", "W82", "W83"):
        small.admit(code)
        small.donate(
            code, [play(username=f"listener-{code}"), play("2023-05-02T10:00:00Z", username=f"listener-{code}")]
        )
    small.load()
    return small


def exports_of(study: SmallStudy) -> list[int]:
    with open_study(study.study, read_only=True) as connection:
        return [entry.number for entry in read_entries(connection) if entry.kind == "exported"]


def test_every_row_that_the_models_read_is_exported_once(study: SmallStudy, tmp_path: Path) -> None:
    made = export_vault(study.study, tmp_path / "export", rows_of_a_bucket=2)
    with study.opened() as vaults, duckdb.connect() as exported:
        for schema, store, name in vault._tables():
            ((rows,),) = vaults.execute(f"select count(*) from {store}.{name}").fetchall()
            files = f"{made.folder}/{schema}/{name}/**/*.parquet"
            assert exported.execute(f"select count(*) from read_parquet('{files}')").fetchall() == [(rows,)], name
        plays = f"read_parquet('{made.folder}/raw/extended_plays/**/*.parquet')"
        buckets = exported.execute(
            f"select participant_no, count(distinct bucket) from {plays} group by all"
        ).fetchall()
        seeds = exported.execute(
            f"select count(*) from read_parquet('{made.folder}/reference/instruments/*')"
        ).fetchall()
    assert len(buckets) == 3 and {count for _, count in buckets} == {1}
    assert len(list((made.folder / "raw" / "extended_plays").iterdir())) > 1 and seeds > [(1,)]
    assert not (made.folder / "raw" / "audit_log").exists()


def test_the_owner_alone_can_read_it_and_it_says_what_it_is(study: SmallStudy, tmp_path: Path) -> None:
    made = export_vault(study.study, tmp_path / "export")
    modes = {path.is_dir(): stat.S_IMODE(path.stat().st_mode) for path in (made.folder, *made.folder.rglob("*"))}
    assert modes == {True: 0o700, False: 0o600}
    assert "identified data" in (made.folder / "README.md").read_text(encoding="utf-8")
    assert exports_of(study) == [made.entry]
    (named,) = exports_to_delete(study.study, [])
    assert f"entry {made.entry} of" in named and "build the marts there again" in named


def test_it_is_refused_where_others_could_reach_it(study: SmallStudy, tmp_path: Path) -> None:
    (tmp_path / "checkout" / ".git").mkdir(parents=True)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o777)
    (tmp_path / "there").mkdir()
    for place, word in {
        tmp_path / "checkout" / "data" / "export": "version control",
        tmp_path / "shared" / "export": "changed by others",
        tmp_path / "there": "exists already",
        study.root / "export": "study folder",
        tmp_path / "missing" / "export": "cannot be made",
    }.items():
        with pytest.raises(CannotExport, match=word):
            export_vault(study.study, place)
    assert exports_of(study) == []


def test_killed_on_the_way_it_leaves_no_export_and_is_in_the_audit_log(study: SmallStudy, tmp_path: Path) -> None:
    code = f"""
import os, signal
from pathlib import Path
from consonance.export import vault
from consonance.study.folder import Study
copy, done = vault._copy, []
def killed(*arguments):
    copy(*arguments)
    done.append(1)
    if len(done) == 12:
        os.kill(os.getpid(), signal.SIGKILL)
vault._copy = killed
vault.export_vault(Study.find(Path({str(study.root)!r})), Path({str(tmp_path / "export")!r}))
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL
    assert not (tmp_path / "export").exists()
    assert len(exports_of(study)) == 1
    with pytest.raises(CannotExport, match=r"\.export\.making"):
        export_vault(study.study, tmp_path / "export")
