"""The page: made of every study, without script and without network, with a text for each figure, and nobody in it."""

from __future__ import annotations

import functools
import http.server
import json
import os
import re
import shutil
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from report_marts import Shape, make

from consonance.cli.commands import cli
from consonance.release.parameters import small_group
from consonance.report.page import write_report
from consonance.report.reading import NothingToReport, of_release, of_study, opened
from consonance.report.section import Section
from consonance.report.sections import prediction
from consonance.report.sections.coverage import CHARACTERISTICS
from consonance.report.sentences import Verdict
from consonance.study.layout import lay_out_study

USUAL = Shape(persons=75, strangers=30, days=4)
KEYS = {
    "groups", "way", "stayed", "clock", "months", "coverage-shares", "coverage-bias", "mood", "compliance", "map", "association",
    "time", "specifications", "prediction-valence", "power",
}  # fmt: skip
AXE = os.environ.get("AXE_CORE", "")
# What Chromium asks for on its own, with any page.
OF_THE_BROWSER = {"update.googleapis.com:443", "accounts.google.com:443", "http://report.test/favicon.ico"}
needs_chromium = pytest.mark.skipif(
    shutil.which("chromium") is None, reason="needs Debian's chromium, which .ci/run installs"
)
# What a browser finds in the page, at the width of a phone and of a desk: what sticks out, and what axe-core says.
EXAMINE = """
<script>%s</script>
<script>
addEventListener('load', async () => {
  document.querySelectorAll('details').forEach(one => one.open = true);
  const seen = [...document.querySelectorAll('figure svg')].filter(one => getComputedStyle(one).display !== 'none');
  const found = {
    figures: document.querySelectorAll('figure').length, drawings: seen.length,
    sticks_out: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    small: seen.filter(one => one.getBoundingClientRect().height < 20).length,
    violations: globalThis.axe ? (await axe.run()).violations.map(one => [one.impact, one.id, one.nodes[0].html]) : null,
  };
  const place = document.createElement('pre');
  place.id = 'found';
  place.textContent = JSON.stringify(found);
  document.body.append(place);
});
</script>
"""


