"""The attack harness: the residual re-identification risk, measured by attacking.

Each attack is SQL in this folder; the first line of a file says what a row is. The attacker *sees* the
schema ``marts`` of a warehouse file. What the attacker *knows* beside it is drawn, with a seed, from the same
marts (points of unicity and membership) or from the vault (scrobble lists with true times). The *truth*
(who is who, and the shift in weeks) says whether the attack succeeded; the attack never sees it.

What is attacked is the warehouse, and not the desk: the truth is in the vault, which a run of dbt has for itself, so that
nothing could be attacked meanwhile anyway; both must be of the same state; and the figures are recorded in the warehouse,
beside what they are of, so that the next run drops them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from consonance.checks.risk.knowledge import Knowledge
from consonance.checks.risk.thresholds import Figure, Verdict, all_thresholds, limit
from consonance.study.dbt_command import PROJECT
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.keyring import MAX_SHIFT_WEEKS
from consonance.study.records import records
from consonance.study.shared_macros import with_macros
from consonance.study.vault import attach_study, attach_to_read, lock_down, session_settings

HERE = Path(__file__).parent
MOODS = HERE / "moods.sql"
KEYRING = "vault.raw.keyring"
POINTS = 4
SAMPLES = 200
SAMPLES_IN_ALL = 10_000
# Points of a person's pool for each sample drawn of it, and the least of them: so many that none lacks points.
POOL_PER_SAMPLE = 10
SMALLEST_POOL = 100
STEPS = (
    "seen_persons",
    "seen_tracks",
    "seen_plays",
    "knowledge",
    "points",
    "point_counts",
    "point_pool",
    "right_points",
    "wrong_points",
    "matches",
    "tests",
    "outcomes",
    "targets",
    "scrobbles",
    "votes",
    "clock_zones",
    "seen_sessions",
    "zone_changes",
    "session_clock_tests",
    "report_clock_tests",
    "clock_candidates",
    "clock_changes",
    "value_spans",
    "dated_values",
    "moods",
)
VIEWS = ("points",)  # read once per grain, and larger than the plays themselves
ATTACKS = ("unicity", "membership", "k_and_l", "shift_recovery", "shift_candidates")
# What the attacker must be able to see; without a column an attack would find nothing and look harmless.
SEEN = {
    "participants": ("participant_id", "age_band", "gender", "country"),
    "plays": ("participant_id", "session_id", "track_id", "started_at_local", "ended_at_local"),
    "sessions": (
        "participant_id",
        "session_id",
        "session_no",
        "started_at_local",
        "ended_at_local",
        "session_gap_minutes",
    ),
    "tracks": ("track_id", "spotify_uri", "title", "creator", "is_private"),
    "emotion_reports": ("participant_id", "valence", "arousal"),
    "emotion_windows": ("participant_id", "report_id", "reported_at_local", "direction", "window_minutes", "plays"),
}


class NothingToAttack(ConsonanceError):
    """The warehouse is missing, or has no rows of persons that the attacks could use."""


class UnknownTruth(ConsonanceError):
    """The vault does not know a person of the warehouse: success could not be distinguished from failure."""


@dataclass(frozen=True)
class RiskReport:
    """What the attacks found: their figures, which thresholds are met, the parameters."""

    figures: list[Figure]
    verdicts: list[Verdict]
    parameters: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {
            "parameters": self.parameters,
            "thresholds": [verdict.as_json() for verdict in self.verdicts],
            "figures": [figure.as_json() for figure in self.figures],
        }

    def find(self, attack: str, measure: str, **where: object) -> Figure:
        """The one figure of ``attack`` and ``measure`` whose attributes are ``where``.

        Raises:
            LookupError: there is none, or more than one.
        """
        found = [
            figure
            for figure in self.figures
            if (figure.attack, figure.measure) == (attack, measure)
            and all(getattr(figure, name) == value for name, value in where.items())
        ]
        if len(found) != 1:
            raise LookupError(f"{len(found)} figures of {attack} {measure} {where}")
        return found[0]


def run_attacks(
    study: Study, knowledge: Knowledge | None = None, *, warehouse_path: Path | None = None, truth: str = KEYRING
) -> RiskReport:
    """Attack the marts of a study, or of a release candidate made of it.

    Args:
        study: Its vault has the truth.
        knowledge: What the attacker knows; the defaults if not given.
        warehouse_path: The file whose schema ``marts`` is attacked; the study's warehouse if not given.
        truth: Who is who: a relation with ``participant_no`` of the vault, ``pseudonym`` as in
            the attacked file, and ``shift_weeks`` from true local time to the times of that file.
            Never text that a user gave.

    Raises:
        NothingToAttack: the file is missing, or lacks what the attacks need.
        UnknownTruth: ``truth`` lacks a person of the file.
        StoreError, VaultKeyError: a store cannot be opened.
    """
    with open_attack(study, warehouse_path) as connection:
        return attack(connection, knowledge or Knowledge(), truth)


@contextmanager
def open_attack(study: Study, warehouse_path: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with ``vault`` and the attacked file as ``warehouse``, for reading, and no way out.

    Raises:
        NothingToAttack: there is no such file.
        StoreError, VaultKeyError: a store cannot be opened.
    """
    path = warehouse_path or study.warehouse_path
    if not path.exists():
        raise NothingToAttack(f"{path} does not exist.", "Run 'dbt run' first.")
    connection = duckdb.connect(config=session_settings())
    try:
        attach_study(connection, study, read_only=True)
        attach_to_read(connection, path, "warehouse")
        lock_down(connection, [])
        yield connection
    finally:
        connection.close()


