"""``consonance``: the commands, each of which reads its options, calls the project and prints what came of it."""

from __future__ import annotations

import sys
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import click
from rich.markup import escape

from consonance.checks.history import note_checks
from consonance.checks.risk.attacks import run_attacks
from consonance.checks.risk.knowledge import Knowledge
from consonance.checks.risk.recording import record
from consonance.checks.study_checks import CHECKS, run_check, run_checks
from consonance.cli.audit import audit
from consonance.cli.catalog import catalog
from consonance.cli.check_report import print_check, print_diagnosis
from consonance.cli.completion import completion
from consonance.cli.consent import consent
from consonance.cli.dry_load_report import print_dry_load
from consonance.cli.export import export
from consonance.cli.giveback import giveback
from consonance.cli.key import key
from consonance.cli.load_report import ProgressBar, print_amendments, print_load
from consonance.cli.publish import publish
from consonance.cli.report import report
from consonance.cli.risk_report import print_risk
from consonance.cli.shards import load_one_shard, merge_all, share_option
from consonance.cli.sql import sql
from consonance.cli.status_report import print_status
from consonance.cli.survey import survey
from consonance.cli.terminal import json_option, out, print_json, screen, study_option
from consonance.cli.vault import vault
from consonance.cli.withdraw import withdraw
from consonance.erasure.amendment import erase_uncovered
from consonance.study.doctor import examine
from consonance.study.folder import Study
from consonance.study.layout import lay_out_study
from consonance.study.modes import keep_to_owner
from loaders.dry_load import dry_load
from loaders.load import load_study
from loaders.shards import Share


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="consonance")
def cli() -> None:
    """From donated Spotify exports and emotion reports to a consented, de-identified warehouse.

    \b
    The steps of a study:
      consonance init study       make the study folder; fill in its tables
      consonance survey map FILE  say what the columns of a questionnaire are
      consonance status           see where the study stands, and what is next
      consonance load             copy everything into the encrypted vault
      dbt run                     rebuild the warehouse
      consonance check            check consent, de-identification and quality
      consonance attack           measure the residual re-identification risk
      consonance sql              ask the marts
      consonance report           write the report of music and emotion
      consonance site             build the docs site with the lineage
      consonance publish          make a release, if every check has passed
      consonance export           write data into a folder for use elsewhere
      consonance vault export     write the vault for Spark: identified data
      consonance giveback CODE    write the page for a participant
      consonance withdraw CODE    erase a participant, with a certificate
      consonance doctor           list what is wrong with the study folder

    \b
    Examples:
      consonance load --help      read about a command
      consonance load --json      get its report as JSON; errors too
      CONSONANCE_STUDY=~/study consonance status

    \b
    Exit status of every command: 0 done; 1 it failed, or a check did; 2 the
    invocation is wrong, or a part of the input was left out; 130 interrupted.
    """
    keep_to_owner()


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--title", default=None, help="The study's name; the folder's name if not given.")
@json_option
def init(folder: Path, title: str | None, as_json: bool) -> None:
    """Make an empty study in FOLDER, with commented templates and a new key.

    \b
    Examples:
      consonance init study
      consonance init ~/studies/mood --title "Music and mood"
    """
    study = lay_out_study(folder, title)
    if as_json:
        print_json({"study": study.root, "key": study.key_path})
        return
    out.print(
        f"Made a study in [bold]{escape(str(study.root))}[/].\nNext: read {escape(str(study.root))}/README.md, then fill in "
        f"participants.csv and consents.csv.\nKeep a copy of {escape(str(study.key_path))} in a safe place: without it nobody "
        "can read the vault.",
        soft_wrap=True,
    )


