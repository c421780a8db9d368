"""``consonance survey``: maps of questionnaire files, and how a file would be scored."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from consonance.cli.load_report import print_file
from consonance.cli.terminal import json_option, out, print_json, screen, study_option
from consonance.study.errors import ConsonanceError
from consonance.study.files import replace_file
from consonance.study.folder import Study
from consonance.study.vault import open_study
from loaders.side_files import NotRead
from loaders.surveys.maps import Maps
from loaders.surveys.preview import Preview, Score, in_surveys, preview_file, preview_map, start_preview
from loaders.surveys.proposal import Proposal, propose


@click.group()
def survey() -> None:
    """Questionnaires: propose the map of a file, and see how it would be scored.

    \b
    Examples:
      consonance survey map study/surveys/qualtrics.csv
      consonance survey preview study/surveys/qualtrics.csv
    """


@survey.command("map")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Write over the map that there is, without asking.")
@study_option
@json_option
def map_(file: Path, replace: bool, folder: Path | None, as_json: bool) -> None:
    """Propose a map for FILE of surveys/, write it into surveys/maps/, and show three reports as it scores them.

    The map says which column is what. The command finds the instruments that it knows by the names of the columns,
    by the questions (in several languages) and by the answers, and says what it is not sure about. Look at the map
    before you load.

    \b
    Example:
      consonance survey map study/surveys/qualtrics.csv
    """
    study = Study.find(folder)
    path = in_surveys(study, file)
    with screen.status("Reading …"), _named(file), open_study(study, read_only=True) as connection:
        codes = start_preview(connection, study)
        proposal = propose(connection, study, path, codes)
        preview = preview_map(connection, study, path, proposal.table, proposal.survey_map)
    there = list(Maps.of(study).of_file(study, path))
    target = there[0] if there else study.survey_maps / f"{path.stem}.yml"
    if not as_json:
        _print_proposal(proposal, preview)
    is_written = replace or not target.exists() or click.confirm(f"{target} is there. Replace it?", err=True)
    if is_written:
        target.parent.mkdir(exist_ok=True)
        replace_file(target, proposal.text.encode())
    if as_json:
        told = {"map": str(target), "is_written": is_written, "unsure": proposal.unsure, "not_read": proposal.not_read}
        print_json(told | {"preview": preview.as_json()})
    elif is_written:
        out.print(
            f"The map is at {target}. Look at it, then: consonance survey preview {file}", soft_wrap=True, markup=False
        )
    else:
        out.print("Nothing was written.")


@survey.command()
@click.argument("file", type=click.Path(path_type=Path))
@study_option
@json_option
def preview(file: Path, folder: Path | None, as_json: bool) -> None:
    """Score FILE of surveys/ as a load would read it, and land nothing.

    \b
    Example:
      consonance survey preview study/surveys/qualtrics.csv

    \b
    Exit status: 0 a load would land all of it; 2 something would be rejected, or
    is doubtful; 1 the command failed.
    """
    study = Study.find(folder)
    path = in_surveys(study, file)
    with screen.status("Reading …"), _named(file), open_study(study, read_only=True) as connection:
        start_preview(connection, study)
        found = preview_file(connection, study, path)
    if as_json:
        print_json(found.as_json())
    else:
        _print_preview(found)
    sys.exit(0 if found.report.is_whole else 2)


@contextmanager
def _named(file: Path) -> Iterator[None]:
    """Say of which file an error is."""
    try:
        yield
    except NotRead as error:
        raise ConsonanceError(f"{file} cannot be read. {error.what}", error.remedy) from None


def _print_proposal(proposal: Proposal, preview: Preview) -> None:
    out.print(proposal.text, markup=False, soft_wrap=True)
    if proposal.not_read:
        out.print(f"Never read, as they may identify: {escape(', '.join(proposal.not_read))}.", soft_wrap=True)
    for sentence in proposal.unsure:
        out.print(f"[yellow]Not sure:[/] {escape(sentence)}", soft_wrap=True)
    _print_preview(preview)


def _print_preview(preview: Preview) -> None:
    print_file(preview.report, out, "would be landed")
    if preview.first:
        out.print(_scores(preview.first))
    if preview.scales:
        table = Table(
            "instrument", "scale", "reports", "scored", "least", "mean", "greatest", box=None, padding=(0, 1, 0, 0)
        )
        for scale in preview.scales:
            numbers = (scale.least, scale.mean, scale.greatest)
            table.add_row(
                escape(scale.instrument),
                escape(scale.scale),
                f"{scale.reports:,}",
                f"{scale.scored:,}",
                *map(_number, numbers),
            )
        out.print(table)
    if preview.compliance:
        table = Table("participant", "prompts", "answered", "compliance", box=None, padding=(0, 1, 0, 0))
        for one in preview.compliance:
            table.add_row(
                escape(one.participant_code),
                f"{one.prompts:,}",
                f"{one.answered:,}",
                f"{one.answered / one.prompts:.0%}",
            )
        out.print(table)


def _scores(scores: list[Score]) -> Table:
    table = Table(
        "line", "participant", "answered (UTC)", "instrument", "scale", "items", "score", box=None, padding=(0, 1, 0, 0)
    )
    for score in scores:
        table.add_row(
            f"{score.line}",
            escape(score.participant_code),
            f"{score.reported_at:%Y-%m-%d %H:%M:%S}",
            escape(score.instrument),
            escape(score.scale),
            f"{score.items_answered} of {score.items_expected}",
            score.score_status if score.score is None else _number(score.score),
        )
    return table


def _number(value: float | None) -> str:
    return "none" if value is None else f"{float(value):.4g}"
