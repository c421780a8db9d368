"""Every step on a synthetic study: load, build, check, publish, site, and questions answered."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from consonance.desk.marts import opened
from consonance.release.contents import public_tables
from consonance.release.making import NothingToPublish
from consonance.release.parameters import small_group
from consonance.release.publish import Release, publish
from consonance.report.section import Section
from consonance.report.sentences import Verdict
from consonance.study.child_processes import in_background
from consonance.study.dbt_command import PROJECT, run_dbt, target_folder
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.vault import open_catalogue
from consonance.synthetic.planted import VALENCE_WITHIN
from consonance.synthetic.study import make_study
from loaders.dumps import add_dump
from loaders.load import load_study

MARK = ".synthetic-study"
# Of each table of the public release.
SHOWN_ROWS = 3
QUESTIONS = ("music_valence_and_reported_valence", "features_by_mood_quadrant", "session_length", "coverage_by_method")


class NotOurs(ConsonanceError):
    """The folder for the demo holds something else."""


def run_demo(folder: Path, seed: int, people: int, plays: int, out: Console, screen: Console) -> None:
    """Make a synthetic study in ``folder`` and run every step on it.

    Raises:
        NotOurs: ``folder`` holds something that no demo made.
        ConsonanceError: a step failed; the error says which.
    """
    if folder.exists():
        if not (folder / MARK).exists():
            raise NotOurs(
                f"{folder} exists and was not made by a demo.", "Name another folder: 'consonance demo FOLDER'."
            )
        shutil.rmtree(folder)
    with _step(screen, f"Making a study of {people} people who do not exist"):
        made = make_study(folder, seed=seed, people=people, plays=plays, with_dumps=True)
        (folder / MARK).touch()
    study = Study.find(folder)
    with _step(screen, "Loading the donations into the encrypted vault (consonance load)"):
        report = load_study(study)
    with _step(screen, "Adding open dumps to the catalogue (consonance catalog add)"):
        dumps = _add_dumps(study, made.dumps)
    with _step(screen, "Building the warehouse and testing its data (dbt build)"):
        # Unit tests are of the project, not of this data: 'make test' runs them.
        run_dbt(study, "build", "--exclude-resource-type", "unit_test")
    with _step(screen, "Publishing for named analysts, after every check (consonance publish --tier controlled)"):
        release = publish(study, "controlled")
    with _step(
        screen,
        "Publishing for everyone, and computing the report of music and mood (consonance publish --tier public, consonance report)",
    ):
        from consonance.report.page import write_report
        from consonance.report.reading import of_study

        # A publish waits for dbt, most of the time.
        with in_background(lambda: _publish_for_everyone(study, release)) as publishing:
            sections = write_report(of_study(study), study.report)
            public = publishing.result()
    with _step(screen, "Building the docs site (consonance site)"):
        from consonance.site.build import build_site

        page = build_site(study)

    totals = report.as_json()["totals"]
    out.print(
        f"\n[bold]Made[/] in {study.root}: {made.people} people, {made.donations} donations, {made.plays_exported:,} plays, {made.reports:,} emotion reports. Among them:"
    )
    for code, what in made.peculiar.items():
        out.print(f"  {code}  {what}")
    out.print(
        f"\n[bold]Loaded[/] {totals['rows_in']:,} rows = {totals['landed']:,} landed + {totals['rejected']:,} rejected; "
        f"{totals['held']} donations held because consent or enrolment is missing, {totals['refused']} refused, {totals['partly']} in part."
    )
    out.print(
        "[bold]Added[/] to the catalogue, from dumps as MusicBrainz and AcousticBrainz publish them: "
        + ", ".join(f"{rows:,} rows for {source}" for source, rows in dumps.items())
        + "."
    )
    rules = sum(len(result.details.get("rules", [])) for result in release.results)
    out.print(f"[bold]Checked[/] {rules} rules before publishing: all passed.")
    out.print(
        f"[bold]Published[/] release {release.number}, {release.tier}: {release.participants} participants who agree to it, with other pseudonyms and other dates than in the warehouse. Its checks:"
    )
    for result in release.results:
        out.print(f"  {result.name}: {result.summary}")
    _show_public(public, out)
    _answer(study, out)
    out.print(
        f"\nPlanted in the data: reported valence rises by {VALENCE_WITHIN} from the least to the most positive music. Compare the first answer."
    )
    _found(sections, out)
    for_everyone = f"  for everyone    {public.page}\n" if isinstance(public, Release) else ""
    out.print(
        f'\n[bold]Look at[/]\n  the report      {study.report}\n  the marts       consonance sql --study {study.root} "from plays limit 5"\n'
        f"  the release     consonance sql --study {study.root} --release {release.number}\n  its certificate {release.page}\n"
        f"{for_everyone}  the questions   {PROJECT / 'analyses'}\n  the docs site   {page}\n"
        f"  once more       CONSONANCE_STUDY={study.root} dbt run",
        soft_wrap=True,
    )


def _publish_for_everyone(study: Study, after: Release) -> Release | NothingToPublish:
    """Publish the public tier; or why there is nothing to publish: a demo may have few people."""
    try:
        return publish(study, "public", after=after)
    except NothingToPublish as nothing:
        return nothing


def _show_public(public: Release | NothingToPublish, out: Console) -> None:
    """Print the tables of the public release and some of its rows, or why there is none."""
    if isinstance(public, NothingToPublish):
        out.print(f"[bold]Not published[/] for everyone: {public.what}")
        return
    out.print(
        f"\n[bold]Published[/] release {public.number}, {public.tier}: counts and means of {public.participants} participants who agree to it. Every cell is of nobody or of more than {small_group()} persons; the others are left out:"
    )
    with duckdb.connect(str(public.database), read_only=True) as connection:
        for table in public_tables():
            rows = connection.execute(f"select * from marts.{table.name}")
            names = [column[0].replace("_", " ") for column in rows.description or []]
            every = rows.fetchall()
            out.print(f"  {table.name}: {len(every)} {'row' if len(every) == 1 else 'rows'}")
            if every:
                _print_table(names, every[:SHOWN_ROWS], out)


def _add_dumps(study: Study, dumps: dict[str, list[Path]]) -> dict[str, int]:
    """Land the dumps; how many rows of each source did."""
    landed = dict.fromkeys(dumps, 0)
    with open_catalogue(study) as connection:
        for source, files in dumps.items():
            for file in files:
                landed[source] += add_dump(connection, source, file).landed
    return landed


def _found(sections: Sequence[Section], out: Console) -> None:
    """Print what the report found, each sentence as its rule wrote it from an interval."""
    out.print("\n[bold]The report[/] says, each sentence by rule from its interval:")
    for section in sections:
        for sentence in (*section.findings, *section.warnings):
            if sentence.verdict in (Verdict.FOUND, Verdict.EXPLAINED):
                out.print(f"  {sentence.text}", soft_wrap=True, markup=False)


def _answer(study: Study, out: Console) -> None:
    """Answer some of the compiled analyses at the desk, and print the answers."""
    with opened(study.desk_path) as connection:
        for name in QUESTIONS:
            question = (
                (PROJECT / "analyses" / f"{name}.sql").read_text(encoding="utf-8").splitlines()[0].removeprefix("-- ")
            )
            answer = connection.execute(
                (target_folder() / "compiled" / "consonance" / "analyses" / f"{name}.sql").read_text(encoding="utf-8")
            )
            names = [column[0].replace("_", " ") for column in answer.description or []]
            out.print(f"\n[bold]{question.split('?')[0]}?[/] ({name}.sql)", soft_wrap=True)
            _print_table(names, answer.fetchall(), out)


def _print_table(names: Sequence[str], values: Sequence[Sequence[object]], out: Console) -> None:
    """Print rows under their names; no column is narrower than its longest word, so that nothing is cut off."""
    rows = [[str(value) for value in row] for row in values]
    table = Table(box=None)
    for name_shown, *shown in zip(names, *rows, strict=True):
        words = " ".join([name_shown, *shown]).split()
        table.add_column(name_shown, min_width=max(map(len, words)))
    for row in rows:
        table.add_row(*row)
    out.print(table)


@contextmanager
def _step(screen: Console, what: str) -> Iterator[None]:
    begun = time.monotonic()
    with screen.status(f"{what} …"):
        yield
    screen.print(f"[green]✓[/] {what} ({time.monotonic() - begun:.0f} s)")
