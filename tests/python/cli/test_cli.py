"""The command line, as a person meets it: what it says, where it says it, how it ends."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from commands import consonance
from conftest import SmallStudy, as_zip, play

from consonance.checks.rules import all_rules
from consonance.study.dbt_command import PROJECT


def test_help_names_every_command_and_the_way_of_a_study() -> None:
    text = consonance("--help").stdout
    for command in ("init", "load", "demo", "check", "site", "catalog", "publish"):
        assert command in text
        assert consonance(command, "--help").returncode == 0
    assert "dbt run" in text
    assert consonance("--version").stdout.strip().endswith("0.2.0")


def test_a_study_from_init_to_load(tmp_path: Path) -> None:
    done = consonance("init", "study", "--title", 'A "quoted": title', cwd=tmp_path)
    assert done.returncode == 0
    assert "vault.key" in done.stdout
    again = consonance("init", "study", cwd=tmp_path)
    assert again.returncode == 1
    assert "has a study already" in again.stderr
    assert "Traceback" not in again.stderr
    # ./study is found by itself; nothing lies in it yet.
    done = consonance("load", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_exit_statuses_and_json(small: SmallStudy) -> None:
    small.admit("P1")
    small.donate("P1", [play()])
    done = consonance("load", "--study", small.root, "--json")
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert told["participants"]["P1"]["status"] == "loaded"
    assert (
        json.loads(consonance("load", "--study", small.root, "--json").stdout)["participants"]["P1"]["status"]
        == "already"
    )
    small.enrol("P2")
    small.donate("P2", [play()])
    done = consonance("load", environment={"CONSONANCE_STUDY": str(small.root)})
    assert done.returncode == 2
    assert "no_consent" in done.stdout
    assert "2 rows" not in done.stdout
    small.study.key_path.unlink()
    done = consonance("load", "--study", small.root)
    assert done.returncode == 1
    assert "missing" in done.stderr


def test_files_are_named_as_they_are(small: SmallStudy) -> None:
    """A name in brackets is no markup of the terminal's."""
    small.donate("P1", [play()], name="export [copy].zip")
    small.donate("P[", [play()], name="1].zip")
    done = consonance("load", "--study", small.root)
    assert (done.returncode, done.stderr) == (2, "")
    assert "inbox/P1/export [copy].zip:" in done.stdout
    assert "inbox/P[/1].zip:" in done.stdout
    done = consonance("load", "--study", "a [copy]")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no study in a [copy]" in done.stderr


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_terminal_that_lacks_letters_gets_the_report_all_the_same(small: SmallStudy, more: tuple[str, ...]) -> None:
    small.admit("P1")
    small.donate("P1", [play()], name="Verlauf – 日本.zip")
    (small.study.inbox / "P1" / "größe.txt").write_text("not a history")
    done = consonance("load", *more, "--study", small.root, environment={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    if more:
        assert "inbox/P1/größe.txt" in json.dumps(json.loads(done.stdout), ensure_ascii=False)
    else:
        assert "gr\\xf6" in done.stdout and "P1" in done.stdout


def test_no_study_is_explained(tmp_path: Path) -> None:
    for command in (["load"], ["check"], ["site"], ["publish", "--tier", "controlled"]):
        done = consonance(*command, cwd=tmp_path)
        assert done.returncode == 1
        assert "consonance init" in done.stderr
        assert "Traceback" not in done.stderr


def test_messages_never_quote_what_participants_gave(small: SmallStudy) -> None:
    """A canary in every place of a donation that an error could quote."""
    canary = "canary4711"
    small.admit("P1")
    good = json.dumps([play(master_metadata_track_name=canary)])
    as_zip(
        small.study.inbox / "P1" / "x.zip",
        {
            "1.json": good[:-1],
            "2.json": good.replace(canary, canary + "\\ud800"),
            "3.json": good[:-1] + "] " + canary,
            "4.json": json.dumps([play(canary, ms_played=canary), play(ms_played=-1, episode_name=canary)]),
            "5.json": good.replace("shuffle", 'shuffle": ' + canary + ', "'),
            "6.json": good.replace('"ts"', '"ts": 1, "ts"'),
        },
    )
    (small.study.surveys / "s.csv").write_text(
        f"participant_code,answered_at,instrument,item,answer\n{canary},{canary},{canary},{canary},{canary}\n"
    )
    with small.study.consents_path.open("a") as file:
        file.write(f"{canary},granted,listening_history,v1,2025-01-01T00:00:00Z,,\n")
    for arguments in (["load"], ["load", "--json"]):
        done = consonance(*arguments, "--study", small.root)
        assert done.returncode == 2
        assert canary not in done.stdout + done.stderr
    with small.study.consents_path.open("a") as file:
        file.write(f"P1,{canary},{canary},{canary},{canary},{canary},{canary}\n")
    done = consonance("load", "--study", small.root)
    assert done.returncode == 1
    assert canary not in done.stdout + done.stderr


def test_check_reports_rule_by_rule(demo_copy: SmallStudy) -> None:
    done = consonance("check", "--study", demo_copy.root, "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 0, [result["summary"] for name, result in told.items() if name != "passed"]
    assert told["passed"] and len(told["rules"]["rules"]) == len(all_rules())
    assert told["wall"]["passed"] and told["wall"]["unresolved"] == 0
    import duckdb

    with duckdb.connect(str(demo_copy.study.warehouse_path)) as connection:
        connection.execute("update marts.plays set ms_played = -1")
    done = consonance("check", "rules", "--study", demo_copy.root)
    assert done.returncode == 1
    assert "wall passed" not in done.stdout
    assert "M3_values_are_possible" in done.stdout
    assert "violations" in done.stdout


def test_catalog_add_keeps_and_loads_an_archive(small: SmallStudy, tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(f"spotify_id,valence\n{'1' * 22},0.5\n")
    done = consonance("catalog", "add", file, "--source", "study_features", "--study", small.root)
    assert done.returncode == 0, done.stderr
    assert "mine.csv: 1 of 1 lines landed" in done.stdout
    assert (small.study.catalogue / "study_features" / "mine.csv").exists()
    done = consonance("catalog", "add", file, "--source", "elsewhere", "--study", small.root)
    assert done.returncode == 1
    assert "seeds/feature_sources.csv" in done.stderr


def test_the_demo_does_not_touch_what_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    done = consonance("demo", tmp_path / "mine", cwd=PROJECT)
    assert done.returncode == 1
    assert "was not made by a demo" in done.stderr


@pytest.fixture(scope="module")
def demo_output(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("whole") / "demo"
    done = consonance("demo", folder, "--people", "24", "--plays", "9000", "--seed", "5", cwd=PROJECT)
    assert done.returncode == 0, done.stderr + done.stdout
    return folder, done.stdout


def test_the_demo_runs_the_whole_line_and_says_where_to_look(demo_output: tuple[Path, str]) -> None:
    folder, text = demo_output
    flat = " ".join(text.split())
    for told in (
        "24 people",
        "gave no consent",
        "all passed",
        "only through functions/",
        "slope",
        "features_by_mood_quadrant.sql",
        "over 2 hours",
        "rows for acousticbrainz_lowlevel",
        "coverage_by_method.sql",
        "site/index.html",
        "published/1/certificate.html",
        "Not published for everyone: Too few participants",
        "analyses",
    ):
        assert told in flat, told
    assert (folder / "site" / "index.html").exists()
    assert (folder / "site" / "wall.html").exists()
    assert (folder / "published" / "current" / "research.duckdb").exists()
    refused = consonance("publish", "--tier", "public", "--study", folder)
    assert refused.returncode == 1
    assert "Too few participants with plays grant sharing_public" in refused.stderr
    assert sorted(path.name for path in (folder / "published").iterdir()) == ["1", "current"]


def test_every_link_of_the_docs_site_leads_somewhere(demo_output: tuple[Path, str]) -> None:
    site = demo_output[0] / "site"
    pages = {page.name: page.read_text(encoding="utf-8") for page in site.glob("*.html") if page.name != "lineage.html"}
    assert pages.keys() >= {"index.html", "wall.html", "fields.html", "codebook.html"}
    for name, page in pages.items():
        for target in set(re.findall(r'href="([^"]+)"', page)):
            file, _, anchor = target.partition("#")
            assert (site / file).is_file() if file else True, (name, target)
            if anchor and file != "lineage.html":
                assert f'id="{anchor}"' in pages[file or name], (name, target)


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium, which .ci/run installs")
def test_the_docs_site_opens_in_a_browser(demo_output: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = demo_output

    def shown(page: str) -> str:
        flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            f"--user-data-dir={tmp_path}",
            "--virtual-time-budget=10000",
        ]
        return subprocess.run(
            ["chromium", *flags, "--dump-dom", f"file://{folder}/site/{page}"],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        ).stdout

    index = shown("index.html")
    assert "Synthetic study, seed 5" in index
    assert "C1" in index and 'class="failed"' not in index
    assert "only through functions/" in index and 'href="wall.html"' in index
    assert "The clock of listening" in index and "rules passed" in index
    fields = shown("fields.html")
    assert "ip_addr_decrypted" in fields and 'class="fate not-read"' in fields and 'class="failed"' not in fields
    assert 'id="marts.plays.valence"' in shown("codebook.html")
    wall = shown("wall.html")
    assert "participant_pseudonym" in wall and "stg_keyring.pseudonym" in wall and "marts.plays" in wall
    assert 'class="failed"' not in wall
    lineage = shown("lineage.html#!/model/model.consonance.plays")
    assert "One row is one play: deduplicated, consented, pseudonymous" in lineage
    function = shown("lineage.html#!/overview")
    assert "marts" in function