def attack(connection: duckdb.DuckDBPyConnection, knowledge: Knowledge, truth: str = KEYRING) -> RiskReport:
    """Run every attack on ``warehouse.marts``; each step stays as a temporary table of its file's name.

    Args:
        connection: With ``warehouse`` and ``vault`` attached.
        knowledge: What the attacker knows.
        truth: See ``run_attacks``.

    Raises:
        NothingToAttack, UnknownTruth: see ``run_attacks``.
    """
    _must_be_seen(connection)
    parameters = _prepare(connection, knowledge, truth)
    columns = _columns_with_words(connection)
    for step in STEPS:
        kind = "view" if step in VIEWS else "table"
        connection.execute(f"create or replace temp {kind} {step} as {_sql(step, columns=columns)}")
        if step == "seen_persons":
            _must_be_known(connection)
            parameters["samples"] = _draw_how_many(connection, knowledge)
    (people,) = connection.execute("select count(*) from temp.seen_persons").fetchall()[0]
    figures = []
    for name in ATTACKS:
        for values in records(connection.execute(_sql(name))):
            figures.append(Figure(**values, persons_left_out=people - values["persons"]))
    return RiskReport(figures, [threshold.judge(figures) for threshold in all_thresholds()], parameters)


def _must_be_seen(connection: duckdb.DuckDBPyConnection) -> None:
    found = set(
        connection.execute(
            "select table_name, column_name from information_schema.columns where table_catalog = 'warehouse' and table_schema = 'marts'"
        ).fetchall()
    )
    lacking = [
        f"{table}.{column}" for table, columns in SEEN.items() for column in columns if (table, column) not in found
    ]
    if lacking:
        raise NothingToAttack(
            f"The marts to attack lack {', '.join(lacking)}.",
            "Run 'dbt run'. A file of aggregates has no rows of persons to attack.",
        )


def _must_be_known(connection: duckdb.DuckDBPyConnection) -> None:
    (unknown,) = connection.execute(
        "select count(*) from temp.seen_persons where participant_id not in (select pseudonym from temp.truth)"
    ).fetchall()[0]
    if unknown:
        raise UnknownTruth(
            f"{unknown} persons of the warehouse are not in the vault.",
            "Rebuild the warehouse from this vault: 'dbt run'.",
        )


def _prepare(connection: duckdb.DuckDBPyConnection, knowledge: Knowledge, truth: str) -> dict[str, Any]:
    """Set the variables that the SQL reads, and return them: the parameters of the report."""
    connection.execute((HERE / "draws.sql").read_text(encoding="utf-8"))
    connection.execute(
        f"create or replace temp table truth as select participant_no, pseudonym, shift_weeks from {truth}"
    )
    with (PROJECT / "seeds" / "country_time_zones.csv").open(encoding="utf-8", newline="") as file:
        zones = list(csv.DictReader(file))
    connection.execute(
        "create or replace temp table country_time_zones as select unnest($countries) as country, unnest($zones) as time_zone, unnest($regions) as region",
        {
            "countries": [row["country"] for row in zones],
            "zones": [row["time_zone"] for row in zones],
            "regions": [row["region"] for row in zones],
        },
    )
    parameters = {
        **asdict(knowledge),
        "points": POINTS,
        "max_shift_weeks": MAX_SHIFT_WEEKS,
        "k_at_least": limit("smallest_cell"),
        "l_at_least": limit("smallest_l"),
    }
    for name, value in parameters.items():
        if value is not None:
            connection.execute(f"set variable {name} = $value", {"value": value})
    # The draws are DuckDB's hash: another version may draw others.
    return {**parameters, "duckdb": duckdb.__version__}


def _draw_how_many(connection: duckdb.DuckDBPyConnection, knowledge: Knowledge) -> int:
    (people,) = connection.execute("select count(*) from temp.seen_persons").fetchall()[0]
    samples = knowledge.samples or max(1, min(SAMPLES, SAMPLES_IN_ALL // max(1, people)))
    connection.execute("set variable samples = $samples", {"samples": samples})
    connection.execute("set variable pool_size = $size", {"size": max(SMALLEST_POOL, POOL_PER_SAMPLE * samples)})
    return samples


def _columns_with_words(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The columns of plays with words or yes and no: exports may have a value since, or until, a date alone."""
    found = connection.execute(
        """
        select column_name
        from information_schema.columns
        where
            table_catalog = 'warehouse' and table_schema = 'marts' and table_name = 'plays'
            and data_type in ('VARCHAR', 'BOOLEAN') and column_name <> 'participant_id'
        order by ordinal_position
        """
    )
    return [name for (name,) in found.fetchall()]


def _sql(name: str, **values: object) -> str:
    return with_macros((HERE / f"{name}.sql").read_text(encoding="utf-8"), ("time.sql",), **values)
