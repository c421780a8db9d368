"""Shares of a load: merged they equal one load, whatever is killed, repeated or wrong."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import SmallStudy, account_play, as_zip, play

from consonance.cli.commands import cli
from consonance.erasure import rewriting
from consonance.erasure.study_files import left_to_do
from consonance.study.folder import Study
from consonance.study.key_rotation import ShardsUnderOldKey, rotate_key
from consonance.study.schema import owners
from consonance.study.study_files import place_of
from consonance.study.vault import open_study
from loaders import shard_load, shard_merge
from loaders.shard_load import load_shard
from loaders.shard_merge import merge_shards
from loaders.shards import BadShards, BadShare, Share, complete_shards

# What each load draws or notes anew, and the numbers of donations and members, which hashes stand for below.
ITS_OWN = ("loaded_at", "donation_id", "member_id")


class Killed(BaseException):
    """In place of SIGKILL: nothing of the program's own catches it but to clean up."""


def history(number: int, plays: int = 3) -> list[dict[str, Any]]:
    return [play(ts=f"2023-05-0{number}T1{hour}:00:00Z") for hour in range(plays)]


@pytest.fixture
def study(small: SmallStudy) -> SmallStudy:
    """Three people with two donations each, odd rows among them, one who is held, one who withdrew, and reports."""
    for number in range(1, 4):
        code = f"P00{number}"
        small.admit(code)
        small.donate(code, [*history(number), play(ms_played=-1), "no row"], name="first.zip")
        # A file that both have, one of the account, one that is no history.
        as_zip(
            small.study.inbox / code / "second.zip",
            {
                "a/Audio.json": [*history(number), play(ms_played=-1), "no row"],
                "a/Audio2.json": history(number + 1, 2),
                "a/StreamingHistory_music_0.json": [account_play(f"2022-05-0{number} 10:00")],
                "a/broken_Audio.json": '[{"ts": "2023-01-01T10:00:00Z", "ms_played": 1',
                "a/Userdata.json": {"a": 1},
            },
        )
    small.enrol("HELD")
    small.donate("HELD", history(1))
    small.admit("GONE")
    small.consent("GONE", "", event="withdrawn", at="2025-02-01T00:00:00+00:00")
    small.donate("GONE", history(2))
    (small.study.surveys / "answers.csv").write_text(
        "participant_code,answered_at,instrument,item,answer\nP001,2025-06-01T10:00:00+02:00,affect_grid,pleasure,7\n",
        encoding="utf-8",
    )
    return small