@cli.command()
@click.option("--dry-run", is_flag=True, help="Say what a load would land and reject; land nothing.")
@share_option
@click.option("--merge", is_flag=True, help="Bring every shard into the vault, then load the rest.")
@study_option
@json_option
def load(dry_run: bool, share: Share | None, merge: bool, folder: Path | None, as_json: bool) -> None:
    """Land donations, consent, enrolment, questionnaires and feature archives. Safe to repeat.

    Several processes load side by side, each a share of the participants into a shard; then the shards are
    merged (docs/growth.md).

    If a participant has taken back a purpose since the last load, the data that it covered are erased from
    the vault, and the warehouse is built again.

    \b
    Examples:
      consonance load --dry-run
      consonance load
      consonance load --json | jq .totals
      consonance load --shard 1/2 & consonance load --shard 2/2; wait
      consonance load --merge

    \b
    Exit status: 0 everything is in the vault; 2 something was rejected, refused
    or held, and everything else was landed; 1 the command failed.
    """
    study = Study.find(folder)
    if dry_run + merge + (share is not None) > 1:
        raise click.UsageError("Only one of --dry-run, --shard and --merge can be given.")
    if dry_run:
        _load_nothing(study, as_json)
    if share:
        load_one_shard(study, share, as_json)
    merged = merge_all(study, as_json) if merge else {}
    with ProgressBar(screen) as progress:
        report = load_study(study, progress=progress)
    with screen.status("Comparing consents …") as status:
        amendments = erase_uncovered(study, progress=lambda what: status.update(f"Amendments: {what} …"))
    if as_json:
        told = report.as_json() | {"amendments": [amendment.as_json() for amendment in amendments]} | merged
        print_json(told)
    else:
        print_load(report, out)
        print_amendments(amendments, out)
    sys.exit(report.exit_status)


def _load_nothing(study: Study, as_json: bool) -> NoReturn:
    with ProgressBar(screen) as progress:
        dry = dry_load(study, progress=progress)
    if as_json:
        print_json(dry.as_json())
    else:
        print_dry_load(dry, out)
    sys.exit(dry.report.exit_status)


class CheckName(click.Choice):  # type: ignore[type-arg]
    """A check by its name. Its name of version 0.1 is still accepted."""

    OLD_NAMES: ClassVar[dict[str, str]] = {"interference": "non-interference", "traces": "leaks"}

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return super().convert(self.OLD_NAMES.get(value, value), param, ctx)


@cli.command()
@click.argument("checks", nargs=-1, type=CheckName(CHECKS))
@study_option
@json_option
def check(checks: tuple[str, ...], folder: Path | None, as_json: bool) -> None:
    """Run the checks of the study. Exit status 1 if one fails.

    \b
    rules             the quality rules, on the data of vault and warehouse
    wall              every released column, followed back to staging through
                      the compiled SQL
    non-interference  what must not matter (names, true dates, orders, ...)
                      changes nothing in the warehouse
    leaks             no file of the study, log or page has a secret or a name

    Without CHECKS all of them run; 'check wall' also lists each column and where it comes from.

    \b
    Examples:
      consonance check
      consonance check rules leaks
      consonance check wall --json | jq .wall.unresolved
    """
    study = Study.find(folder)
    with screen.status(f"Checking {', '.join(checks or CHECKS)} …"):
        results = {name: run_check(name, study) for name in CHECKS if name in checks} if checks else run_checks(study)
    note_checks(study, results.values())
    passed = all(result.passed for result in results.values())
    if as_json:
        print_json({"passed": passed, **{name: result.as_json() for name, result in results.items()}})
    else:
        for name, result in results.items():
            print_check(result, out, at_length=name in checks)
    sys.exit(0 if passed else 1)


