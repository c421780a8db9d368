"""The command line, as a person meets it: what it says, where it says it, how it ends."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
from browser import browser
from click.testing import CliRunner
from commands import consonance
from conftest import SmallStudy, as_zip, play

from consonance.checks.rules import all_rules
from consonance.cli.commands import cli
from consonance.site.quality import OF_CANDIDATES
from consonance.study.dbt_command import PROJECT

AXE = os.environ.get("AXE_CORE", "")
TWO_FRAMES = "done => requestAnimationFrame(() => requestAnimationFrame(done))"
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# What axe-core finds serious. It would read style sheets again, which a page of a file may not.
SERIOUS = """
axe.run({preload: false, resultTypes: ['violations']}).then(found => found.violations
    .filter(one => ['serious', 'critical'].includes(one.impact))
    .map(one => [one.impact, one.id, one.nodes[0].html.slice(0, 300)]))
"""


def test_help_names_every_command_and_the_way_of_a_study() -> None:
    text = consonance("--help").stdout
    for command in ("init", "load", "demo", "check", "site", "catalog", "publish"):
        assert command in text
        assert CliRunner().invoke(cli, [command, "--help"]).exit_code == 0
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
    done = consonance("check", "rules", "--study", demo_copy.root, "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 0, told["rules"]["summary"]
    assert told["passed"] and len(told["rules"]["rules"]) == len(all_rules())
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


def test_what_catalog_add_could_not_read_is_one_json_value(small: SmallStudy, tmp_path: Path) -> None:
    good, bad, other = (tmp_path / name for name in ("good.csv", "bad.csv", "other.csv"))
    good.write_text(f"spotify_id,valence\n{'1' * 22},0.5\n")
    for file in (bad, other):
        file.write_text("a,b\n1,2\n")
    for files, status in (((bad,), 1), ((bad, other), 1), ((bad, good), 2)):
        done = consonance("catalog", "add", "study_features", *files, "--study", small.root, "--json")
        told = json.loads(done.stdout)
        assert done.returncode == status
        if status == 1:
            assert (
                set(told) == {"error", "remedy"}
                and all(file.name in told["error"] for file in files)
                and told["remedy"]
            )
        else:
            assert [one["file"] for one in told] == ["catalogue/study_features/good.csv"] and "bad.csv" in done.stderr


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


def pages_of(site: Path) -> list[Path]:
    """The pages of the site but for dbt's, which has a script for a page."""
    return sorted(path for path in site.rglob("*.html") if path.name != "lineage.html")


def test_every_link_of_the_docs_site_leads_somewhere(demo_output: tuple[Path, str]) -> None:
    site = demo_output[0] / "site"
    pages = {page: page.read_text(encoding="utf-8") for page in pages_of(site)}
    ids = {page: set(re.findall(r'\bid="?([^"\s>]+)', text)) for page, text in pages.items()}
    assert {page.relative_to(site).as_posix() for page in pages} >= {
        "index.html", "wall.html", "fields.html", "consent.html", "risk.html", "music-and-emotion.html", "report.html",
        "codebook/marts.plays.html", "columns/marts.plays.html", "quality/D1_nothing_the_vault_knows.html",
        "releases/1.html", "analyses/skips_by_hour.html", "docs/privacy.html",
    }  # fmt: skip
    for page, text in pages.items():
        for target in {html.unescape(target) for target in re.findall(r'(?:href|src)="([^"]+)"', text)}:
            if target.startswith(("https://", "http://", "data:")):
                continue
            file, _, anchor = target.partition("#")
            to = (page.parent / file).resolve() if file else page
            to = to / "index.html" if to.is_dir() else to
            assert to.is_file() and to.is_relative_to(site.resolve()), (page, target)
            if anchor and to in ids:
                assert anchor in ids[to], (page, target)


