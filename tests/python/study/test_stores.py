"""The vault: encrypted, opened with its key alone, by one program at a time, with no way out."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import duckdb
import pytest
from commands import CONSONANCE
from conftest import SmallStudy, play

from consonance.consent.rules import with_rules
from consonance.study import vault
from consonance.study.copies import share_catalogue
from consonance.study.folder import Study
from consonance.study.key import KEY_VARIABLE, VaultKeyError, create_key, read_key
from consonance.study.store_errors import StoreError
from consonance.study.vault import UnfitConnection, attach_vault, open_catalogue, open_study, prepare


def test_a_key_file_that_others_may_read_is_refused(small: SmallStudy) -> None:
    small.study.key_path.chmod(0o640)
    with pytest.raises(VaultKeyError, match="chmod 600"):
        small.load()


def test_a_missing_key_is_explained(small: SmallStudy) -> None:
    small.study.key_path.unlink()
    with pytest.raises(VaultKeyError, match="missing"):
        small.load()


@pytest.mark.parametrize("content", ["", "short", "spaces in it " * 5, "quote'" * 8])
def test_a_key_of_an_impossible_shape_is_refused(small: SmallStudy, content: str) -> None:
    small.study.key_path.write_text(content)
    with pytest.raises(VaultKeyError, match="is not a valid key"):
        read_key(small.study)


def test_a_wrong_key_is_reported_and_never_shown(small: SmallStudy) -> None:
    wrong = secrets.token_hex(32)
    small.study.key_path.write_text(wrong)
    with pytest.raises(StoreError, match="cannot be opened with this key") as error:
        small.load()
    assert wrong not in str(error.value)
    assert error.value.__cause__ is None


def test_the_key_may_come_from_the_environment(small: SmallStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, small.study.key_path.read_text())
    small.study.key_path.unlink()
    assert small.load().exit_status == 0


def test_a_key_is_never_overwritten(small: SmallStudy) -> None:
    with pytest.raises(FileExistsError):
        create_key(small.study)


def test_nothing_in_the_vault_file_is_readable_without_the_key(small: SmallStudy) -> None:
    small.admit("P1")
    canary = "canary-" + secrets.token_hex(8)
    small.donate(
        "P1",
        [
            play(ts=f"2023-05-01T10:00:{second:02d}Z", master_metadata_track_name=canary, username=canary)
            for second in range(50)
        ],
    )
    small.load()
    assert small.vault("select count(*) from vault.raw.extended_plays where track_name like 'canary-%'") == [(50,)]
    for path in small.root.rglob("*"):
        if path.is_file() and path.suffix != ".zip":
            assert canary.encode() not in path.read_bytes(), path
    with pytest.raises(duckdb.Error):
        duckdb.connect(str(small.study.vault_path))


def test_a_vault_in_use_is_reported(small: SmallStudy) -> None:
    script = textwrap.dedent(f"""
        from consonance.study.folder import Study
        from consonance.study.vault import open_study
        with open_study(Study.find({str(small.root)!r})):
            print("open", flush=True)
            input()
    """)
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "open\n"
        with pytest.raises(StoreError, match="in use by another program"):
            small.load()
        other.communicate("\n")
    assert small.load().exit_status == 0


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() == 0 and shutil.which("setpriv") is None, reason="root may do everything")
def test_a_study_without_the_right_to_write_is_no_damaged_study(small: SmallStudy, tmp_path: Path) -> None:
    small.admit("P1")
    small.donate("P1", [play()])
    small.load()
    study = small.root.rename(tmp_path / "key of a door")  # a path that has words of errors in it
    without_rights = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []

    def said(*arguments: str) -> str:
        command = [*without_rights, CONSONANCE, *arguments, "--study", study]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr and "damaged" not in done.stderr
        return f"{done.returncode}: {' '.join(done.stderr.split())}"

    modes = {path: path.stat().st_mode for path in (study, *study.rglob("*"))}
    for path in modes:
        path.chmod(0o500 if path.is_dir() else 0o400)
    denied = "vault.duckdb cannot be opened: permission denied. Run the command as the owner of the file"
    assert said("audit", "verify").startswith("0:")
    assert denied in said("load")
    assert said("key", "rotate").startswith("1: Error:")
    (study / "vault.duckdb").chmod(0o000)
    assert denied in said("status")
    for path, mode in modes.items():
        path.chmod(mode)
    assert said("status").startswith("0:")


def test_a_damaged_vault_is_reported(small: SmallStudy) -> None:
    small.study.vault_path.write_bytes(b"not a database at all" * 500)
    with pytest.raises(StoreError, match=r"vault\.duckdb cannot be opened"):
        small.load()


@pytest.mark.parametrize(
    "statement",
    [
        "set temp_file_encryption = false",
        "set temp_directory = '/tmp/elsewhere'",
        "set autoinstall_known_extensions = true",
        "call enable_logging('QueryLog')",
        "pragma enable_profiling = 'json'",
    ],
)
def test_no_vault_is_opened_by_a_connection_that_may_leave_what_it_reads(small: SmallStudy, statement: str) -> None:
    with duckdb.connect(config=vault.session_settings()) as connection:
        prepare(connection, small.study)
        connection.execute(statement)
        with pytest.raises(UnfitConnection, match=r"prepare\(\) in consonance/study/vault.py"):
            attach_vault(connection, small.study)


def test_every_connection_of_the_program_is_closed(small: SmallStudy) -> None:
    """Also that of dbt, which asks the same before each run, and that of the rules (A12_connections_are_closed)."""
    unfit = with_rules("{{ unfit_settings(true) }}")
    for opened in (
        open_study(small.study),
        open_study(small.study, read_only=True),
        open_study(small.study, writes_catalogue=True),
        open_catalogue(small.study),
    ):
        with opened as connection:
            assert connection.execute(unfit).fetchall() == []


def test_the_connection_that_writes_the_catalogue_has_no_vault(small: SmallStudy) -> None:
    with open_catalogue(small.study) as connection:
        attached = "select database_name from duckdb_databases() where not internal order by 1"
        assert connection.execute(attached).fetchall() == [("catalogue",), ("memory",)]
        with pytest.raises(duckdb.Error):
            connection.execute(f"attach '{small.study.vault_path}' as vault")


def test_an_open_study_reaches_no_other_file(small: SmallStudy, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a\n1\n")
    with open_study(small.study) as connection:
        for statement in (
            f"from '{tmp_path / 'other.csv'}'",
            f"copy (select 1) to '{tmp_path / 'out.csv'}'",
            f"attach '{tmp_path / 'out.duckdb'}' as elsewhere",
            "install spatial",
            "from 'https://example.org/x.csv'",
            "set enable_external_access = true",
            "set allowed_directories = ['/']",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(statement)
        assert connection.execute(
            "select value from duckdb_settings() where name = 'temp_file_encryption'"
        ).fetchall() == [("true",)]
    assert not (tmp_path / "out.csv").exists()


def test_a_catalogue_that_has_to_be_copied_stays_locked(
    small: SmallStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that closes a file loses its locks on it: so another one makes the copy."""

    def no_links(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(os, "link", no_links)
    copy = Study(tmp_path / "copy")
    copy.root.mkdir()
    script = "import duckdb, sys; duckdb.connect(sys.argv[1])"
    with open_study(small.study):
        share_catalogue(small.study, copy)
        other = subprocess.run(
            [sys.executable, "-c", script, small.study.catalogue_path], capture_output=True, text=True, check=False
        )
    assert "lock" in other.stderr
    assert copy.catalogue_path.stat().st_ino != small.study.catalogue_path.stat().st_ino
