"""What the synthetic study plants is in what it makes: before any loader, model or statistic has touched it."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import duckdb
import pytest
import yaml

from consonance.synthetic import planted
from consonance.synthetic.dumps import make_music
from consonance.synthetic.people import usual_person
from consonance.synthetic.questionnaires import report
from consonance.synthetic.study import TRACKS, listen, make_study

# Mood and the music of the hour before, of every prompt, answered or not.
HEARD = """
    select
        moods.*,
        sum(true_plays.valence * true_plays.ms_played) / sum(true_plays.ms_played) as heard_valence,
        sum(tracks.energy * true_plays.ms_played) / sum(true_plays.ms_played) as heard_energy,
        any_value(local_hour(moods.answered_ms, people.zone)) as hour
    from moods
    inner join people using (person_no)
    inner join true_plays
        on
            true_plays.person_no = moods.person_no
            and true_plays.ended_ms >= moods.answered_ms - 3600000
            and true_plays.ended_ms < moods.answered_ms
            and true_plays.kind = 'track'
            and true_plays.ms_played >= 30000
    inner join tracks using (track_no)
    group by all
"""


@pytest.fixture(scope="module")
def made() -> duckdb.DuckDBPyConnection:
    """The listening and the moods of forty people, as the generator has them."""
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    make_music(connection, 7, TRACKS)
    listen(connection, [usual_person(number) for number in range(1, 41)], 60_000, TRACKS)
    report(connection)
    connection.execute(f"create table heard as {HEARD}")
    return connection


def slope(connection: duckdb.DuckDBPyConnection, y: str, x: str, table: str = "heard") -> tuple[float, float, float]:
    """The slope of ``y`` on ``x`` within persons, with the ends of its interval of 99.9 %."""
    ((b, error),) = connection.execute(
        f"""
        with centred as (
            select
                ({y}) - avg({y}) over (partition by person_no) as y,
                ({x}) - avg({x}) over (partition by person_no) as x
            from {table}
        )
        select
            regr_slope(y, x),
            sqrt(
                (regr_syy(y, x) - regr_slope(y, x) * regr_sxy(y, x))
                / (count(*) - (select count(distinct person_no) from {table}) - 1) / regr_sxx(y, x)
            )
        from centred
        """
    ).fetchall()
    return b, b - 3.29 * error, b + 3.29 * error


def test_mood_follows_the_valence_of_the_music_within_persons(made: duckdb.DuckDBPyConnection) -> None:
    _, low, high = slope(made, "valence", "heard_valence")
    assert 0 < low < planted.VALENCE_WITHIN < high


def test_arousal_and_energy_go_together_by_the_hour_alone(made: duckdb.DuckDBPyConnection) -> None:
    together, low, _ = slope(made, "arousal", "heard_energy")
    assert together > 0.1 and low > 0
    cosine = f"cos(2 * pi() * (hour - {planted.PEAK_HOUR}) / 24)"
    _, low, high = slope(made, f"arousal - {planted.AROUSAL_BY_HOUR} * {cosine}", "heard_energy")
    assert low < planted.AROUSAL_BY_ENERGY < high


def test_prompts_are_answered_less_in_bad_mood(made: duckdb.DuckDBPyConnection) -> None:
    _, low, high = slope(made, "case when status = 'answered' then 1 else 0 end", "valence", "moods")
    assert 0 < low < planted.ANSWERED_BY_VALENCE < high
    ((unanswered, unfinished, prompts),) = made.execute(
        "select count(*) filter (where status = 'unanswered'), count(*) filter (where status = 'unfinished'), count(*) from moods"
    ).fetchall()
    assert 0.2 < unanswered / prompts < 0.4 and unfinished > 20


def test_music_heard_next_does_not_follow_mood(made: duckdb.DuckDBPyConnection) -> None:
    made.execute(
        """
        create or replace temp table followed as
        select moods.person_no, moods.prompt_no, any_value(moods.valence) as valence, avg(true_plays.valence) as next_valence
        from moods
        inner join true_plays
            on
                true_plays.person_no = moods.person_no
                and true_plays.started_ms >= moods.answered_ms
                and true_plays.started_ms < moods.answered_ms + 86400000
                and true_plays.kind = 'track'
        group by all
        """
    )
    _, low, high = slope(made, "next_valence", "valence", "followed")
    assert low < planted.NEXT_MUSIC_BY_MOOD < high


def test_the_files_have_what_programs_export_and_the_archive_lacks_sad_music(tmp_path: Path) -> None:
    made = make_study(tmp_path / "study", seed=3, people=4, plays=2_000, plain=True, tracks=2_000)
    with (tmp_path / "study" / "catalogue" / "synthetic" / "features.csv").open(encoding="utf-8", newline="") as file:
        valences = [float(row["Valence"]) for row in csv.DictReader(file)]
    # Valence is spread evenly over the music there is.
    sad, glad = (sum(low <= valence < low + 0.3 for valence in valences) for low in (0.0, 0.7))
    assert 0 < sad < 0.9 * glad
    surveys = tmp_path / "study" / "surveys"
    with (surveys / "mood.csv").open(encoding="utf-8-sig", newline="") as file:
        prompts = list(csv.DictReader(file, delimiter=";"))
    with (surveys / "weekly.csv").open(encoding="utf-8", newline="") as file:
        weekly = list(csv.DictReader(file))[2:]
    answered = [row for row in prompts if row["timeStampStop"]]
    assert made.reports == len(answered) + len(weekly)
    assert all(0 <= int(row["feeling_valence_sliderNegPos"]) <= 100 for row in answered)
    assert Counter(bool(row["timeStampStart"]) for row in prompts)[False] > 10
    assert any(row["comment_open"] for row in answered) and all("@" in row["RecipientEmail"] for row in weekly)
    for name, columns in (("mood", prompts[0]), ("weekly", weekly[0])):
        described = yaml.safe_load((surveys / "maps" / f"{name}.yml").read_text(encoding="utf-8"))
        assert set(described["items"]) | {described["participant"]} <= set(columns)