@pytest.fixture(scope="module", autouse=True)
def _one_learner() -> Iterator[None]:
    """Boosting takes half of the time, and its row of the page is made like the one of the elastic net."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prediction, "predict", functools.partial(prediction.predict, learners=("elastic_net",)))
        yield


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Section]]:
    """The page of a study in which everything can be shown, and its sections."""
    folder = tmp_path_factory.mktemp("report")
    page = folder / "report.html"
    return page, write_report(make(folder / "made.duckdb", USUAL), page)


def chromium(profile: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    flags += [
        "--disable-component-update",
        "--disable-sync",
        "--disable-features=NetworkTimeServiceQuerying,OptimizationHints",
        f"--user-data-dir={profile}",
        "--enable-logging=stderr",
    ]
    return subprocess.run(["chromium", *flags, *arguments], capture_output=True, text=True, check=False, timeout=120)


def test_every_figure_is_there_with_its_text_its_numbers_and_its_sql(usual: tuple[Path, list[Section]]) -> None:
    page, sections = usual
    figures = [figure for section in sections for figure in section.figures]
    assert {figure.key for figure in figures} == KEYS
    html = page.read_text(encoding="utf-8")
    for figure in figures:
        assert figure.seen and all(figure.seen) and figure.table.rows and figure.description and figure.sql, figure.key
        for svg in figure.svg:
            assert svg in html and 'role="img"' in svg and f'<title id="{figure.key}-' in svg and "<desc id=" in svg
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert stat.S_IMODE(page.stat().st_mode) == 0o600


def test_a_mean_over_plays_is_of_many_persons_of_whom_it_is_known(usual: tuple[Path, list[Section]]) -> None:
    (bias,) = (figure for section in usual[1] for figure in section.figures if figure.key == "coverage-bias")
    rows = [row[0] for row in bias.table.rows]
    assert len(rows) == 3 and CHARACTERISTICS["is_skip"] not in rows and CHARACTERISTICS["is_shuffle"] in rows


def test_the_page_asks_for_nothing_and_runs_nothing(usual: tuple[Path, list[Section]]) -> None:
    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            assert tag not in ("script", "iframe", "object", "embed", "link", "img", "form")
            for name, value in attributes:
                assert not name.startswith("on"), (tag, name)
                if name in ("src", "href", "xlink:href", "action", "data"):
                    assert (value or "").startswith("#"), (tag, name, value)

    html = usual[0].read_text(encoding="utf-8")
    Links().feed(html)
    assert not re.search(r"url\((?!#)|@import", html)


def test_nobody_is_named_and_no_number_is_of_few_persons(usual: tuple[Path, list[Section]]) -> None:
    page, sections = usual
    html = page.read_text(encoding="utf-8")
    assert not re.search(r"\bp\d{4}\b", html)
    for figure in (figure for section in sections for figure in section.figures):
        for place in (place for place, name in enumerate(figure.table.headers) if name == "persons"):
            counts = [row[place].replace(",", "") for row in figure.table.rows]
            assert not [count for count in counts if count.isdigit() and 0 < int(count) <= small_group()], figure.key
    assert not [
        count for count in re.findall(r"\b(\d+) (?:persons|participants|people)\b", re.sub(r"up to \d+ persons", "", html))
        if 0 < int(count) <= small_group() and int(count) not in (5, 10, small_group())
    ]  # fmt: skip


def test_no_two_numbers_of_persons_of_a_figure_differ_by_few(usual: tuple[Path, list[Section]]) -> None:
    _, sections = usual
    told = 0
    for figure in (figure for section in sections for figure in section.figures if figure.key not in ("groups", "way")):
        for place in (place for place, name in enumerate(figure.table.headers) if name == "persons"):
            given = {int(row[place]) for row in figure.table.rows if row[place].isdigit()} | {USUAL.persons}
            assert not [(a, b) for a in given for b in given if 0 < a - b <= small_group()], figure.key
            told += 1
    assert told >= 5


def test_what_was_planted_is_found_and_nothing_else(usual: tuple[Path, list[Section]]) -> None:
    """Within persons valence follows the music and arousal only the hour; in a bad mood prompts are missed."""
    by_key = {section.key: section for section in usual[1]}
    findings = by_key["association"].findings
    (valence,) = (one for one in findings if one.text.startswith("Reported valence is higher after music"))
    assert valence.verdict is Verdict.FOUND
    (arousal,) = (one for one in findings if "reported arousal differs after music" in one.text)
    assert arousal.verdict is Verdict.NO_EVIDENCE
    assert [one.verdict for one in findings if "energy of the music and reported arousal" in one.text] == [
        Verdict.EXPLAINED
    ]
    (mood,) = by_key["mood"].warnings
    assert mood.verdict is Verdict.FOUND and "answered less often in a worse mood" in mood.text


ODD = {
    "nobody": (Shape(persons=0), "There are no participants."),
    "one person": (Shape(persons=1, days=2), "Fewer than 5 persons"),
    "no reports": (Shape(has_reports=False), "There are no emotion reports"),
    "no features": (Shape(has_features=False, days=2), "No feature of the music"),
    "no prompts": (Shape(has_prompts=False, has_features=False, days=2), "have no prompts"),
    "no plays": (Shape(has_plays=False, days=2), "have plays."),
    "everyone alike": (Shape(is_alike=True, persons=25, days=2), "never differs"),
}


@pytest.mark.parametrize("name", ODD)
def test_the_page_is_made_of_odd_studies_and_says_what_it_cannot_show(name: str, tmp_path: Path) -> None:
    shape, said = ODD[name]
    sections = write_report(make(tmp_path / "made.duckdb", shape), tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert said in html
    for section in sections:
        assert section.figures or section.missing or section.findings, section.key
    assert "nan" not in re.sub(r"<[^>]+>", " ", html).split() and ">None<" not in html


@needs_chromium
@pytest.mark.parametrize("width", [390, 1200])
def test_a_browser_shows_every_figure_and_axe_finds_nothing_serious(
    usual: tuple[Path, list[Section]], tmp_path: Path, width: int
) -> None:
    axe = Path(AXE, "node_modules", "axe-core", "axe.min.js") if AXE else None
    script = axe.read_text(encoding="utf-8") if axe else ""
    examined = tmp_path / "examined.html"
    page = usual[0].read_text(encoding="utf-8")
    examined.write_text(page.replace("</body>", EXAMINE % script + "</body>"), encoding="utf-8")
    done = chromium(
        tmp_path / "profile",
        f"--window-size={width},900",
        "--virtual-time-budget=30000",
        "--dump-dom",
        examined.as_uri(),
    )
    found = json.loads(
        re.findall(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)[0]
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
    )
    assert "CONSOLE" not in done.stderr, done.stderr
    assert (found["figures"], found["drawings"]) == (len(KEYS), len(KEYS))
    assert (found["sticks_out"], found["small"]) == (0, 0)
    if found["violations"] is None:
        pytest.skip("everything but axe-core was tested: AXE_CORE names no folder with it (.ci/run installs it)")
    assert not [one for one in found["violations"] if one[0] in ("serious", "critical")], found["violations"]


class Recording(http.server.SimpleHTTPRequestHandler):
    """Serves a folder as a proxy of everything, and notes what is asked for."""

    asked: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "http://report.test/report.html":
            self.path = "/report.html"
            super().do_GET()
        else:
            self.send_error(404)

    def do_CONNECT(self) -> None:
        self.asked.append(self.path)
        self.send_error(404)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def recording(folder: Path) -> Iterator[str]:
    Recording.asked.clear()
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Recording, directory=str(folder))
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@needs_chromium
def test_a_browser_asks_for_the_page_alone_and_prints_it(usual: tuple[Path, list[Section]], tmp_path: Path) -> None:
    printed = tmp_path / "report.pdf"
    with recording(usual[0].parent) as proxy:
        done = chromium(
            tmp_path / "profile", f"--proxy-server={proxy}", "--no-pdf-header-footer", f"--print-to-pdf={printed}",
            "http://report.test/report.html",
        )  # fmt: skip
        asked = [path for path in Recording.asked if path not in OF_THE_BROWSER]
    assert "CONSOLE" not in done.stderr, done.stderr
    assert asked == ["http://report.test/report.html"]
    pdf = printed.read_bytes()
    assert pdf.startswith(b"%PDF") and 4 <= pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") <= 30


def test_the_command_says_where_the_page_is_and_what_is_missing(tmp_path: Path) -> None:
    study = lay_out_study(tmp_path / "study", "A [study]", None)
    run = CliRunner().invoke

    def said(*arguments: str | Path) -> tuple[int, str]:
        done = run(cli, ["report", *map(str, arguments)])
        return done.exit_code, " ".join((done.output + str(done.exception or "")).split())

    assert said("--study", study.root) == (
        1,
        f"{study.desk_path} does not exist. Run 'dbt run' first: each complete run writes it.",
    )
    with duckdb.connect(str(study.desk_path)):
        pass
    status, text = said("--study", study.root)
    assert status == 1 and "has no marts. Run 'dbt run' first." in text
    study.desk_path.unlink()
    make(study.desk_path, Shape(persons=0))
    status, text = said("--study", study.root)
    page = study.site / "report.html"
    assert status == 0 and f"The report is at {page}" in text and "not shown: " in text
    assert "A [study]" in page.read_text(encoding="utf-8") and stat.S_IMODE(page.stat().st_mode) == 0o600

    status, text = said("--study", study.root, "--output", study.settings_path / "report.html")
    assert status == 1 and "cannot be written" in text and "--output" in text

    with duckdb.connect(str(study.desk_path)) as connection:
        connection.execute("alter table marts.emotion_windows drop column emotion_window")
    status, text = said("--study", study.root)
    assert status == 1 and "was made by an earlier version of consonance. Run 'dbt run' first." in text

    status, text = said("--from", tmp_path)
    assert status == 1 and "There is no release in" in text
    release = study.published / "3"
    release.mkdir(parents=True)
    make(release / "research.duckdb", Shape(persons=0))
    (study.published / "current").symlink_to("3")
    status, text = said("--from", study.published / "current")
    assert status == 0 and (study.site / "report-of-release-3.html").exists(), text
    with duckdb.connect(str(release / "research.duckdb")) as connection:
        connection.execute(
            "drop schema marts cascade; create schema marts; create table marts.population (persons bigint)"
        )
    status, text = said("--from", release / "research.duckdb")
    assert status == 1 and "is a public release" in text


def test_nothing_but_the_marts_can_be_read(tmp_path: Path) -> None:
    origin = make(tmp_path / "made.duckdb", Shape(persons=0))
    with opened(origin) as marts:
        for statement in (f"from read_text('{tmp_path}/*')", "create table marts.mine (one integer)"):
            with pytest.raises(duckdb.Error):
                marts.connection.execute(statement)
    with pytest.raises(NothingToReport, match="no release"):
        of_release(tmp_path)
    with pytest.raises(NothingToReport, match="Run 'dbt run' first"):
        of_study(lay_out_study(tmp_path / "study", None, None))
