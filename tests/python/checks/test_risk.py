"""The attack harness against a plain recount, and on worlds whose answers are known beforehand."""

from __future__ import annotations

import json
import math
import random
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from click.testing import CliRunner
from conftest import SmallStudy

from consonance.checks.lineage.policy import COMPILE
from consonance.checks.risk.attacks import (
    ATTACKS,
    HERE,
    KEYRING,
    SEEN,
    STEPS,
    NothingToAttack,
    RiskReport,
    UnknownTruth,
    attack,
    open_attack,
    run_attacks,
)
from consonance.checks.risk.knowledge import BadKnowledge, Knowledge
from consonance.checks.risk.recording import NotRecorded, record
from consonance.checks.risk.thresholds import Figure, Threshold, all_thresholds, limit
from consonance.checks.rules import all_rules
from consonance.checks.study_checks import run_rules
from consonance.cli.commands import cli
from consonance.site import build as site
from consonance.study.dbt_command import target_folder

KINDS = ("track", "track + month", "track + day", "track + hour", "track ± 7 days")
EPOCH = datetime(1970, 1, 1)
WEEK = timedelta(days=7)


def bucket(kind: str, moment: datetime) -> int:
    """When something was, as coarsely as ``kind`` knows it."""
    return {
        "track": 0,
        "track + month": moment.year * 12 + moment.month,
        "track + hour": (moment - EPOCH) // timedelta(hours=1),
    }.get(kind, (moment - EPOCH).days)


