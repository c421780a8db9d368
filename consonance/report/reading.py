"""Reading the marts: of a study's desk, or of a release. Nothing else of a study is opened.

The desk is of the last complete run of dbt, and can be read while another run is going on.

What a figure shows comes from one query of ``consonance/report/queries``. The page prints the query as it was run. Three
doors lead to the page: ``cells`` and ``groups`` count the persons themselves, ``ask`` looks at what the query says.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from consonance.release.contents import DATABASE
from consonance.release.parameters import parameters, small_group
from consonance.report.cells import Group, SmallCells, cells_of, persons_apart, put_together, refuse_small_cells
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.literals import literal
from consonance.study.settings import Settings
from consonance.study.vault import attach_to_read, lock_down, session_settings

QUERIES = Path(__file__).with_name("queries")
# Marts that earlier versions did not have, or had with other columns.
NEEDED = {
    "emotion_windows": ("emotion_window",),
    "emotion_window_features": (),
    "emotion_prompts": (),
    "training_examples": (),
    "feature_coverage_differences": ("covered_participants",),
}


class NothingToReport(ConsonanceError):
    """There are no marts to read."""


@dataclass(frozen=True)
class Answer:
    """The rows that a query gave, and the query."""

    frame: pd.DataFrame
    sql: str


@dataclass(frozen=True)
class Cells:
    """The cells that may be shown, and what is left out.

    Attributes:
        frame: One row for each cell of more persons than the threshold; ``persons_in_words`` is what a page says of them.
        rest: What all the other cells have together, by name; it may be of few persons, and is not to be shown.
        sql: The query.
    """

    frame: pd.DataFrame
    rest: Mapping[str, float]
    sql: str

    @property
    def left_out(self) -> int:
        """How many cells are left out."""
        return int(self.rest.get("cells", 0))


@dataclass(frozen=True)
class Groups:
    """The groups of persons by grouping, the largest first; ``None`` if even all persons together are few."""

    groups: Mapping[str, tuple[Group, ...] | None]
    sql: str


@dataclass(frozen=True)
class Origin:
    """Where the marts come from.

    Attributes:
        database: The file with the schema ``marts``.
        title: Of the study.
        kind: ``study`` (its desk) or ``release``.
        facts: What the page says about how they were made, by name.
        settings: The variables of dbt_project.yml that they were made with.
    """

    database: Path
    title: str
    kind: str
    facts: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=parameters)


def of_study(study: Study) -> Origin:
    """The desk of ``study``.

    Raises:
        NothingToReport: no complete run of dbt has written it yet.
    """
    if not study.desk_path.exists():
        raise NothingToReport(f"{study.desk_path} does not exist.", "Run 'dbt run' first: each complete run writes it.")
    settings = Settings.read(study)
    judged = settings.as_of.isoformat() if settings.as_of else "the last 'consonance load'"
    return Origin(study.desk_path, settings.title, "study", {"Consent judged as of": judged})


def of_release(place: Path) -> Origin:
    """The release in the folder ``place``, or with the database ``place``.

    Raises:
        NothingToReport: there is no release.
    """
    database = place if place.is_file() else place / DATABASE
    if not database.is_file():
        raise NothingToReport(
            f"There is no release in {place} (no {DATABASE}).",
            "Name the folder of a release, such as published/current.",
        )
    certificate = database.with_name("certificate.json")
    told = json.loads(certificate.read_text(encoding="utf-8")) if certificate.is_file() else {}
    facts = {
        words: str(told[key])
        for key, words in {
            "release": "Release",
            "tier": "Tier",
            "as_of": "Consent judged as of",
            "created": "Release made",
        }.items()
        if key in told
    }
    return Origin(
        database,
        str(told.get("study", database.resolve().parent.name)),
        "release",
        facts,
        told.get("parameters") or parameters(),
    )


@dataclass(frozen=True)
class Marts:
    """The marts, open for reading."""

    connection: duckdb.DuckDBPyConnection
    columns: Mapping[str, frozenset[str]]

    def has(self, mart: str, *columns: str) -> bool:
        """Whether there is a table ``mart`` with these columns."""
        return mart in self.columns and self.columns[mart].issuperset(columns)

    def persons(self, of: str) -> int:
        """Of how many persons the rows of ``of`` are: a mart, with a condition if need be."""
        return int(self.connection.execute(f"select count(distinct participant_id) from marts.{of}").fetchall()[0][0])

    def in_words(self, counts: Iterable[int]) -> dict[int, str]:
        """What a page says of these numbers of persons, beside that of all participants: see ``persons_apart``."""
        return persons_apart([self.persons("participants"), *map(int, counts)])

    def counted(self, mart: str) -> tuple[int, int] | None:
        """How many rows ``mart`` has, and of how many persons; none if these are few."""
        persons = self.persons(mart)
        ((rows,),) = self.connection.execute(f"select count(*) from marts.{mart}").fetchall()
        return (rows, persons) if persons > small_group() else None

    def rows(self, name: str, **variables: str | float) -> Answer:
        """Run ``queries/<name>.sql``, whose rows are of persons: for statistics, never to be shown.

        Args:
            name: Of the query.
            variables: Those that it names; ``small_group`` is always set.

        Raises:
            SmallCells: its rows are of nobody in particular.
        """
        found = self._run(_query(name), variables)
        if "participant_id" not in found.frame:
            raise SmallCells(
                f"{_file(name)} has no participant_id.", "Ask for what is to be shown with cells() or ask()."
            )
        return found

    def ask(self, name: str, **variables: str | float) -> Answer:
        """Run ``queries/<name>.sql``, whose rows say of how many persons they are.

        Raises:
            SmallCells: they do not, or of few.
        """
        found = self._run(_query(name), variables)
        refuse_small_cells(found.frame.to_dict("records"), found.frame.columns, _file(name))
        return found

    def cells(
        self, name: str, by: Sequence[str], measures: Mapping[str, tuple[str, str]], **variables: str | float
    ) -> Cells:
        """The cells of the rows of ``queries/<name>.sql``: see ``cells_of``."""
        found = self._run(cells_of(_query(name), by, measures), variables)
        shown = found.frame[found.frame[by[0]].notna()].reset_index(drop=True)
        rest = found.frame[found.frame[by[0]].isna()]
        refuse_small_cells(shown.to_dict("records"), shown.columns, _file(name))
        shown["persons_in_words"] = shown["persons"].map(self.in_words(shown["persons"]))
        return Cells(shown, dict(rest.iloc[0].dropna()) if len(rest) else {}, found.sql)

    def groups(self, name: str, **variables: str | float) -> Groups:
        """The groups of the rows of ``queries/<name>.sql``, small ones put together, by ``grouping``."""
        found = self._run(_query(name), variables)
        counted = found.frame.groupby(["grouping", "group_name"])["participant_id"].nunique()
        together = {
            str(grouping): put_together((str(group), int(count)) for (_, group), count in part.items())
            for grouping, part in counted.groupby(level="grouping")
        }
        return Groups(
            {
                grouping: tuple(groups) if may_be_shown else None
                for grouping, (groups, may_be_shown) in together.items()
            },
            found.sql,
        )

    def _run(self, query: str, variables: Mapping[str, str | float]) -> Answer:
        setting = {"small_group": small_group(), **variables}
        lines = [
            f"set variable {variable} = {literal(value) if isinstance(value, str) else repr(value)};"
            for variable, value in setting.items()
        ]
        for line in lines:
            self.connection.execute(line)
        used = [line for line, variable in zip(lines, setting, strict=True) if f"'{variable}'" in query]
        return Answer(self.connection.execute(query).df(), "\n".join([*used, query]))


@contextmanager
def opened(origin: Origin) -> Iterator[Marts]:
    """The marts of ``origin``. Only its database can be read, and nothing can be written.

    Raises:
        NothingToReport: it has no marts of persons (a build was interrupted, the release is public), or older ones.
        StoreError: it cannot be opened.
    """
    with duckdb.connect(config=session_settings()) as connection:
        attach_to_read(connection, origin.database, "report")
        connection.execute("use report")
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set threads = 1")
        lock_down(connection, [])
        found = connection.execute(
            "select table_name, list(column_name) from duckdb_columns() where database_name = 'report' and schema_name = 'marts' group by all"
        ).fetchall()
        marts = Marts(connection, {table: frozenset(names) for table, names in found})
        if reason := _unfit(origin, marts):
            raise reason
        yield marts


def _unfit(origin: Origin, marts: Marts) -> NothingToReport | None:
    """Why there is nothing to report on, if so."""
    if marts.has("population"):
        return NothingToReport(
            f"{origin.database} is a public release: it has aggregates and no participants.",
            "Name a controlled release.",
        )
    remedy = "Run 'dbt run' first." if origin.kind == "study" else "Publish a new release."
    if not marts.has("participants"):
        return NothingToReport(f"{origin.database} has no marts.", remedy)
    if not all(marts.has(mart, *columns) for mart, columns in NEEDED.items()):
        return NothingToReport(f"{origin.database} was made by an earlier version of consonance.", remedy)
    return None


def _file(name: str) -> str:
    return f"consonance/report/queries/{name}.sql"


@cache
def _query(name: str) -> str:
    return (QUERIES / f"{name}.sql").read_text(encoding="utf-8").strip()