def test_the_docs_site_says_what_its_pages_are_for(demo_output: tuple[Path, str]) -> None:
    site = demo_output[0] / "site"
    said = {page.relative_to(site).as_posix(): page.read_text(encoding="utf-8") for page in pages_of(site)}
    assert "Synthetic study, seed" in said["index.html"] and "The clock of listening" in said["index.html"]
    assert not [page for page, text in said.items() if 'class="failed"' in text]
    # 'consonance check' was not run; 'consonance publish' was, on a candidate.
    checks = [re.sub(r"<[^>]+>", "|", row) for row in said["index.html"].splitlines() if row.startswith("<tr><td>")]
    ran = {name: [row for row in checks if row.startswith(f"||{name}||")] for name in ("rules", "wall", *OF_CANDIDATES)}
    of_study, of_candidate = ran["wall"]
    assert "||the study||not run yet" in of_study and "passed" in ran["rules"][0]
    assert "||the candidate of release 1 (controlled)|||passed|" in of_candidate
    assert all("release 1 (controlled)" in ran[name][-1] for name in OF_CANDIDATES)
    assert "ip_addr_decrypted" in said["fields.html"] and 'class="fate not-read"' in said["fields.html"]
    assert 'id="valence"' in said["codebook/marts.plays.html"]
    assert "participant_pseudonym" in said["wall.html"]
    columns = said["columns/marts.plays.html"]
    assert "stg_keyring.<wbr>pseudonym" in columns and 'href="../wall.html#participant_pseudonym"' in columns
    rule = said["quality/C1_consent_covers_everyone.html"]
    assert "release 1 (controlled)" in rule and "the warehouse of" in rule and "<dt>remedy</dt>" in rule
    assert "Linkage" not in said["releases/1.html"] and "Certificate of release" not in said["releases/1.html"]
    assert "What somebody who knows a little of a person could find" in said["risk.html"]
    assert not re.search(r"<td[^>]*>(?:[1-9]|1\d|20) persons", said["releases/1.html"])
    assert "${require" not in (site / "lineage.html").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium, which .ci/run installs")
@pytest.mark.parametrize("of_each_kind", [3, pytest.param(1000, marks=pytest.mark.thorough)])
def test_the_pages_of_the_docs_site_in_a_browser(
    demo_output: tuple[Path, str], tmp_path: Path, of_each_kind: int
) -> None:
    site = demo_output[0] / "site"
    axe = Path(AXE, "node_modules", "axe-core", "axe.min.js").read_text(encoding="utf-8") if AXE else ""
    examined: Counter[Path] = Counter()
    with browser(tmp_path / "profile") as seen:
        seen.width(390)
        for page in pages_of(site):
            seen.open(page.as_uri())
            # Two frames: what the theme and the page do when it is loaded is done then.
            sticks_out = seen.ask(f"new Promise({TWO_FRAMES}).then(() => {WIDER})")
            assert (seen.messages, sticks_out) == ([], 0), page
            assert not [asked for asked in seen.requests if not asked.startswith(("file:", "data:"))], page
            examined[page.parent] += 1
            if axe and examined[page.parent] <= (of_each_kind if page.parent != site else 1000):
                seen.ask(f"{axe}; 0")
                assert not seen.ask(SERIOUS), page
        seen.width(1280)
        seen.open((site / "index.html").as_uri())
        seen.ask("document.querySelector('.md-search__input').focus()")
        seen.type("is_shuffle")
        assert "/codebook/marts.plays.html" in seen.wait_for("document.querySelector('.md-search-result__link')?.href")
        seen.open((site / "lineage.html").as_uri() + "#!/overview")
        assert seen.wait_for("document.body.innerText.includes('consonance makes a research dataset')")
        seen.open((site / "lineage.html").as_uri() + "?#!/model/model.consonance.plays?g_v=1")
        assert seen.wait_for("document.querySelectorAll('canvas').length")
        assert seen.wait_for("document.body.innerText.includes('One row is one play: deduplicated, consented')")
        asked = [asked for asked in seen.requests if not asked.startswith(("file:", "data:", "blob:"))]
        assert (seen.messages, asked) == ([], [])
    with browser(tmp_path / "dark") as seen:  # the frame keeps the choice of a profile
        seen.call("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
        for name in ("index", "wall", "codebook/marts.participants"):
            seen.open((site / f"{name}.html").as_uri())
            assert seen.ask("document.body.getAttribute('data-md-color-scheme')") == "slate"
            assert not axe or not seen.ask(f"{axe}; {SERIOUS}"), name
    if not axe:
        pytest.skip("everything but axe-core was tested: AXE_CORE names no folder with it (.ci/run installs it)")