@dataclass
class Recount:
    """Plain counting over what a plain query says is there."""

    people: list[str]
    plays: dict[str, list[tuple[int, datetime]]]
    right: dict[tuple[str, str, int], list[tuple[int, int]]] = field(default_factory=dict)
    wrong: dict[tuple[str, str, int], list[tuple[int, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.points = {
            kind: {
                person: {(track, bucket(kind, moment)) for track, moment in self.plays[person]}
                for person in self.people
            }
            for kind in KINDS
        }

    def has(self, kind: str, person: str, point: tuple[int, int]) -> bool:
        if kind == "track ± 7 days":
            return any((point[0], point[1] + days) in self.points[kind][person] for days in range(-7, 8))
        return point in self.points[kind][person]

    def figures(self, kind: str, points: int, wrong_points: int) -> dict[str, int]:
        """How many persons and samples, and how many samples of them are hits of which measure."""
        count: Counter[str] = Counter()
        attacked = set()
        for (its_kind, person, sample), right in self.right.items():
            if its_kind != kind or len(self.points[kind][person]) < points:
                continue
            known = right[:points] + (self.wrong.get((kind, person, sample), []) if wrong_points else [])
            alike = {other for other in self.people if sum(self.has(kind, other, point) for point in known) >= points}
            attacked.add(person)
            count["samples"] += 1
            count["singled_out"] += alike == {person}
            count["true_positive"] += person in alike
            count["false_positive"] += bool(alike - {person})
        return {**count, "persons": len(attacked)}


def recounted(connection: duckdb.DuckDBPyConnection) -> Recount:
    """The plays as they lie in the marts, and the samples that the harness drew."""

    def rows(statement: str) -> list[tuple[Any, ...]]:
        return connection.execute(statement).fetchall()

    people = [person for (person,) in rows("select participant_id from warehouse.marts.participants")]
    private = {track for (track,) in rows("select track_id from warehouse.marts.tracks where is_private")}
    plays = defaultdict(list)
    for person, track, moment in rows("select participant_id, track_id, started_at_local from warehouse.marts.plays"):
        if track is not None and track not in private:
            plays[person].append((track, moment))
    recount = Recount(people, plays)
    named = "select k.knowledge, p.participant_id, x.sample, t.track_id, x.bucket from temp.{} as x join temp.seen_persons as p using (person) join temp.seen_tracks as t using (track) join temp.knowledge as k using ({}) order by x.place"
    for target, statement in (
        (recount.right, named.format("right_points", "grain")),
        (recount.wrong, named.format("wrong_points", "knowledge_no")),
    ):
        for kind, person, sample, track, its_bucket in rows(statement):
            target.setdefault((kind, person, sample), []).append((track, its_bucket))
    return recount


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The bounds p that lie 1.96 standard errors of p from the share found: roots of a quadratic."""
    z = 1.959963984540054
    share = hits / n
    a, b, c = 1 + z * z / n, -(2 * share + z * z / n), share * share
    root = math.sqrt(b * b - 4 * a * c)
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def assert_agrees(report: RiskReport, recount: Recount) -> None:
    everyone = len(recount.people)
    for kind in KINDS:
        for points in range(1, 5):
            for wrong_points in (0, 2):
                counted = recount.figures(kind, points, wrong_points)
                measures = ["unicity singled_out"]
                if wrong_points:
                    measures += ["membership true_positive", "membership false_positive"]
                for name in measures:
                    attack_name, measure = name.split()
                    figure = report.find(attack_name, measure, knowledge=kind, points=points, wrong_points=wrong_points)
                    assert (figure.persons, figure.samples) == (counted["persons"], counted["samples"]), figure
                    assert figure.persons_left_out == everyone - figure.persons
                    assert figure.value == counted[measure] / counted["samples"], figure
                    low, high = wilson(counted[measure], counted["samples"])
                    assert figure.low == pytest.approx(low, abs=1e-6)
                    assert figure.high == pytest.approx(high, abs=1e-6)
                if wrong_points:
                    advantage = report.find("membership", "advantage", knowledge=kind, points=points)
                    hits = counted["true_positive"] - counted["false_positive"]
                    assert advantage.value == hits / counted["samples"]


def assert_k_and_l_agree(report: RiskReport, connection: duckdb.DuckDBPyConnection) -> None:
    cells: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for person, *cell in connection.execute(
        "select participant_id, age_band, gender, country from warehouse.marts.participants"
    ).fetchall():
        cells[tuple(cell)].append(person)
    reports: dict[str, Counter[tuple[bool, bool]]] = defaultdict(Counter)
    for person, valence, arousal in connection.execute(
        "select participant_id, valence, arousal from warehouse.marts.emotion_reports"
    ).fetchall():
        if valence is not None and arousal is not None:
            reports[person][(valence >= 0, arousal >= 0)] += 1
    mood = {person: max(found, key=lambda quadrant: (found[quadrant], quadrant)) for person, found in reports.items()}
    moods = [[mood[person] for person in cell if person in mood] for cell in cells.values()]
    felt = [cell for cell in moods if cell]
    expected = {
        ("k", "cells"): len(cells),
        ("k", "smallest_cell"): min(map(len, cells.values())),
        ("k", "cells_below_k"): sum(len(cell) < 5 for cell in cells.values()),
        ("k", "persons_in_cells_below_k"): sum(len(cell) for cell in cells.values() if len(cell) < 5),
        ("l", "smallest_l"): min(len(set(cell)) for cell in felt) if felt else None,
        ("l", "cells_below_l"): sum(len(set(cell)) < 2 for cell in felt),
        ("l", "persons_in_cells_below_l"): sum(len(cell) for cell in felt if len(set(cell)) < 2),
    }
    told = {(figure.attack, figure.measure): figure.value for figure in report.figures if figure.attack in ("k", "l")}
    assert told == expected
    assert report.find("l", "smallest_l").persons == len(mood)


@dataclass
class Attacked:
    """The demo after one attack, with the recount of the same samples."""

    report: RiskReport
    recount: Recount
    connection: duckdb.DuckDBPyConnection


@pytest.fixture(scope="module")
def attacked(demo: SmallStudy) -> Iterator[Attacked]:
    with open_attack(demo.study) as connection:
        report = attack(connection, Knowledge(seed=3, samples=12))
        yield Attacked(report, recounted(connection), connection)


def test_a_plain_recount_agrees(attacked: Attacked) -> None:
    assert_agrees(attacked.report, attacked.recount)
    assert_k_and_l_agree(attacked.report, attacked.connection)
    # The demo is no world in which every answer is the same.
    shares = {figure.value for figure in attacked.report.figures if figure.attack == "unicity"}
    assert len(shares) > 10


def test_samples_are_what_they_claim(attacked: Attacked) -> None:
    recount = attacked.recount
    for (kind, person, _), points in recount.right.items():
        assert len(set(points)) == len(points) == min(4, len(recount.points[kind][person]))
        assert set(points) <= recount.points[kind][person]
    for (kind, person, _), points in recount.wrong.items():
        assert len(set(points)) == len(points) <= 2
        assert not any(recount.has(kind, person, point) for point in points)
        assert all(any(recount.has(kind, other, point) for other in recount.people) for point in points)
    full = sum(len(points) == 2 for points in recount.wrong.values())
    assert full > 0.98 * len(recount.right)
    # Of people with many points hardly two samples are the same.
    many = [key for key in recount.right if len(recount.points[key[0]][key[1]]) > 100]
    assert len({(*key[:2], *sorted(recount.right[key])) for key in many}) > 0.99 * len(many) > 0


def test_every_point_is_as_likely_as_another(attacked: Attacked) -> None:
    """Early or late says nothing of which point is drawn first, nor of which is drawn after it."""
    recount = attacked.recount
    early = expected = total = 0.0
    turned = pairs = 0
    for (kind, person, _), points in recount.right.items():
        if kind == "track + day":
            days = sorted(day for _, day in recount.points[kind][person])
            middle = days[len(days) // 2]
            early += points[0][1] < middle
            expected += sum(day < middle for day in days) / len(days)
            total += 1
            if len(points) > 1 and points[0][1] != points[1][1]:
                turned += points[1][1] < points[0][1]
                pairs += 1
    assert abs(early - expected) < 4 * math.sqrt(total) / 2
    assert abs(turned - pairs / 2) < 4 * math.sqrt(pairs) / 2


def test_scrobbles_are_true_plays_blurred_and_every_tenth_of_another_track(attacked: Attacked) -> None:
    kept = defaultdict(set)
    for person, uri, title, creator, started_ms in attacked.connection.execute(
        """
        select p.person, content_uri, title, creator, started_ms from vault.intermediate.int_play_fates
        join vault.raw.keyring using (participant_no) join temp.seen_persons as p on p.participant_id = pseudonym
        where fate = 'kept'
        """
    ).fetchall():
        kept[person, *((uri,) if uri else (title, creator))].add(started_ms)
    off = []
    for person, place, is_wrong, uri, title, creator, scrobbled_ms in attacked.connection.execute(
        "select person, place, is_wrong, spotify_uri, title, creator, scrobbled_ms from temp.scrobbles join temp.seen_tracks using (track)"
    ).fetchall():
        assert is_wrong == (place % 10 == 9)
        nearest = min(
            (scrobbled_ms - started for started in kept[person, *((uri,) if uri else (title, creator))]),
            key=abs,
            default=10**9,
        )
        if not is_wrong:
            assert abs(nearest) <= 60_000
            off.append(nearest)
    assert len(off) > 2000
    assert abs(sum(off) / len(off)) < 4 * 60_000 / math.sqrt(3 * len(off))
    assert max(off) > 50_000 and min(off) < -50_000


def test_the_seed_decides(demo: SmallStudy, attacked: Attacked) -> None:
    again = run_attacks(demo.study, Knowledge(seed=3, samples=12))
    assert again == attacked.report
    other = run_attacks(demo.study, Knowledge(seed=4, samples=12))
    assert other.figures != attacked.report.figures


# --- worlds made by hand ------------------------------------------------------------------------


@dataclass
class Listener:
    """Somebody in a world made by hand; ``plays`` are (track, true UTC start).

    The marts show ``shown_plays`` by ``shown_weeks``, if these are not what they should be.
    """

    plays: list[tuple[int, datetime]]
    shift_weeks: int = 30
    zone: str = "Europe/Berlin"
    age_band: str | None = "25-34"
    country: str | None = "DE"
    mood: tuple[float, float] | None = None
    shown_weeks: int | None = None
    shown_plays: list[tuple[int, datetime]] | None = None
    is_listed: bool = True
    reports: list[datetime] = field(default_factory=list)
    reason_end: Callable[[datetime], str | None] = lambda _: None


def local(moment: datetime, zone: str) -> datetime:
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def sessions_of(moments: list[datetime]) -> list[list[datetime]]:
    """Starts of plays that last no time, in sessions by what elapsed between them."""
    found: list[list[datetime]] = []
    for moment in sorted(moments):
        if found and moment - found[-1][-1] <= timedelta(minutes=30):
            found[-1].append(moment)
        else:
            found.append([moment])
    return found


def world(
    int_listeners: list[Listener], knowledge: Knowledge | None = None, private: frozenset[int] = frozenset()
) -> RiskReport:
    """Attack a warehouse and a vault that hold just these people."""
    with attacked_world(int_listeners, knowledge, private) as (report, _):
        return report


@contextmanager
def attacked_world(
    int_listeners: list[Listener], knowledge: Knowledge | None = None, private: frozenset[int] = frozenset()
) -> Iterator[tuple[RiskReport, duckdb.DuckDBPyConnection]]:
    with duckdb.connect() as connection:
        connection.execute(
            """
            attach ':memory:' as warehouse; attach ':memory:' as vault;
            create schema warehouse.marts; create schema vault.raw; create schema vault.intermediate;
            create table warehouse.marts.participants (participant_id varchar, age_band varchar, gender varchar, country varchar);
            create table warehouse.marts.plays (participant_id varchar, session_id bigint, track_id bigint, started_at_local timestamp, ended_at_local timestamp, reason_end varchar);
            create table warehouse.marts.sessions (participant_id varchar, session_id bigint, session_no integer, started_at_local timestamp, ended_at_local timestamp, session_gap_minutes integer);
            create table warehouse.marts.emotion_windows (participant_id varchar, report_id bigint, reported_at_local timestamp, direction varchar, window_minutes integer, plays bigint);
            create table warehouse.marts.tracks (track_id bigint, spotify_uri varchar, title varchar, creator varchar, is_private boolean);
            create table warehouse.marts.emotion_reports (participant_id varchar, valence double, arousal double);
            create table vault.raw.keyring (participant_no integer, pseudonym varchar, shift_weeks integer);
            create table vault.intermediate.int_play_fates (
                row_id bigint, participant_no integer, fate varchar, started_ms bigint, content_uri varchar, title varchar, creator varchar);
            """
        )
        rows: dict[str, list[list[Any]]] = defaultdict(list)
        for number, listener in enumerate(int_listeners):
            name = f"p{number:03d}"
            if listener.is_listed:
                rows["warehouse.marts.participants"].append([name, listener.age_band, "female", listener.country])
            rows["vault.raw.keyring"].append([number, name, listener.shift_weeks])
            if listener.mood:
                rows["warehouse.marts.emotion_reports"].append([name, *listener.mood])
            shown = listener.shift_weeks if listener.shown_weeks is None else listener.shown_weeks
            plays = listener.plays if listener.shown_plays is None else listener.shown_plays
            clocks: dict[datetime, tuple[int, datetime]] = {}
            for number_of_session, moments in enumerate(sessions_of([moment for _, moment in plays]), 1):
                session_id = 100_000 * number + number_of_session
                start = local(moments[0], listener.zone) + shown * WEEK
                clocks |= {moment: (session_id, start + (moment - moments[0])) for moment in moments}
                rows["warehouse.marts.sessions"].append(
                    [name, session_id, number_of_session, start, start + (moments[-1] - moments[0]), 30]
                )
            for track, moment in plays:
                session_id, at = clocks[moment]
                rows["warehouse.marts.plays"].append([name, session_id, track, at, at, listener.reason_end(moment)])
            for number_of_report, reported in enumerate(listener.reports):
                for minutes in (30, 60, 180):
                    heard = sum(reported - timedelta(minutes=minutes) <= moment < reported for _, moment in plays)
                    at = local(reported, listener.zone) + shown * WEEK
                    rows["warehouse.marts.emotion_windows"].append(
                        [name, 1000 * number + number_of_report, at, "before", minutes, heard]
                    )
            for track, moment in listener.plays:
                rows["vault.intermediate.int_play_fates"].append(
                    [
                        len(rows["vault.intermediate.int_play_fates"]),
                        number,
                        "kept",
                        (moment - EPOCH) // timedelta(milliseconds=1),
                        f"spotify:track:{track}" if track % 2 else None,
                        f"title {track}",
                        "someone",
                    ]
                )
        for track in sorted({track for listener in int_listeners for track, _ in listener.plays}):
            rows["warehouse.marts.tracks"].append(
                [track, f"spotify:track:{track}" if track % 2 else None, f"title {track}", "someone", track in private]
            )
        for table, values in rows.items():
            columns = [list(column) for column in zip(*values, strict=True)]
            connection.execute(f"insert into {table} select {', '.join(['unnest(?)'] * len(columns))}", columns)
        yield attack(connection, knowledge or Knowledge(samples=20)), connection


def listening(seed: int, tracks: range, plays: int = 60, days: int = 700) -> list[tuple[int, datetime]]:
    draw = random.Random(seed)
    moments = sorted(datetime(2022, 1, 1) + timedelta(seconds=draw.randrange(days * 86400)) for _ in range(plays))
    return [(draw.choice(tracks), moment) for moment in moments]


def unicity(report: RiskReport) -> dict[tuple[str, int | None, int | None], float | None]:
    return {
        (figure.knowledge, figure.points, figure.wrong_points): figure.value
        for figure in report.figures
        if figure.attack == "unicity"
    }


def test_nobody_is_singled_out_where_all_are_alike() -> None:
    report = world([Listener(listening(1, range(20))) for _ in range(5)])
    assert set(unicity(report).values()) == {0.0}
    assert report.find("membership", "false_positive", knowledge="track", points=4).value == 1
    assert report.find("membership", "advantage", knowledge="track + hour", points=4).value == 0
    assert report.find("k", "smallest_cell").value == 5
    assert report.find("k", "cells_below_k").value == 0
    # Equal in everything, they get the same votes: nobody can be named.
    assert report.find("shift_recovery", "pseudonym_named", points=50).value == 0


def test_everybody_is_singled_out_where_tastes_are_disjoint() -> None:
    report = world([Listener(listening(number, range(100 * number, 100 * number + 50))) for number in range(5)])
    for (_, points, wrong_points), value in unicity(report).items():
        # Two wrong points belong to others, who therefore match as long as no more than two are asked for
        # that one other has; with three right ones nobody else can.
        assert points is not None
        if wrong_points == 0 or points > 2:
            assert value == 1
        if (points, wrong_points) == (1, 2):
            assert value == 0
    assert report.find("membership", "advantage", knowledge="track", points=4).value == 1


def test_who_has_too_few_points_is_left_out_and_counted() -> None:
    report = world(
        [
            Listener(listening(1, range(10, 30))),
            Listener([(1, datetime(2023, 1, 1)), (1, datetime(2023, 5, 1)), (2, datetime(2023, 5, 1))]),
            Listener([]),
        ]
    )
    told = {
        points: report.find("unicity", "singled_out", knowledge="track", points=points, wrong_points=0)
        for points in (1, 2, 3)
    }
    assert [(told[points].persons, told[points].persons_left_out) for points in (1, 2, 3)] == [(2, 1), (2, 1), (1, 2)]
    third = report.find("unicity", "singled_out", knowledge="track + month", points=3, wrong_points=0)
    assert (third.persons, third.samples) == (2, 40)


def test_plays_of_somebody_unlisted_are_attacked_too() -> None:
    report = world([Listener(listening(1, range(9))), Listener(listening(1, range(9)), is_listed=False)])
    assert report.find("unicity", "singled_out", knowledge="track", points=4, wrong_points=0).persons == 2
    assert set(unicity(report).values()) == {0.0}


@pytest.mark.parametrize(("days", "alone"), [(7, 0), (-7, 0), (8, 1), (-8, 1)])
def test_seven_days_are_within_seven_days(days: int, alone: int) -> None:
    noon = datetime(2023, 5, 10, 12)
    report = world([Listener([(1, noon)], zone="UTC"), Listener([(1, noon + timedelta(days=days))], zone="UTC")])
    assert unicity(report)["track ± 7 days", 1, 0] == alone
    assert unicity(report)["track + day", 1, 0] == 1


def test_private_tracks_are_no_points() -> None:
    plays = listening(1, range(20))
    mine = [(99, datetime(2023, 1, 1))]
    report = world([Listener(plays + mine), Listener(plays)], private=frozenset({99}))
    assert set(unicity(report).values()) == {0.0}
    report = world([Listener(plays + mine), Listener(plays)], Knowledge(samples=200))
    assert (unicity(report)["track", 4, 0] or 0) > 0


def test_k_and_l_count_persons_and_missing_values() -> None:
    def person(age: str | None, mood: tuple[float, float] | None, plays: int = 5) -> Listener:
        return Listener(listening(1, range(9), plays), age_band=age, mood=mood)

    glad, low = (0.5, 0.5), (-0.5, -0.5)
    # One heavy listener is one person; six of one mood are many, and yet one mood.
    report = world(
        [person("18-24", glad) for _ in range(6)]
        + [person("25-34", glad), person("25-34", low), person(None, None), person(None, None)]
        + [person("55-64", glad, plays=500)]
    )
    assert report.find("k", "cells").value == 4
    assert report.find("k", "smallest_cell").value == 1
    assert report.find("k", "cells_below_k").value == 3
    assert report.find("k", "persons_in_cells_below_k").value == 5
    assert report.find("l", "smallest_l").value == 1
    assert report.find("l", "cells_below_l").value == 2
    assert report.find("l", "persons_in_cells_below_l").value == 7
    assert report.find("l", "smallest_l").persons == 9
    passed = {verdict.threshold.attack: verdict.passed for verdict in report.verdicts}
    assert passed == {"k": False, "l": False, "unicity": False}


CROWD = [
    Listener(listening(number, range(40), plays=400), shift_weeks=weeks, zone=zone, country=country)
    for number, (weeks, zone, country) in enumerate(
        [
            (30, "Europe/Berlin", "DE"),
            (-17, "America/New_York", "US"),
            (101, "Asia/Kolkata", "IN"),
            (-260, "Asia/Tokyo", "JP"),
        ]
    )
]


def crowd(place: int, **changes: Any) -> list[Listener]:
    """The crowd, with one of them changed."""
    changed = Listener(**{**vars(CROWD[place]), **changes})
    return [changed if number == place else listener for number, listener in enumerate(CROWD)]


def test_a_shift_is_recovered_from_a_list_and_not_from_an_empty_one() -> None:
    report = world(CROWD, Knowledge(samples=2, list_sizes=(0, 10, 50)))
    for measure in ("pseudonym_named", "shift_found"):
        found = {points: report.find("shift_recovery", measure, points=points) for points in (0, 10, 50)}
        assert [found[points].value for points in (0, 10, 50)] == [0, 1, 1]
        assert [found[points].persons for points in (0, 10, 50)] == [4, 4, 4]
        assert [found[points].wrong_points for points in (0, 10, 50)] == [0, 1, 5]


def test_no_more_persons_are_attacked_than_asked_for() -> None:
    found = world(CROWD, Knowledge(samples=2, targets=3)).find("shift_recovery", "shift_found", points=200)
    assert (found.persons, found.persons_left_out) == (3, 1)


def test_another_shift_than_the_true_one_is_not_taken_for_it() -> None:
    report = world(crowd(1, shown_weeks=-16), Knowledge(samples=2))
    assert report.find("shift_recovery", "pseudonym_named", points=200).value == 1
    assert report.find("shift_recovery", "shift_found", points=200).value == 0.75


def test_a_list_without_a_true_entry_names_nobody() -> None:
    report = world(CROWD, Knowledge(samples=2, wrong_share=1.0, list_sizes=(50,)))
    assert report.find("shift_recovery", "shift_found").value == 0


def test_times_that_are_noise_hide_the_shift() -> None:
    draw = random.Random(5)
    noisy = [
        Listener(
            **{
                **vars(listener),
                "shown_plays": [
                    (track, moment + timedelta(seconds=draw.randrange(365 * 86400))) for track, moment in listener.plays
                ],
            }
        )
        for listener in CROWD
    ]
    report = world(noisy, Knowledge(samples=2, list_sizes=(50,)))
    assert report.find("shift_recovery", "shift_found").value == 0


def nightly(
    zone: str, country: str | None, start: datetime = datetime(2020, 1, 5), weeks: int = 260, **more: Any
) -> Listener:
    """Somebody who hears something every hour of every Saturday night, when clocks are changed."""
    plays = [(1, start + week * WEEK + timedelta(hours=hour, minutes=30)) for week in range(weeks) for hour in range(9)]
    return Listener(plays, zone=zone, country=country, **more)


def test_changes_of_the_clock_narrow_the_shift_of_who_never_sleeps() -> None:
    report = world([nightly("Europe/Berlin", "DE"), nightly("Asia/Tokyo", "JP", shift_weeks=-9)], Knowledge(samples=2))
    # Five years of Berlin fit few numbers of weeks; all of Tokyo's fit.
    assert report.find("clock_changes", "shift_among_10").value == 0.5
    assert report.find("clock_changes", "shift_among_50").value == 0.5
    # Who withholds the country may still be in any zone of the study.
    hidden = [
        nightly("Europe/Berlin", "DE"),
        nightly("Europe/Berlin", None, shift_weeks=44),
        nightly("Asia/Tokyo", "JP"),
    ]
    report = world(hidden, Knowledge(samples=2))
    assert report.find("clock_changes", "shift_among_10").value == 2 / 3


def test_who_sleeps_at_night_gives_no_shift_away() -> None:
    plays = [(1, datetime(2020, 1, 1, 6) + timedelta(hours=hour)) for hour in range(2 * 8766)]
    by_day = [(track, moment) for track, moment in plays if 8 <= local(moment, "Europe/Berlin").hour < 23]
    noons = [moment for _, moment in by_day if moment.hour == 12 and moment.isoweekday() == 7][::4]
    report = world([Listener(by_day, reports=noons)], Knowledge(samples=2))
    assert report.find("clock_changes", "shift_among_50").value == 0


def test_the_country_narrows_the_shift_further() -> None:
    # One autumn: in ten years there are up to ten in one zone, more in two zones that put their clocks back at the
    # same hour of other days. (Berlin's other hour would tell that it is not New York.)
    begun = datetime(2020, 7, 5)
    autumn = [
        nightly("America/Mexico_City", "MX", begun, 21),
        nightly("America/New_York", "US", begun, 21, shift_weeks=-9),
    ]
    report = world(autumn, Knowledge(samples=2))
    assert report.find("clock_changes", "shift_among_1").value == 0
    assert report.find("clock_changes", "shift_among_10").value == 1
    unknown = [*autumn, nightly("America/Mexico_City", None, begun, 21)]
    report = world(unknown, Knowledge(samples=2))
    assert report.find("clock_changes", "shift_among_10").value == 2 / 3
    assert report.find("clock_changes", "shift_among_50").value == 1


def test_a_clock_of_another_zone_misleads() -> None:
    report = world([nightly("America/New_York", "DE")], Knowledge(samples=2))
    assert report.find("clock_changes", "shift_among_50").value == 0


def daily(number: int, shift_weeks: int, reason_end: Callable[[datetime], str | None], lag: int = 40) -> Listener:
    """Somebody who hears something on each day of two years, which begin and end ``lag`` days after those of the one before."""
    days = [datetime(2021, 6, 1, 12) + timedelta(days=lag * number + day) for day in range(730)]
    return Listener([(1, day) for day in days], shift_weeks=shift_weeks, reason_end=reason_end)


CHANGED = "values that begin or end for others"
ENDS = "when histories of others end"
SHIFTS = (30, -9, 44, 101, -260)


def test_a_value_that_exports_have_since_a_date_gives_the_shift_away() -> None:
    flagged = [daily(*one, lambda day: "true" if day >= datetime(2022, 10, 14) else None) for one in enumerate(SHIFTS)]
    report = world(flagged, Knowledge(samples=2))
    assert report.find("dated_values", "shift_among_1", knowledge=CHANGED).value == 1
    # Four exceptions of each person do not hide it.
    odd = [
        replace(
            listener,
            reason_end=lambda day: (
                "true"
                if day >= datetime(2022, 10, 14) or (day.year == 2022 and day.day == 9 and day.month < 5)
                else None
            ),
        )
        for listener in flagged
    ]
    report = world(odd, Knowledge(samples=2))
    assert report.find("dated_values", "shift_among_1", knowledge=CHANGED).value == 1
    # Of two others one cannot say that it is a date.
    report = world(flagged[:3], Knowledge(samples=2))
    assert report.find("dated_values", "shift_among_50", knowledge=CHANGED).value == 0


def test_a_value_that_each_begins_to_have_at_another_time_gives_nothing_away() -> None:
    for reason_end in (lambda day: None, lambda day: "true" if day.day % 2 else "false"):
        report = world([daily(*one, reason_end) for one in enumerate(SHIFTS)], Knowledge(samples=2))
        for knowledge in (CHANGED, ENDS):
            assert report.find("dated_values", "shift_among_10", knowledge=knowledge).value == 0
    moved = [
        replace(
            daily(*one, lambda _: None),
            reason_end=lambda day, number=one[0]: (
                "true" if day >= datetime(2022, 3, 1) + number * timedelta(days=50) else None
            ),
        )
        for one in enumerate(SHIFTS)
    ]
    report = world(moved, Knowledge(samples=2))
    assert report.find("dated_values", "shift_among_50", knowledge=CHANGED).value == 0


def test_histories_that_end_in_one_week_give_the_shift_away() -> None:
    report = world([daily(*one, lambda _: None, lag=0) for one in enumerate(SHIFTS)], Knowledge(samples=2))
    assert report.find("dated_values", "shift_among_1", knowledge=ENDS).value == 1
    # Of several weeks: as many numbers of weeks are left.
    report = world([daily(*one, lambda _: None, lag=7) for one in enumerate(SHIFTS)], Knowledge(samples=2))
    assert report.find("dated_values", "shift_among_1", knowledge=ENDS).value == 0
    assert report.find("dated_values", "shift_among_10", knowledge=ENDS).value == 0.6


def moments_in_utc(shown: datetime, zone: str) -> list[datetime]:
    """When a clock of the zone showed this: never, once or twice."""
    found = {shown.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC).replace(tzinfo=None) for fold in (0, 1)}
    return sorted(moment for moment in found if local(moment, zone) == shown)


def possible_weeks(listener: Listener) -> set[int]:
    """A plain search: every number of weeks for which the sessions can lie in UTC as sessions must."""
    sessions = [
        (local(moments[0], listener.zone) + listener.shift_weeks * WEEK, moments[-1] - moments[0])
        for moments in sessions_of([moment for _, moment in listener.plays])
    ]
    possible = set()
    for weeks in {*range(-260, 261)} - {0}:
        previous: list[datetime] = []
        for start, length in sessions:
            moments = [
                moment
                for moment in moments_in_utc(start - weeks * WEEK, listener.zone)
                if not previous or moment - previous[0] > timedelta(minutes=30)
            ]
            if not moments:
                break
            previous = [moment + length for moment in moments]
        else:
            possible.add(weeks)
    return possible


def night_owl(seed: int, zone: str, country: str, shift_weeks: int, begins_at: int) -> Listener:
    """A year of somebody who hears music at night: sessions of one or many plays, through changes of the clock too."""
    draw = random.Random(seed)
    plays = []
    for night in range(370):
        moment = datetime(2018, 1, 2, begins_at) + timedelta(days=night, minutes=draw.randrange(240))
        for _ in range(draw.randrange(5)):
            for _ in range(draw.randrange(1, 12)):
                plays.append((draw.randrange(50), moment))
                moment += timedelta(minutes=draw.randrange(1, 12))
            moment += timedelta(minutes=draw.randrange(20, 75))
    reports = [moment + timedelta(minutes=draw.randrange(90)) for _, moment in plays[::40]]
    return Listener(sorted(plays), shift_weeks, zone, country=country, reports=reports)


OWLS = [
    night_owl(1, "Europe/Berlin", "DE", 31, 22),
    night_owl(2, "America/New_York", "US", -77, 4),
    night_owl(3, "Australia/Sydney", "AU", 200, 13),
    night_owl(4, "America/Sao_Paulo", "BR", -259, 1),
]


@pytest.mark.thorough
def test_a_plain_search_finds_the_same_weeks() -> None:
    owls = [replace(owl, reports=[]) for owl in OWLS]
    with attacked_world(owls, Knowledge(samples=1, targets=9)) as (_, connection):
        found: dict[int, set[int]] = {}
        for number, weeks in connection.execute(
            "select participant_no, weeks from temp.clock_candidates inner join temp.targets using (person)"
        ).fetchall():
            found.setdefault(number, set()).add(weeks)
    for number, owl in enumerate(owls):
        expected = possible_weeks(owl)
        assert owl.shift_weeks in expected
        assert 0 < len(expected) < 520, number
        assert found[number] == expected, number


@pytest.mark.thorough
def test_reports_narrow_the_shift_and_never_rule_out_the_true_one() -> None:
    def counted(owls: list[Listener]) -> dict[int, tuple[int, bool]]:
        with attacked_world(owls, Knowledge(samples=1, targets=9)) as (_, connection):
            return {
                number: (weeks, is_true)
                for number, weeks, is_true in connection.execute(
                    "select participant_no, count(*), bool_or(weeks = shift_weeks) from temp.clock_candidates inner join temp.targets using (person) group by all"
                ).fetchall()
            }

    without, beside = counted([replace(owl, reports=[]) for owl in OWLS]), counted(OWLS)
    assert all(is_true for _, is_true in [*without.values(), *beside.values()])
    assert all(beside[number][0] <= without[number][0] for number in without)
    # Who listens before the change and reports after it: the window counts an hour of less than the clock shows.
    spring = Listener([(1, datetime(2022, 3, 27, 0, 40))], reports=[datetime(2022, 3, 27, 1, 20)])
    weeks, is_true = counted([spring])[0]
    assert is_true and weeks <= 10


@pytest.mark.parametrize("name", [*STEPS, *ATTACKS])
def test_an_attack_says_what_a_row_is_and_ends_with_its_last_cte(name: str) -> None:
    text = (HERE / f"{name}.sql").read_text(encoding="utf-8")
    assert text.startswith("-- One row is one ")
    assert "random()" not in text and "::" not in text
    ctes = re.findall(r"^(?:with )?(\w+)(?: \([\w, ]+\))? as (?:materialized )?\(", text, re.MULTILINE)
    assert text.endswith(f"\n\nselect * from {ctes[-1]}\n")


# --- what the attacks refuse ----------------------------------------------------------------------


def test_a_changed_shift_in_a_copy_is_noticed(demo_copy: SmallStudy, attacked: Attacked) -> None:
    before = attacked.report.find("shift_recovery", "shift_found", points=200)
    assert before.value is not None and before.value > 0.9
    with duckdb.connect(str(demo_copy.study.warehouse_path)) as connection:
        connection.execute(
            """
            update marts.plays set started_at_local = started_at_local + interval 7 day
            where participant_id = (select arg_max(participant_id, plays) from marts.participants)
            """
        )
    after = run_attacks(demo_copy.study, Knowledge(seed=3, samples=1)).find("shift_recovery", "shift_found", points=200)
    assert after.value is not None
    assert round((before.value - after.value) * before.persons) == 1


def test_a_release_candidate_is_judged_by_its_own_truth(demo: SmallStudy, attacked: Attacked, tmp_path: Path) -> None:
    candidate = tmp_path / "candidate.duckdb"
    shutil.copyfile(demo.study.warehouse_path, candidate)
    with duckdb.connect(str(candidate)) as connection:
        for table in ("participants", "plays", "sessions", "emotion_reports", "emotion_windows"):
            connection.execute(f"update marts.{table} set participant_id = 'r' || reverse(participant_id)")
        connection.execute("update marts.plays set started_at_local = started_at_local - interval 21 day")
    knowledge = Knowledge(seed=3, samples=12)
    truth = f"(select participant_no, 'r' || reverse(pseudonym) as pseudonym, shift_weeks - 3 as shift_weeks from {KEYRING})"
    report = run_attacks(demo.study, knowledge, warehouse_path=candidate, truth=truth)
    found = report.find("shift_recovery", "shift_found", points=200)
    assert found.value == attacked.report.find("shift_recovery", "shift_found", points=200).value
    stale = truth.replace("shift_weeks - 3", "shift_weeks")
    assert (
        run_attacks(demo.study, knowledge, warehouse_path=candidate, truth=stale)
        .find("shift_recovery", "shift_found", points=200)
        .value
        == 0
    )
    with pytest.raises(UnknownTruth, match="are not in the vault"):
        run_attacks(demo.study, knowledge, warehouse_path=candidate)


def test_without_a_warehouse_there_is_nothing_to_attack(small: SmallStudy) -> None:
    with pytest.raises(NothingToAttack, match="dbt run"):
        run_attacks(small.study)
    with pytest.raises(NothingToAttack, match="does not exist"):
        record(RiskReport([], [], {}), small.study)


def test_a_warehouse_in_use_is_explained(demo_copy: SmallStudy) -> None:
    opened = f"import duckdb; c = duckdb.connect({str(demo_copy.study.warehouse_path)!r}, read_only=True); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", opened], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        assert reader.stdout is not None
        reader.stdout.readline()
        with pytest.raises(NotRecorded, match="in use by another program"):
            record(RiskReport([], [], {}), demo_copy.study)
        reader.communicate(b"\n")


def test_what_cannot_be_attacked_is_no_harmless_figure(demo_copy: SmallStudy) -> None:
    with duckdb.connect(str(demo_copy.study.warehouse_path)) as connection:
        connection.execute("alter table marts.plays drop column ended_at_local")
    with pytest.raises(NothingToAttack, match=r"lack plays\.ended_at_local"):
        run_attacks(demo_copy.study)
    assert set(SEEN) == {"participants", "plays", "sessions", "tracks", "emotion_reports", "emotion_windows"}


def test_impossible_knowledge_is_refused() -> None:
    for impossible in (
        {"samples": 0},
        {"wrong_points": 11},
        {"wrong_points": 0},
        {"list_sizes": ()},
        {"wrong_share": 1.5},
        {"jitter_seconds": 450},
    ):
        with pytest.raises(BadKnowledge):
            Knowledge(**impossible)


def test_large_studies_get_fewer_samples_of_each() -> None:
    report = world([Listener([(number, datetime(2023, 1, 1))]) for number in range(80)], Knowledge(targets=7))
    assert report.parameters["samples"] == 125
    lists = report.find("shift_recovery", "shift_found", points=10)
    assert (lists.persons, lists.persons_left_out, lists.value) == (0, 80, None)


def test_thresholds_report_the_worst_and_pass_only_what_was_measured() -> None:
    def figure(value: float | None) -> Figure:
        return Figure("unicity", "track", 1, 0, 1, 0, 1, "singled_out", value, None, None)

    most = Threshold("x", "public", "unicity", "singled_out", "2026-11", "a reason", at_most=0.05)
    assert most.judge([figure(0.05), figure(None)]).passed
    verdict = most.judge([figure(0.01), figure(0.06)])
    assert (verdict.worst, verdict.passed) == (0.06, False)
    assert not most.judge([figure(None)]).passed
    assert not most.judge([]).passed
    assert all(threshold.reason and threshold.since for threshold in all_thresholds())
    assert (limit("smallest_cell"), limit("smallest_l")) == (5, 2)
    with pytest.raises(KeyError):
        limit("singled_out")


def test_figures_are_kept_until_the_next_rebuild(demo_copy: SmallStudy) -> None:
    done = CliRunner().invoke(
        cli, ["attack", "--study", str(demo_copy.root), "--samples", "3", "--seed", "3", "--json"]
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    kept = demo_copy.warehouse("from audit.privacy_risk")
    assert [list(row[:-1]) for row in kept] == [list(figure.values()) for figure in told["figures"]]
    parameters = json.loads(kept[0][-1])
    assert (parameters["seed"], parameters["samples"], parameters["list_sizes"]) == (3, 3, [10, 50, 200])
    comments = demo_copy.warehouse(
        "select comment from duckdb_columns() where schema_name = 'audit' and table_name = 'privacy_risk'"
    )
    assert len(comments) == 12 and all(comment for (comment,) in comments)
    # A second run stands in place of the first; the table breaks no rule of the wall.
    assert CliRunner().invoke(cli, ["attack", "--study", str(demo_copy.root), "--samples", "3"]).exit_code == 0
    assert len(demo_copy.warehouse("from audit.privacy_risk")) == len(kept)
    wall = [rule for rule in all_rules() if rule.name.startswith("D1")]
    assert all(result.passed for result in run_rules(demo_copy.study, wall))
    demo_copy.dbt("run", "--select", "stg_study")
    with pytest.raises(duckdb.CatalogException):
        demo_copy.warehouse("from audit.privacy_risk")


def test_the_command_and_the_site_say_what_was_found(demo_copy: SmallStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    demo_copy.dbt(*COMPILE)
    (target_folder() / "static_index.html").touch()
    monkeypatch.setattr(site, "run_dbt", lambda *_: "")
    assert "shift found" not in site._risk(site.risks(demo_copy.study), [], {})
    done = CliRunner().invoke(cli, ["attack", "--study", str(demo_copy.root), "--samples", "5"])
    assert done.exit_code == 0, done.output
    for told in ("track ± 7 days", "4 known", "smallest cell", "shift found", "not met", "required: at most 0.05"):
        assert told in done.output, told
    risk = site.build_site(demo_copy.study, []).with_name("risk.html").read_text()
    for told in ("track ± 7 days", "smallest cell", "shift found", "100.0 %", "<svg"):
        assert told in risk, told
    assert CliRunner().invoke(cli, ["attack", "--study", str(demo_copy.root), "--samples", "0"]).exit_code == 2
