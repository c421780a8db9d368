"""``consonance publish``: releases, in one tier or in both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from consonance.cli.terminal import out, screen, study_option
from consonance.study.folder import Study

if TYPE_CHECKING:
    from consonance.release.publish import Release


@click.command()
@click.option(
    "--tier",
    "tiers",
    type=click.Choice(["controlled", "public"]),
    required=True,
    multiple=True,
    help="controlled: pseudonymous rows for named analysts. public: aggregates for anyone. Both: give it twice.",
)
@study_option
def publish(tiers: tuple[str, ...], folder: Path | None) -> None:
    """Make a release in published/, if every check has passed. If one fails, nothing is published and the exit status is 1.

    Two tiers are two releases, the controlled one first. What is checked for both is checked once.
    """
    from consonance.release.publish import publish as publish_release

    study = Study.find(folder)
    release: Release | None = None
    for tier in sorted(set(tiers)):
        with screen.status("Publishing …") as status:
            release = publish_release(
                study, tier, after=release, progress=lambda what: status.update(f"Publishing: {what} …")
            )
        _print_release(study, release)


def _print_release(study: Study, release: Release) -> None:
    out.print(f"[bold]Published release {release.number}[/] ({release.tier}, {release.participants} participants).")
    for result in release.results:
        out.print(f"  [green]✓[/] {result.name}: {result.summary}")
    out.print(
        f"  for analysts   consonance sql --release {study.published}/{release.number}\n  certificate    {release.page}",
        soft_wrap=True,
    )
