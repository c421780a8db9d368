"""``consonance catalog fetch``: asking a feature source over the network, after a yes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from consonance.cli.terminal import json_option, out, print_json, screen, study_option
from consonance.study.folder import Study
from consonance.study.vault import open_study
from loaders.fetching import Fetch, Fetched, OutdatedWarehouse, plan_fetch, run_fetch
from loaders.reccobeats import BATCH, SOURCE, ReccoBeats, service_url


class Decoys(click.ParamType):  # type: ignore[type-arg]
    """A number, or a file."""

    name = "FILE|N"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int | Path:
        if isinstance(value, int):
            return value
        return int(str(value)) if str(value).isdecimal() else Path(str(value))


@click.command()
@click.argument("source", type=click.Choice([SOURCE]))
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option(
    "--decoys",
    type=Decoys(),
    default=0,
    help="Ask about other tracks too: N tracks of the catalogue, or those of FILE (an id, URI or link on each line).",
)
@study_option
@json_option
def fetch(source: str, yes: bool, decoys: int | Path, folder: Path | None, as_json: bool) -> None:
    """Ask SOURCE over the network for the audio features of tracks that no source of the study has yet.

    Only Spotify ids of tracks are sent: of music in kept plays, in random order, each one once for the whole study.
    The command first says what will be sent to whom, and asks. Answers are kept in the vault. If it is interrupted,
    run it again: it goes on from there. Run 'dbt run' afterwards.

    \b
    Examples:
      consonance catalog fetch reccobeats
      consonance catalog fetch reccobeats --decoys 500 --yes

    \b
    Exit status: 0 everything was answered; 2 there was no terminal to ask on, and
    nothing was sent; 1 the command failed, or the service stopped answering.
    """
    study = Study.find(folder)
    bar = FetchBar()
    service = ReccoBeats(service_url(), waits=bar.waits)
    if not study.warehouse_path.exists():
        raise OutdatedWarehouse("This study has no warehouse yet.", "Run 'dbt run' first.")
    with open_study(study, warehouse=True) as connection:
        planned = plan_fetch(connection, decoys)
        if not planned.tracks:
            _print(Fetched(), as_json)
            return
        _say_what_is_sent(planned, service)
        if not yes:
            _ask()
        with bar.shown(total=len(planned.order)):
            fetched = run_fetch(connection, study, planned, service, bar.done)
    _print(fetched, as_json)


def _say_what_is_sent(planned: Fetch, service: ReccoBeats) -> None:
    decoys = (
        f"Among them are {len(planned.decoys):,} decoys: tracks that nobody in the study heard. Their answers are thrown away."
        if planned.decoys
        else "There are no decoys among them ('--decoys' adds ids of other tracks)."
    )
    resumed = "An earlier fetch was interrupted. This is what is left of it.\n" if planned.is_resumed else ""
    screen.print(
        f"{resumed}"
        f"To whom: {escape(service.host)}, over the network.\n"
        f"What: the Spotify ids of {len(planned.order):,} tracks, in random order, in {planned.requests:,} requests of "
        f"at most {BATCH} ids. {decoys} Nothing else about people, plays or the study is sent.\n"
        "What its operator can conclude: that somebody at the network address of this machine is interested in these "
        "tracks, and so which music the study's participants heard, taken together. Not who heard a track, when, or how "
        "often. The fewer participants, the more the list says about each of them.",
        soft_wrap=True,
    )


def _ask() -> None:
    if not sys.stdin.isatty():
        screen.print(
            "[red]Nothing was sent.[/] There is no terminal to ask for a yes. Read the lines above, then add --yes."
        )
        sys.exit(2)
    click.confirm("Send this?", abort=True, err=True)


class FetchBar:
    """A bar on the terminal while batches are answered; silent elsewhere."""

    WORKING = "Asking"

    def __init__(self) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("tracks"),
            TimeRemainingColumn(),
            console=screen,
            transient=True,
            disable=not screen.is_terminal,
        )
        self._task = self._bar.add_task(self.WORKING, total=None)

    @contextmanager
    def shown(self, total: int) -> Iterator[None]:
        self._bar.update(self._task, total=total)
        with self._bar:
            yield

    def done(self, so_far: Fetched) -> None:
        self._bar.update(self._task, completed=so_far.tracks + so_far.decoys, description=self.WORKING)

    def waits(self, seconds: float, why: str) -> None:
        self._bar.update(self._task, description=f"Waiting {seconds:.0f} s ({why})")


def _print(fetched: Fetched, as_json: bool) -> None:
    if as_json:
        print_json(fetched.as_json())
        return
    if not fetched.tracks:
        out.print("No track is missing: each has features already, or was asked about before. Nothing was sent.")
        return
    decoys = f", and {fetched.decoys:,} decoys" if fetched.decoys else ""
    out.print(
        f"Asked about {fetched.tracks:,} tracks{decoys}: {fetched.known:,} are known, with {fetched.values:,} values; "
        f"{fetched.tracks - fetched.known:,} are unknown, and will not be asked about again.",
        soft_wrap=True,
    )
    out.print("Run 'dbt run', so that the warehouse has the values.")
