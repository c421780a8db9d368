"""``consonance``: one entry point over the loaders, dbt and the quality gate."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import duckdb
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from consonance.audit_cli import audit
from consonance.consent_cli import consent
from consonance.guard_tables import print_guard
from consonance.key_cli import key
from loaders.catalogue import add_archive
from loaders.donations import Donation
from loaders.report import DonationReport, LoadReport, participant_status
from loaders.study_layout import lay_out_study
from loaders.study_loading import LoadProgress, load_study
from quality.attack.harness import Knowledge, RiskReport, record, run_attacks
from quality.attack.thresholds import Figure
from quality.guards import GUARDS, ask, ask_all
from stores.errors import ConsonanceError
from stores.study import Study

if TYPE_CHECKING:
    pass

DEBUG_VARIABLE = "CONSONANCE_DEBUG"
screen = Console(stderr=True, highlight=False)
out = Console(highlight=False)

study_option = click.option(
    "--study",
    "folder",
    type=click.Path(path_type=Path),
    default=None,
    help="The study folder. Default: $CONSONANCE_STUDY, else ./study.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="consonance")
def cli() -> None:
    """From donated Spotify exports and emotion reports to a consented, de-identified warehouse.

    \b
    The way of a study:
      consonance init study        lay out the folder, fill in its tables, drop in the zips
      consonance load              land everything in the encrypted vault
      dbt run                      rebuild the warehouse
      consonance check             consent, de-identification, quality
      consonance attack            what could be found out all the same
      consonance site              the docs site with the lineage
      consonance publish           a release, if every guard holds
    """


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--title", default=None, help="The study's name; the folder's name if not given.")
def init(folder: Path, title: str | None) -> None:
    """Lay out an empty study in FOLDER, with templates that explain themselves and a new key."""
    study = lay_out_study(folder, title)
    out.print(
        f"Laid out a study in [bold]{study.root}[/]. Next: read {study.root}/README.md, fill in participants.csv, notices.csv and consents.csv."
    )
    out.print(f"Keep a copy of {study.key_path} in a safe place: without it nobody can read the vault.")


@cli.command()
@study_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the table.")
def load(folder: Path | None, as_json: bool) -> None:
    """Land donations, consent, enrolment, surveys and feature archives. Safe to repeat.

    \b
    Exit status: 0 everything is in the vault; 2 something was rejected, refused or held while the
    rest went on; 1 the command itself failed.
    """
    with _ProgressBar() as progress:
        report = load_study(Study.find(folder), progress=progress)
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        _print_load(report)
    sys.exit(report.exit_status)


@cli.group()
def catalog() -> None:
    """The catalogue of open music facts."""


@catalog.command("add")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--source", "source_id", required=True, help="The source's id in seeds/feature_sources.csv.")
@study_option
def catalog_add(file: Path, source_id: str, folder: Path | None) -> None:
    """Keep the feature archive FILE (CSV with Spotify ids) with the study and load it."""
    study = Study.find(folder)
    add_archive(study, file, source_id)
    with _ProgressBar() as progress:
        report = load_study(study, progress=progress)
    for archive in report.catalogue:
        out.print(f"{archive.file}: {archive.landed:,} tracks of {archive.rows_in:,} rows")


@cli.command()
@click.argument("guards", nargs=-1, type=click.Choice(GUARDS))
@study_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the tables.")
def check(guards: tuple[str, ...], folder: Path | None, as_json: bool) -> None:
    """Run the guards of the study. Exit status 1 if one does not hold.

    \b
    rules         the quality rules, on the data of vault and warehouse
    wall          every released column, followed back to staging through the compiled SQL
    interference  the same study under other names, devices and secrets gives the same warehouse
    traces        artifacts, logs and pages hold no secret and no name

    Without GUARDS all of them run; 'check wall' also lists each column with its way.
    """
    study = Study.find(folder)
    with screen.status(f"Checking {', '.join(guards or GUARDS)} …"):
        reports = {guard: ask(guard, study) for guard in GUARDS if guard in guards} if guards else ask_all(study)
    holds = all(report.holds for report in reports.values())
    if as_json:
        click.echo(json.dumps({"holds": holds, **{guard: report.as_json() for guard, report in reports.items()}}))
    else:
        for guard, report in reports.items():
            print_guard(report, out, at_length=guard in guards)
    sys.exit(0 if holds else 1)


@cli.command()
@study_option
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    default=None,
    help="Samples of each person's plays. Default: 200, in studies of more than 50 people fewer.",
)
@click.option("--seed", default=1, show_default=True, help="Another seed draws other samples.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the tables.")
def attack(folder: Path | None, samples: int | None, seed: int, as_json: bool) -> None:
    """Attack the marts, to measure what pseudonyms, shifts and coarse groups leave open.

    The figures are kept in audit.privacy_risk of the warehouse until the next rebuild. They are
    reported, whatever they are: the exit status is 0 once everything was measured.
    """
    study = Study.find(folder)
    with screen.status("Attacking the marts …"):
        report = run_attacks(study, Knowledge(seed=seed, samples=samples))
        record(report, study)
    if as_json:
        click.echo(json.dumps(report.as_json(), ensure_ascii=False))
    else:
        _print_risk(report)


@cli.command()
@study_option
def site(folder: Path | None) -> None:
    """Build the docs site: lineage, consent coverage, accounts of the data."""
    from quality.site import build_site

    study = Study.find(folder)
    with screen.status("Building the site …"):
        page = build_site(study)
    out.print(f"The site is at {page}")


@cli.command()
@click.option(
    "--tier",
    type=click.Choice(["controlled", "public"]),
    required=True,
    help="controlled: pseudonymous rows for named analysts. public: aggregates for anyone.",
)
@study_option
def publish(tier: str, folder: Path | None) -> None:
    """Publish a release to published/, if every guard holds. Exit status 1 and no trace if one does not."""
    from quality.release.publish import publish as publish_release

    study = Study.find(folder)
    with screen.status("Publishing …") as status:
        release = publish_release(study, tier, tell=lambda what: status.update(f"Publishing: {what} …"))
    out.print(f"[bold]Published release {release.number}[/] ({tier}, {release.participants} participants).")
    for result in release.results:
        out.print(f"  [green]✓[/] {result.name}: {result.summary}")
    out.print(
        f"  for analysts   duckdb -readonly {study.published}/current/{release.database.name}\n  certificate    {release.page}",
        soft_wrap=True,
    )


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("study-demo"))
@click.option("--seed", default=1, show_default=True, help="Another seed makes another world.")
@click.option("--people", default=40, show_default=True, help="How many take part.")
@click.option("--plays", default=400_000, show_default=True, help="About how many plays, all together.")
def demo(folder: Path, seed: int, people: int, plays: int) -> None:
    """Make a synthetic study in FOLDER and run the whole line on it, from zips to answers."""
    from consonance.demo import run_demo

    run_demo(folder, seed, people, plays, out, screen)


cli.add_command(consent)
cli.add_command(audit)
cli.add_command(key)


class _ProgressBar(LoadProgress):
    """A bar on the terminal while donations are read; silent elsewhere."""

    def __init__(self) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=screen,
            transient=True,
            disable=not screen.is_terminal,
        )
        self._lock = threading.Lock()

    def __enter__(self) -> _ProgressBar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def starts(self, donations: list[Donation]) -> None:
        self._task = self._bar.add_task("Reading donations", total=len(donations))

    def done(self, donation: Donation, report: DonationReport) -> None:
        with self._lock:
            self._bar.advance(self._task)


def _print_load(report: LoadReport) -> None:
    table = Table("participant", "status", box=None)
    for heading in ("files", "rows", "landed", "rejected", "held"):
        table.add_column(heading, justify="right")
    table.add_column("why")
    for code, donations in report.by_participant().items():
        held = sum(donation.status == "held" for donation in donations)
        counts = [sum(donation.rows(what) for donation in donations) for what in ("rows_in", "landed", "rejected")]
        status = participant_status(donations)
        colour = {"refused": "red", "partly": "yellow", "held": "yellow"}.get(status, "green")
        table.add_row(
            code or "(nobody)",
            f"[{colour}]{status}[/]",
            f"{len(donations)}",
            *(f"{count:,}" for count in counts),
            f"{held}",
            _why(donations),
        )
    out.print(table)
    for donation in report.donations:
        if donation.advice:
            out.print(f"[yellow]{donation.file}[/]: {donation.advice}", soft_wrap=True)
    for file in [*report.surveys, *report.catalogue]:
        reasons = ", ".join(f"{reason} {lines:,}" for reason, lines in file.reasons.items())
        out.print(
            f"{file.file}: {file.landed:,} of {file.rows_in:,} lines landed" + (f" ({reasons})" if reasons else "")
        )
    totals = report.as_json()["totals"]
    out.print(
        f"[bold]{totals['rows_in']:,} rows = {totals['landed']:,} landed + {totals['rejected']:,} rejected[/]; "
        + ", ".join(
            f"{totals[status]:,} {status}"
            for status in ("loaded", "already", "partly", "refused", "held")
            if totals[status]
        )
    )


def _why(donations: list[DonationReport]) -> str:
    reasons: Counter[str] = Counter()
    for donation in donations:
        if donation.status in ("refused", "held") and donation.reason:
            reasons[donation.reason] += 1
        for member in donation.members:
            reasons.update(member.reasons)
            if member.reason:
                reasons[member.reason] += 1
    return ", ".join(f"{reason} {count:,}" if count > 1 else reason for reason, count in sorted(reasons.items()))


def _print_risk(report: RiskReport) -> None:
    persons = report.find("k", "cells").persons
    samples = report.parameters["samples"]
    _print_by_points(
        report, "unicity", "singled_out", f"One of {persons:,} persons alone matches, of {samples:,} samples each"
    )
    _print_by_points(report, "membership", "false_positive", "Without the person's own record somebody else's matches")
    table = Table("who knows", "finds", "of", "", box=None, title="Other attacks", title_justify="left")
    for figure in report.figures:
        if figure.attack not in ("unicity", "membership"):
            known = figure.knowledge if figure.points is None else f"{figure.points} {figure.knowledge}"
            shown = (
                _share(figure) if figure.low is not None else "–" if figure.value is None else f"{figure.value:,.0f}"
            )
            table.add_row(known, figure.measure.replace("_", " "), f"{figure.persons:,} persons", shown)
    out.print(table)
    for verdict in report.verdicts:
        threshold = verdict.threshold
        worst = "nothing measured" if verdict.worst is None else f"{verdict.worst:g}"
        out.print(
            f"{'[green]holds[/]' if verdict.holds else '[red]does not hold[/]'}  {threshold.name} ({threshold.tier} tier): "
            f"{worst}, wanted {threshold.wanted}",
            soft_wrap=True,
        )


def _print_by_points(report: RiskReport, attack_name: str, measure: str, title: str) -> None:
    figures = [figure for figure in report.figures if (figure.attack, figure.measure) == (attack_name, measure)]
    points = sorted({figure.points for figure in figures if figure.points is not None})
    table = Table("who knows, of each play", "wrong points", box=None, title=title, title_justify="left")
    for number in points:
        table.add_column(f"{number} known", justify="right")
    for knowledge, wrong in dict.fromkeys((figure.knowledge, figure.wrong_points) for figure in figures):
        row = {
            figure.points: _share(figure)
            for figure in figures
            if (figure.knowledge, figure.wrong_points) == (knowledge, wrong)
        }
        table.add_row(knowledge, f"{wrong}", *(row.get(number, "–") for number in points))
    out.print(table)


def _share(figure: Figure) -> str:
    return "–" if figure.value is None else f"{100 * figure.value:.1f} %"


def main() -> None:
    """The console script: errors that people can act on are told in a sentence, with exit status 1."""
    _or_explain(cli)


def _or_explain(command: Callable[[], Any]) -> None:
    try:
        command()
    except ConsonanceError as error:
        output = getattr(error, "output", "")
        if output:
            screen.print("\n".join(output.splitlines()[-30:]), markup=False)
        screen.print(f"[red]Error:[/] {error.what} {error.remedy}", soft_wrap=True)
        sys.exit(1)
    except duckdb.Error as error:
        # A message of DuckDB's may quote a row: it is shown only to who asks for it.
        if os.environ.get(DEBUG_VARIABLE):
            raise
        screen.print(
            f"[red]Error:[/] DuckDB gave up ({type(error).__name__}). Set {DEBUG_VARIABLE}=1 to see its message, which may quote participants' data."
        )
        sys.exit(1)