def landed(small: SmallStudy) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the vault that came of a donation, with hashes in place of numbers, in no order."""
    found = {}
    with small.opened() as connection:
        for table in owners():
            columns = [name for name, *_ in connection.execute(f"describe vault.raw.{table}").fetchall()]
            if table == "keyring":
                continue
            donation = "left join vault.raw.donations as d using (donation_id)" if "donation_id" in columns else ""
            member = "left join vault.raw.members as m using (member_id)" if "member_id" in columns else ""
            shown = ", ".join(
                [f"theirs.{name}" for name in columns if name not in (*ITS_OWN, "participant_no")]
                + (["k.participant_code"] if "participant_no" in columns else [])
                + (["d.sha256"] if donation else [])
                + (["m.content_hash"] if member else [])
            )
            key = "left join vault.raw.keyring as k on k.participant_no = theirs.participant_no"
            found[table] = connection.execute(
                f"select {shown} from vault.raw.{table} as theirs {donation} {member} "
                f"{key if 'participant_no' in columns else ''} order by all"
            ).fetchall()
    return found


def copy_of(small: SmallStudy, place: Path) -> SmallStudy:
    shutil.copytree(small.root, place)
    return SmallStudy(Study(place))


def load_in_shares(small: SmallStudy, of: int) -> None:
    for number in range(of, 0, -1):
        load_shard(small.study, Share(number, of))


def test_merged_shares_equal_one_load_and_can_be_merged_again(study: SmallStudy, tmp_path: Path) -> None:
    whole = copy_of(study, tmp_path / "whole")
    whole.load()
    rows = landed(whole)
    assert len(rows["extended_plays"]) == 3 * 5
    assert rows["rejected_rows"] and rows["broken_members"] and rows["schema_drift"] and rows["survey_answers"]
    load_in_shares(study, 2)
    kept = shutil.copytree(study.study.shards, tmp_path / "kept")
    done = CliRunner().invoke(cli, ["load", "--merge", "--study", str(study.root)])
    assert done.exit_code == 2, done.output  # rows are rejected, donations held
    assert "2 shards merged: 6 donations with 18 plays" in done.output
    assert landed(study) == rows
    assert not study.study.shards.exists()
    shutil.copytree(kept, study.study.shards)
    assert merge_shards(study.study).as_json() == {"shards": 2, "donations": 0, "plays": 0, "participants_left": 0}
    assert landed(study) == rows


def test_shares_land_what_the_vault_lacks(study: SmallStudy, tmp_path: Path) -> None:
    """Donations, and files of them, that the vault has already come from there."""
    later = {path: path.read_bytes() for path in study.study.inbox.glob("*/second.zip")}
    for path in later:
        path.unlink()
    study.load()
    for path, content in later.items():
        path.write_bytes(content)
    load_in_shares(study, 2)
    whole = copy_of(study, tmp_path / "whole")
    whole.load()
    assert merge_shards(study.study).as_json() == {"shards": 2, "donations": 3, "plays": 9, "participants_left": 0}
    assert landed(study) == landed(whole)


def test_whoever_changed_meanwhile_is_left_to_the_load(study: SmallStudy, tmp_path: Path) -> None:
    load_in_shares(study, 1)
    study.consent("P001", "", event="withdrawn", at="2025-03-01T00:00:00+00:00")
    # A file that the shard has, in a zip of other bytes.
    study.donate("P002", [*history(2), play(ms_played=-1), "no row"], name="another.zip", member="b/Audio.json")
    (study.study.inbox / "P002" / "first.zip").rename(tmp_path / "first.zip")
    (study.study.inbox / "P002" / "second.zip").rename(tmp_path / "second.zip")
    study.load()
    (tmp_path / "first.zip").rename(study.study.inbox / "P002" / "first.zip")
    (tmp_path / "second.zip").rename(study.study.inbox / "P002" / "second.zip")
    whole = copy_of(study, tmp_path / "whole")
    whole.load()
    assert merge_shards(study.study).participants_left == 1
    study.load()
    assert landed(study) == landed(whole)


def test_killed_at_any_step_nothing_is_half_done(study: SmallStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    def donations() -> int:
        return int(study.vault("select count(*) from vault.raw.donations")[0][0])

    def killed_at(moment: str, command: Callable[[], object]) -> None:
        def kill(name: str) -> None:
            if name == moment:
                raise Killed

        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(shard_load, "_step", kill)
            patch.setattr(shard_merge, "_step", kill)
            command()

    killed_at("complete", lambda: load_shard(study.study, Share(1, 2)))
    assert not list(study.study.shards.iterdir())
    assert not list(study.root.glob(".shard-load-*"))
    load_in_shares(study, 2)
    killed_at("merged", lambda: merge_shards(study.study))
    assert donations() == 0
    killed_at("committed", lambda: merge_shards(study.study))
    assert donations() == 6
    assert len(complete_shards(study.study)) == 2
    assert merge_shards(study.study).donations == 0
    assert donations() == 6
    assert json.loads(study.study.audit_head_path.read_text())["entries"] == len(
        study.vault("select entry_no from vault.raw.audit_log")
    )
    assert study.vault("select count(*) from vault.raw.audit_log where kind = 'broken_anchor'") == [(0,)]


def test_what_is_no_complete_set_is_refused(study: SmallStudy, tmp_path: Path) -> None:
    with pytest.raises(BadShards, match="There are no shards"):
        merge_shards(study.study)
    load_in_shares(study, 2)
    first, second = (Share(number, 2).path(study.study) for number in (1, 2))
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert stat.S_IMODE(first.parent.stat().st_mode) == 0o700
    second.rename(tmp_path / "second")
    with pytest.raises(BadShards, match=r"2/2 is missing.*--shard 2/2"):
        merge_shards(study.study)
    shutil.copyfile(first, second)
    with pytest.raises(BadShards, match="is the shard 1/2"):
        merge_shards(study.study)
    shutil.copyfile(tmp_path / "second", study.study.shards / "1-of-1.duckdb")
    with pytest.raises(BadShards, match="in 1 shares and of one in 2"):
        merge_shards(study.study)
    (study.study.shards / "1-of-1.duckdb").rename(study.study.shards / "2-of-2 (copy).duckdb")
    with pytest.raises(BadShards, match="is no shard"):
        merge_shards(study.study)
    (study.study.shards / "2-of-2 (copy).duckdb").unlink()
    second.write_bytes(b"no database" * 1000)
    with pytest.raises(BadShards, match="cannot be opened with the key of this study"):
        merge_shards(study.study)
    with open_study(study.study) as connection:  # another study under the same key
        connection.execute("update vault.raw.secrets set secret = repeat('0', 64)")
    (tmp_path / "second").rename(second)
    with pytest.raises(BadShards, match="is of another study"):
        merge_shards(study.study)
    assert study.vault("select count(*) from vault.raw.donations") == [(0,)]


def test_shards_are_study_files_that_other_commands_know(study: SmallStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    load_in_shares(study, 1)
    place = place_of("shards/1-of-1.duckdb")
    assert place and "encrypted" in place.what
    assert b"A Track" not in Share(1, 1).path(study.study).read_bytes()
    with pytest.raises(ShardsUnderOldKey, match="load --merge"):
        rotate_key(study.study)
    assert any("1-of-1" in line for line in left_to_do(study.study, ["P001"], []))
    monkeypatch.setattr(rewriting, "run_dbt", lambda *arguments: None)
    monkeypatch.setattr(rewriting, "clear_artifacts", lambda: None)
    rewriting.rebuild_warehouse(study.study)  # as an erasure does
    assert not study.study.shards.exists()
    study.study.shards.symlink_to(study.root.parent)
    with pytest.raises(BadShards, match="is a link"):
        load_shard(study.study, Share(1, 1))


def test_each_participant_is_in_one_share_which_the_code_alone_decides() -> None:
    codes = [f"P{number:04}" for number in range(1000)]
    shares = [Share(number, 16) for number in range(1, 17)]
    counts = [sum(share.includes(code) for code in codes) for share in shares]
    assert sum(counts) == 1000
    assert min(counts) > 30
    # A process of another version must decide the same.
    assert [share.number for share in shares if share.includes("P001")] == [4]
    assert Share.parse("3/16") == Share(3, 16)
    for text in ("0/4", "5/4", "3", "a/b", "1/1000", "-1/3"):
        with pytest.raises(BadShare, match="such as 3/16"):
            Share.parse(text)
