"""What holds for every command: its page of instructions, its JSON, what a shell completes, how it ends in a pipe."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from http.server import HTTPServer
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner
from conftest import SmallStudy, play

from consonance.cli.commands import cli
from consonance.cli.terminal import print_json
from consonance.site import build
from consonance.site.serving import CannotServe, site_server
from consonance.study.dbt_command import PROJECT

WIDTH = 80
WITHOUT_JSON = {"demo", "completion"}


def commands(group: click.Group, names: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    yield " ".join(names), group
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*names, name))
        else:
            yield " ".join((*names, name)), command


COMMANDS = dict(commands(cli))


def documented() -> dict[str, set[str]]:
    """Of each command the keys that docs/json.md names; none of one whose JSON is a list, or is described in words."""
    rows = re.findall(r"^\| (`.+?) \| (.+) \|$", (PROJECT / "docs/json.md").read_text(encoding="utf-8"), re.MULTILINE)
    return {
        name: set() if keys.startswith(("a list", "the ")) else set(re.findall(r"`(\w+)`", keys.partition(": for")[0]))
        for names, keys in rows
        for name in re.findall(r"`([^`]+)`", names)
    }


def test_every_help_fits_the_screen_and_has_examples() -> None:
    for name, command in COMMANDS.items():
        shown = CliRunner().invoke(cli, [*name.split(), "--help"], terminal_width=WIDTH).output
        assert [line for line in shown.splitlines() if len(line) > WIDTH] == [], name
        assert re.search(r"^  Examples?:\n    +(?:CONSONANCE_STUDY=\S+ )?consonance ", shown, re.MULTILINE), name
        assert command.help


def test_every_command_has_json_and_its_keys_are_documented(
    small: SmallStudy, capsys: pytest.CaptureFixture[str]
) -> None:
    leaves = {name for name, command in COMMANDS.items() if not isinstance(command, click.Group)}
    told = documented()
    assert {name.partition(" --")[0] for name in told} == leaves - WITHOUT_JSON
    for name in leaves - WITHOUT_JSON:
        assert "--json" in {option for parameter in COMMANDS[name].params for option in parameter.opts}, name
    small.admit("P1")
    small.donate("P1", [play()])
    answers = small.study.surveys / "answers.csv"
    answers.write_text(
        "participant_code,answered_at,instrument,item,answer\nP1,2023-05-03T10:30:00+00:00,affect_grid,valence,5\n"
    )
    notice = small.root.parent / "notice.txt"
    notice.write_text("What it is about.\n")
    given = {
        "init": [str(small.root.parent / "other")], "consent notice": [str(notice), "--version", "v2", "--language", "en"],
        "load --dry-run": [], "load": [], "doctor": [], "status": [], "audit verify": [], "audit export": [str(small.root.parent / "log")],
        "catalog status": [], "consent status": [], "consent receipt": ["P1"], "survey preview": [str(answers)],
        "survey map": [str(answers), "--replace"], "key rotate": [],
    }  # fmt: skip
    for name, arguments in given.items():
        study = [] if name == "init" else ["--study", str(small.root)]
        done = CliRunner().invoke(cli, [*name.split(), *arguments, *study, "--json"])
        keys = set(json.loads(done.stdout))
        assert keys == (told["audit verify"] | {"file"} if name == "audit export" else told[name]), name


def test_a_number_that_is_none_is_null_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"figures": [{"value": math.nan, "of": (math.inf, 0.5)}], "page": Path("a/b")})
    assert json.loads(capsys.readouterr().out) == {"figures": [{"value": None, "of": [None, 0.5]}], "page": "a/b"}


def test_a_site_that_is_served_prints_one_json_value(small: SmallStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_server: HTTPServer) -> None:
        raise KeyboardInterrupt

    small.study.site.mkdir(exist_ok=True)
    monkeypatch.setattr(build, "build_site", lambda study: study.site / "index.html")
    monkeypatch.setattr(HTTPServer, "serve_forever", interrupt)
    done = CliRunner().invoke(cli, ["site", "--serve", "--json", "--study", str(small.root)])
    assert json.loads(done.stdout) == {"page": str(small.study.site / "index.html")} and "Served at http" in done.stderr
    # A port that is in use is an error, and nothing else.
    with site_server(small.study.site, 0) as server:
        done = CliRunner().invoke(
            cli, ["site", "--serve", "--port", str(server.server_port), "--json", "--study", str(small.root)]
        )
    assert done.stdout == "" and isinstance(done.exception, CannotServe)


def completed(*words: str) -> list[str]:
    return [
        item.value for item in ShellComplete(cli, {}, "consonance", "_X").get_completions(list(words[:-1]), words[-1])
    ]


def test_a_shell_completes_commands_and_sources_and_no_code(small: SmallStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    small.admit("P1")
    small.load()
    monkeypatch.setenv("CONSONANCE_STUDY", str(small.root))
    assert completed("cons") == ["consent"]
    assert completed("catalog", "add", "acoustic") == ["acousticbrainz_lowlevel", "acousticbrainz_highlevel"]
    assert "--dry-run" in completed("load", "--")
    for command in (["withdraw"], ["giveback"], ["consent", "status"], ["consent", "receipt"]):
        assert completed(*command, "") == []
    for shell in ("bash", "zsh", "fish"):
        assert "_CONSONANCE_COMPLETE" in CliRunner().invoke(cli, ["completion", shell]).output


@pytest.mark.slow
def test_a_pipe_that_closes_early_gets_no_traceback() -> None:
    program = "from consonance.cli.main import main; main(['sql', '--help'])"
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
