"""``consonance publish``: releases, in one tier or in both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from consonance.cli.terminal import json_option, out, print_json, screen, study_option
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
@json_option
def publish(tiers: tuple[str, ...], folder: Path | None, as_json: bool) -> None:
    """Make a release in published/, if every check has passed. If one fails, nothing is published and the exit status is 1.

    Two tiers are two releases, the controlled one first. What is checked for both is checked once.

    \b
    Examples:
      consonance publish --tier controlled
      consonance publish --tier controlled --tier public
    """
    from consonance.release.publish import publish as publish_release

    study = Study.find(folder)
    releases: list[Release] = []
    for tier in sorted(set(tiers)):
        with screen.status("Publishing …") as status:
            release = publish_release(
                study,
                tier,
                after=releases[-1] if releases else None,
                progress=lambda what: status.update(f"Publishing: {what} …"),
            )
        releases.append(release)
        if not as_json:
            _print_release(study, release)
    if as_json:
        print_json({"releases": [_as_json(release) for release in releases]})


def _as_json(release: Release) -> dict[str, Any]:
    checks = [{"name": result.name, "summary": result.summary} for result in release.results]
    return {
        "number": release.number,
        "tier": release.tier,
        "participants": release.participants,
        "folder": release.folder,
        "certificate": release.certificate,
        "checks": checks,
    }


def _print_release(study: Study, release: Release) -> None:
    out.print(f"[bold]Published release {release.number}[/] ({release.tier}, {release.participants} participants).")
    for result in release.results:
        out.print(f"  [green]✓[/] {result.name}: {result.summary}")
    out.print(
        f"  for analysts   consonance sql --release {study.published}/{release.number}\n  certificate    {release.page}",
        soft_wrap=True,
    )
