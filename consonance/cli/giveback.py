"""``consonance giveback``: what a participant gets back."""

from __future__ import annotations

from pathlib import Path

import click

from consonance.cli.terminal import json_option, out, print_json, screen, study_option
from consonance.study.folder import Study
from consonance.study.vault import open_study


@click.command()
@click.argument("code", required=False)
@click.option("--all", "for_all", is_flag=True, help="Write the page of every participant with a consent.")
@study_option
@json_option
def giveback(code: str | None, for_all: bool, folder: Path | None, as_json: bool) -> None:
    """Write a page for the participant CODE into giveback/: one file, without script and without network.

    It says what is held of them, what was left out and why, what analysts see, what was released, and how to
    withdraw; and it shows their own listening. It is for them alone: hand it over as you would their donation.
    A withdrawal deletes it. Nobody who has withdrawn gets one. Safe to repeat.

    \b
    Examples:
      consonance giveback P001
      consonance giveback --all
    """
    if bool(code) == for_all:
        raise click.UsageError("Name one participant by their code, or ask for --all.")
    from consonance.giveback.page import codes_with_consent, write_page  # Altair takes a second to import

    study = Study.find(folder)
    pages = []
    with (
        screen.status("Reading the vault …") as status,
        open_study(study, read_only=True, warehouse=True) as connection,
    ):
        codes = [code] if code else codes_with_consent(connection)
        for number, each in enumerate(codes, start=1):
            pages.append(write_page(connection, study, each))
            status.update(f"Page {number} of {len(codes)} …")
    if as_json:
        print_json({"pages": [str(page) for page in pages]})
    elif code:
        out.print(f"The page is at {pages[0]}. Give it to this participant alone.", soft_wrap=True, markup=False)
    elif pages:
        out.print(
            f"{len(pages)} pages are in {study.giveback}. Give each to its participant alone.",
            soft_wrap=True,
            markup=False,
        )
    else:
        out.print("No participant has a consent: there is no page to write.")
