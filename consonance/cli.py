"""``consonance``: one entry point over the loaders, dbt and the quality gate."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import duckdb
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from consonance.audit_cli import audit
from consonance.consent_cli import consent
from consonance.key_cli import key
from loaders.catalogue import add_archive
from loaders.donations import Donation
from loaders.report import DonationReport, LoadReport, participant_status
from loaders.study_layout import lay_out_study
from loaders.study_loading import LoadProgress, load_study
from stores.errors import ConsonanceError
from stores.study import Study

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
      consonance site              the docs site with the lineage
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
@study_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the table.")
def check(folder: Path | None, as_json: bool) -> None:
    """Run every quality rule on vault and warehouse. Exit status 1 if one does not hold."""
    study = Study.find(folder)
    with screen.status("Checking the rules …"):
        from quality.checkpoint import run_checkpoint  # Great Expectations takes seconds to import

        results = run_checkpoint(study)
    if as_json:
        click.echo(
            json.dumps(
                {"holds": all(result.holds for result in results), "rules": [result.as_json() for result in results]}
            )
        )
    else:
        table = Table("rule", "what holds", "", box=None)
        for result in results:
            verdict = (
                "[green]holds[/]"
                if result.holds
                else (
                    "[red]could not be run[/]"
                    if result.violations is None
                    else f"[red]{result.violations:,} violations[/]"
                )
            )
            table.add_row(result.rule.name, result.rule.what, verdict)
        out.print(table)
        for result in results:
            if not result.holds:
                out.print(f"[red]{result.rule.name}[/]: {result.rule.why} {result.rule.remedy}")
    sys.exit(0 if all(result.holds for result in results) else 1)


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
