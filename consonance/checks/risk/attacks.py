"""The attack harness: what an attacker could still find out, measured by attacking.

Each attack is SQL in this folder; one row of a file is said on its first line. The attacker *sees* the
schema ``marts`` of a warehouse file. What he *knows* beside it is drawn, with a seed, from the same
marts (points of unicity and membership) or from the vault (scrobble lists with true times). The *truth*
(who is who, by how many weeks) judges the attack and is never seen by it.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import duckdb

from consonance.checks.risk.thresholds import Figure, Verdict, all_thresholds, limit
from consonance.study.dbt_command import PROJECT
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.vault import attach_study, attach_to_read, lock_down, session_settings
from loaders.enrolment import MAX_SHIFT_WEEKS

HERE = Path(__file__).parent
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
)
VIEWS = ("points",)  # read once per grain, and larger than the plays themselves
ATTACKS = ("unicity", "membership", "k_and_l", "shift_recovery", "clock_changes")
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
    "emotion_windows": ("participant_id", "report_id", "reported_at_local", "window_minutes", "plays"),
}


class NothingToAttack(ConsonanceError):
    """The warehouse is missing, or holds no rows of persons as the attacks know them."""


class UnknownTruth(ConsonanceError):
    """Of somebody in the warehouse nobody knows who it is: success could not be told from failure."""


class NotRecorded(ConsonanceError):
    """The figures cannot be written to the warehouse."""


class BadKnowledge(ConsonanceError):
    """An attacker cannot know this."""


@dataclass(frozen=True)
class Knowledge:
    """What the attacker knows, and how often he tries.

    Attributes:
        seed: Another seed draws other samples.
        samples: How many samples of each person's points; ``None``: 200, in studies of more than 50
            persons fewer, so that they are about 10,000 in all.
        wrong_points: How many wrong points are among those of a noisy sample.
        list_sizes: How many entries a scrobble list has; each list begins with the shorter one.
        wrong_share: Which share of the entries of a list names a wrong track.
        jitter_seconds: By how much the time of an entry may be wrong, either way.
        targets: How many persons' shifts are attacked at most.
    """

    seed: int = 1
    samples: int | None = None
    wrong_points: int = 2
    list_sizes: tuple[int, ...] = (10, 50, 200)
    wrong_share: float = 0.1
    jitter_seconds: int = 60
    targets: int = 100

    def __post_init__(self) -> None:
        if self.samples is not None and self.samples < 1:
            raise BadKnowledge("There are no samples to draw.", "Give --samples 1 or more.")
        # Masks of places are 31 bits wide; few draws of wrong points are made.
        if not 1 <= self.wrong_points <= 10 or not self.list_sizes or min(self.list_sizes) < 0:
            raise BadKnowledge("The attack has no sense so.", "Ask for 1 to 10 wrong points, and one list or more.")
        if not 0 <= self.wrong_share <= 1 or not 0 <= self.jitter_seconds < 450:
            raise BadKnowledge(
                "A scrobble list cannot be as wrong as that.", "Ask for a share of 0 to 1, and less than 450 seconds."
            )


@dataclass(frozen=True)
class RiskReport:
    """What the attacks found: their figures, the thresholds that hold or do not, the parameters."""

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
        study: Whose vault holds what really was.
        knowledge: What the attacker knows; the defaults if not given.
        warehouse_path: The file whose schema ``marts`` is attacked; the study's warehouse if not given.
        truth: Who is who there: a relation with ``participant_no`` of the vault, ``pseudonym`` as in
            the attacked file, and ``shift_weeks`` from true local time to the times of that file.
            Never text of a user's.

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
    for step in STEPS:
        connection.execute(f"create or replace temp {'view' if step in VIEWS else 'table'} {step} as {_sql(step)}")
        if step == "seen_persons":
            _must_be_known(connection)
            parameters["samples"] = _draw_how_many(connection, knowledge)
    (people,) = connection.execute("select count(*) from temp.seen_persons").fetchall()[0]
    figures = []
    for name in ATTACKS:
        answer = connection.execute(_sql(name))
        columns = [column[0] for column in answer.description or []]
        for row in answer.fetchall():
            values = dict(zip(columns, row, strict=True))
            figures.append(Figure(**values, persons_left_out=people - values["persons"]))
    return RiskReport(figures, [threshold.judge(figures) for threshold in all_thresholds()], parameters)


def record(report: RiskReport, study: Study) -> None:
    """Write the figures to ``audit.privacy_risk`` of the study's warehouse, in place of older ones.

    Raises:
        NothingToAttack: there is no warehouse.
        NotRecorded: another program has it open.
    """
    if not study.warehouse_path.exists():
        raise NothingToAttack(f"{study.warehouse_path} does not exist.", "Run 'dbt run' first.")
    parameters = json.dumps(report.parameters)
    names = [field.name for field in fields(Figure)]
    try:
        connection = duckdb.connect(str(study.warehouse_path), config=session_settings())
    except duckdb.IOException:
        raise NotRecorded(
            f"{study.warehouse_path} is in use by another program, and cannot be written.",
            "Close the session that has it open, and attack again.",
        ) from None
    with connection:
        lock_down(connection, [])
        connection.begin()
        connection.execute((HERE / "privacy_risk.sql").read_text(encoding="utf-8"))
        connection.executemany(
            f"insert into audit.privacy_risk ({', '.join(names)}, parameters) values ({', '.join('?' * (len(names) + 1))})",
            [[*asdict(figure).values(), parameters] for figure in report.figures],
        )
        connection.commit()


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
            "Run 'dbt run'. A file of aggregates has no rows of persons: its cells are checked instead.",
        )


def _must_be_known(connection: duckdb.DuckDBPyConnection) -> None:
    (unknown,) = connection.execute(
        "select count(*) from temp.seen_persons where participant_id not in (select pseudonym from temp.truth)"
    ).fetchall()[0]
    if unknown:
        raise UnknownTruth(
            f"Of {unknown} persons in the warehouse the vault does not know who they are.",
            "Rebuild the warehouse from this vault: 'dbt run'.",
        )


def _prepare(connection: duckdb.DuckDBPyConnection, knowledge: Knowledge, truth: str) -> dict[str, Any]:
    """Set what the SQL reads, and say it: the parameters of the report."""
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


def _sql(name: str) -> str:
    return (HERE / f"{name}.sql").read_text(encoding="utf-8")