@cli.command()
@study_option
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    default=None,
    help="Number of samples of each person's plays. Default: 200, or fewer if the study has more than 50 people.",
)
@click.option("--seed", default=1, show_default=True, help="Another seed draws other samples.")
@json_option
def attack(folder: Path | None, samples: int | None, seed: int, as_json: bool) -> None:
    """Attack the marts, to measure the residual re-identification risk.

    The figures are kept in audit.privacy_risk of the warehouse until the next rebuild. The command only
    reports them: the exit status is 0 when everything was measured, whatever the figures are.

    \b
    Examples:
      consonance attack
      consonance attack --samples 500 --seed 2
    """
    study = Study.find(folder)
    with screen.status("Attacking the marts …"):
        report = run_attacks(study, Knowledge(seed=seed, samples=samples))
        record(report, study)
    if as_json:
        print_json(report.as_json())
    else:
        print_risk(report, out)


@cli.command()
@study_option
@click.option("--serve", is_flag=True, help="Serve it to this machine alone afterwards, until Ctrl-C.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="For --serve. Default: one that is free.")
@json_option
def site(folder: Path | None, serve: bool, port: int, as_json: bool) -> None:
    """Build the docs site, which a browser opens from its file.

    It says what there is of the study and what happens to each field; it has the codebook, the lineage, the rules and their
    results, risk, consent, releases, the answers of the analyses, the report and the documentation. Its search finds every
    column.

    \b
    Examples:
      consonance site
      consonance site --serve --port 8000
    """
    from consonance.site.build import build_site
    from consonance.site.serving import LOOPBACK, site_server

    study = Study.find(folder)
    with screen.status("Building the site …"):
        page = build_site(study)
    with site_server(study.site, port) if serve else nullcontext() as server:
        if as_json:
            print_json({"page": page})
        else:
            out.print(f"The site is at {page}", soft_wrap=True, markup=False)
        if server:
            screen.print(f"Served at http://{LOOPBACK}:{server.server_port}/ until you press Ctrl-C.", soft_wrap=True)
            with suppress(KeyboardInterrupt):
                server.serve_forever()


@cli.command()
@study_option
@json_option
def doctor(folder: Path | None, as_json: bool) -> None:
    """List what is wrong with the study folder, and what to do. Exit status 1 if a finding is grave.

    \b
    Examples:
      consonance doctor
      consonance doctor --json | jq -r '.findings[].remedy'
    """
    study = Study.find(folder)
    with screen.status("Looking …"):
        diagnosis = examine(study)
    if as_json:
        print_json(diagnosis.as_json())
    else:
        print_diagnosis(diagnosis, out)
    sys.exit(0 if diagnosis.passed else 1)


@cli.command()
@study_option
@json_option
def status(folder: Path | None, as_json: bool) -> None:
    """Show what is loaded, held and stale, and what to run next. Nothing is changed.

    \b
    Examples:
      consonance status
      consonance status --json | jq .next
    """
    from consonance.study.status import status_of

    study = Study.find(folder)
    with screen.status("Looking …"):
        found = status_of(study)
    if as_json:
        print_json(found.as_json())
    else:
        print_status(found, out)


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("study-demo"))
@click.option("--seed", default=1, show_default=True, help="Another seed makes other people.")
@click.option("--people", type=click.IntRange(min=1), default=40, show_default=True, help="Number of participants.")
@click.option(
    "--plays",
    type=click.IntRange(min=1),
    default=200_000,
    show_default=True,
    help="Approximate number of plays, for all participants together.",
)
def demo(folder: Path, seed: int, people: int, plays: int) -> None:
    """Make a synthetic study in FOLDER and run every step on it, from zips to answers.

    \b
    Examples:
      consonance demo
      consonance demo /tmp/demo --people 24 --plays 9000 --seed 5
    """
    from consonance.cli.demo import run_demo

    run_demo(folder, seed, people, plays, out, screen)


cli.add_command(catalog)
cli.add_command(completion)
cli.add_command(consent)
cli.add_command(audit)
cli.add_command(key)
cli.add_command(publish)
cli.add_command(report)
cli.add_command(sql)
cli.add_command(survey)
cli.add_command(export)
cli.add_command(giveback)
cli.add_command(vault)
cli.add_command(withdraw)
