"""``consonance report``: from the marts to one page."""

from __future__ import annotations

from pathlib import Path

import click

from consonance.cli.terminal import json_option, out, print_json, screen, study_option
from consonance.study.folder import Study

PAGE = "report.html"


@click.command()
@study_option
@click.option(
    "--from",
    "release",
    type=click.Path(path_type=Path),
    default=None,
    help="A release to report on instead: its folder, or its research.duckdb.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="The file to write. Default: report.html in site/ of the study (report-of-release-N.html of a release in its published/), else report.html here.",
)
@json_option
def report(folder: Path | None, release: Path | None, output: Path | None, as_json: bool) -> None:
    """Compute the report of music and emotion: one page without script and without network.

    It reads the marts alone. Small cells are not shown, and nobody is named. You alone may read the file.

    \b
    Examples:
      consonance report                            into study/site/report.html
      consonance report --from published/current   of a release
      consonance report --output board.html        into another file
    """
    from consonance.report.page import write_report  # statistics take seconds to import
    from consonance.report.reading import of_release, of_study

    if release is not None:
        origin = of_release(release)
        place = output or _beside_releases(origin.database) or Path(PAGE)
    else:
        study = Study.find(folder)
        origin, place = of_study(study), output or study.report
    with screen.status("Computing the report …") as status:
        sections = write_report(origin, place, progress=lambda what: status.update(f"Computing the report: {what} …"))
    figures = sum(len(section.figures) for section in sections)
    missing = [text for section in sections for text in section.missing]
    if as_json:
        print_json({"page": place, "figures": figures, "not_shown": missing})
        return
    out.print(f"The report is at {place}: {figures} figures.", soft_wrap=True, markup=False)
    for text in missing:
        out.print(f"  not shown: {text}", soft_wrap=True, markup=False)


def _beside_releases(database: Path) -> Path | None:
    """Where the report on a release of a study goes if its study folder is around it."""
    release = database.resolve().parent
    study = Study(release.parent.parent)
    if release.parent != study.published.resolve() or not study.settings_path.is_file():
        return None
    return study.report_of_release(release.name)
