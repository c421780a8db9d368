"""Demographics of a controlled release: k-anonymous on persons, with the least loss, or no release."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pytest
from conftest import SmallStudy

from consonance.release.generalisation import NotAnonymous, choose, generalise
from consonance.release.making import NothingToPublish
from consonance.release.publish import publish
from consonance.study.dbt_command import PROJECT
from consonance.study.vault import open_study

Person = tuple[str | None, str | None, str | None]


@contextmanager
def people(persons: list[Person], moods: list[tuple[float, float] | None] | None = None) -> Iterator[Any]:
    """A built study that holds just these: age band, gender, country; and one report each."""
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            attach ':memory:' as warehouse; create schema warehouse.marts; create schema warehouse.anonymized; create schema warehouse.reference;
            create table warehouse.anonymized.anon_participants (participant_id varchar, age_band varchar, gender varchar, country varchar);
            create table warehouse.marts.emotion_reports (participant_id varchar, valence double, arousal double);
            create table warehouse.reference.country_time_zones as from read_csv('{PROJECT / "seeds" / "country_time_zones.csv"}', all_varchar = true);
            """
        )
        for number, person in enumerate(persons):
            connection.execute(
                "insert into warehouse.anonymized.anon_participants values (?, ?, ?, ?)", [f"p{number:03d}", *person]
            )
            if moods and (mood := moods[number]):
                connection.execute(
                    "insert into warehouse.marts.emotion_reports values (?, ?, ?)", [f"p{number:03d}", *mood]
                )
        yield connection


def levels(persons: list[Person], moods: list[tuple[float, float] | None] | None = None) -> tuple[int, int, int, int]:
    with people(persons, moods) as connection:
        way = choose(connection)
    return way["age_level"], way["country_level"], way["gender_level"], way["withheld"]


def test_nothing_is_lost_where_all_are_many() -> None:
    assert levels([("18-24", "female", "DE")] * 5 + [("25-34", "male", "US")] * 5) == (0, 0, 0, 0)


def test_four_are_too_few_and_bands_are_widened() -> None:
    assert levels([("18-24", "female", "DE")] * 4 + [("25-34", "female", "DE")] * 4) == (1, 0, 0, 0)


def test_countries_become_regions() -> None:
    assert levels([("18-24", "female", "DE")] * 4 + [("18-24", "female", "FR")] * 4) == (0, 1, 0, 0)


def test_gender_is_left_out() -> None:
    assert levels([("18-24", "female", "DE")] * 4 + [("18-24", "male", "DE")] * 4) == (0, 0, 1, 0)


def test_a_few_are_withheld_and_fill_a_group_of_their_own() -> None:
    # Three stand alone; with five per cent of 120 that may be withheld, two more join them, so that nobody is one of three.
    alone: list[Person] = [
        ("75 and over", "other", "BR"),
        ("75 and over", "other", "JP"),
        ("75 and over", "other", "ZA"),
    ]
    persons = [*alone, *[("18-24", "female", "DE")] * 117]
    with people(persons) as connection:
        way = choose(connection)
    assert (way["age_level"], way["country_level"], way["gender_level"]) == (0, 0, 0)
    assert way["withheld"] == 5 and way["k"] == 5 and way["cells"] == 2
    assert {"p000", "p001", "p002"} <= set(way["withheld_ids"])
    # Of 99 persons no five may be withheld.
    assert levels(persons[:99])[:3] != (0, 0, 0)


def test_who_tells_nothing_is_a_group_like_any_other() -> None:
    with people([(None, None, None), *[("18-24", "female", "DE")] * 30]) as connection:
        assert choose(connection)["k"] == 31
    assert levels([*[(None, None, None)] * 5, *[("18-24", "female", "DE")] * 30]) == (0, 0, 0, 0)


def test_a_second_mood_is_had_where_it_can_be() -> None:
    glad, sad = (0.5, 0.5), (-0.5, -0.5)
    persons: list[Person] = [("18-24", "female", "DE")] * 6 + [("25-34", "female", "DE")] * 6
    assert levels(persons, [glad] * 6 + [sad] * 6) == (1, 0, 0, 0)
    assert levels(persons, [glad, sad] * 6) == (0, 0, 0, 0)
    # Nobody feels otherwise: it cannot be had, and that is told.
    with people(persons, [glad] * 12) as connection:
        way = choose(connection)
    assert (way["age_level"], way["l"], way["cells_below_l"], way["persons_below_l"]) == (0, 1, 2, 12)


def test_too_few_persons_are_refused() -> None:
    with people([("18-24", "female", "DE")] * 4) as connection, pytest.raises(NotAnonymous, match="4 persons agree"):
        choose(connection)


def agreeing(study: SmallStudy, codes: list[str]) -> None:
    with open_study(study.study) as vault:
        vault.execute(
            "update vault.raw.consent_events set purposes = list_filter(purposes, lambda purpose: purpose <> 'sharing_controlled') where not list_contains($codes, participant_code)",
            {"codes": codes},
        )


def test_a_study_in_which_it_cannot_be_had_is_refused_and_nothing_is_published(demo_copy: SmallStudy) -> None:
    agreeing(demo_copy, ["D024", "D025", "D026"])
    with pytest.raises(NotAnonymous, match="At least 5 persons"):
        publish(demo_copy.study, "controlled", on_study=[], on_release=[])
    assert list(demo_copy.study.published.iterdir()) == []
    assert demo_copy.vault("select count(*) from vault.raw.releases") == [(0,)]
    agreeing(demo_copy, [])
    with pytest.raises(NothingToPublish, match="Nobody grants sharing_controlled"):
        publish(demo_copy.study, "controlled", on_study=[], on_release=[])


def test_demographics_of_a_built_study_are_generalised_everywhere(demo_copy: SmallStudy) -> None:
    chosen = generalise(demo_copy.study)
    demo_copy.dbt("run")
    cells = Counter(demo_copy.warehouse("select age_band, gender, country from marts.participants"))
    assert chosen.k == min(cells.values()) >= 5
    assert (len(cells), sum(cells.values())) == (chosen.cells, chosen.persons)
    if chosen.country != "countries":
        assert demo_copy.warehouse("select count(country) from marts.plays") == [(0,)]
    told = demo_copy.warehouse("select count(is_abroad) > 0 from marts.plays") == [(True,)]
    assert told is (chosen.country != "left out")
