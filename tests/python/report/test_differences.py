"""No figure of the report gives back, by a difference, what another one leaves out."""

from __future__ import annotations

from pathlib import Path

import duckdb
from report_marts import Shape, make

from consonance.release.parameters import small_group
from consonance.report.reading import Marts, Origin, opened
from consonance.report.sections import coverage
from consonance.report.sections.listening import what_was_heard_when
from consonance.report.sections.participants import who_takes_part


def study(path: Path, genders: dict[str | None, tuple[int, int]]) -> Origin:
    """Marts whose persons have these genders: how many of them donated, and how many did not; nobody reported."""
    people = [
        (gender, 400 if n < stayed else 0) for gender, (stayed, lost) in genders.items() for n in range(stayed + lost)
    ]
    origin = make(path, Shape(persons=len(people), has_reports=False))
    with duckdb.connect(str(path)) as connection:
        connection.executemany(
            "update marts.participants set gender = ?, plays = ? where participant_id = ?",
            [(gender, plays, f"p{number:04}") for number, (gender, plays) in enumerate(people)],
        )
    return origin


def rows_of(marts: Marts, key: str) -> list[tuple[str, ...]]:
    (figure,) = [figure for figure in who_takes_part(marts).figures if figure.key == key]
    return [row for row in figure.table.rows if row[0] == "gender" or row[1].startswith("gender")]


def test_groups_that_are_put_together_in_one_figure_have_no_share_in_the_other(tmp_path: Path) -> None:
    genders: dict[str | None, tuple[int, int]] = {"a": (150, 60), "b": (40, 20), None: (30, 0), "d": (2, 1)}
    with opened(study(tmp_path / "made.duckdb", genders)) as marts:
        assert [row[1:] for row in rows_of(marts, "groups")] == [("a", "210"), ("b", "60"), ("2 groups together", "33")]
        # b has none, because of those who were lost 20 are in it.
        assert [row[1] for row in rows_of(marts, "stayed")] == ["gender: a"]


def test_most_and_fewest_plays_are_those_of_the_cells_that_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "made.duckdb"
    origin = make(path, Shape(persons=60, has_reports=False))
    clocks = []
    for deleted in ("false", "(isodow(started_at_local), hour(started_at_local)) in (from few)"):
        with duckdb.connect(str(path)) as connection:
            connection.execute(
                f"""
                create temp table few as
                select isodow(started_at_local), hour(started_at_local) from marts.plays where is_counted
                group by all having count(distinct participant_id) <= 20;
                delete from marts.plays where {deleted}
                """
            )
        with opened(origin) as marts:
            clocks += [figure for figure in what_was_heard_when(marts).figures if figure.key == "clock"]
    some, all_ = clocks
    assert some.notes and some.seen[0].startswith("Of the cells shown, most plays begin from ")
    assert not all_.notes and all_.seen[0].startswith("Most plays begin from ")


def test_who_has_no_plays_is_not_what_others_lack(tmp_path: Path) -> None:
    """Of 60 participants 57 have plays; the histories of some of them end earlier."""
    path = tmp_path / "made.duckdb"
    origin = make(path, Shape(persons=60, has_reports=False))
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "update marts.participants set last_play_at_local = first_play_at_local + to_days(cast(90 + hash(participant_id) % 500 as integer))"
        )
        connection.execute(
            "delete from marts.feature_coverage_of_participants; insert into marts.feature_coverage_of_participants by name "
            "select participant_id, 'valence' as feature, 0.8 as share_of_plays from marts.participants where plays > 0"
        )
    with opened(origin) as marts:
        (months,) = [figure for figure in what_was_heard_when(marts).figures if figure.key == "months"]
        of_persons = coverage._of_persons(marts, "valence")
    said = dict.fromkeys(row[1] for row in months.table.rows)
    (given,) = (one for one in said if one.isdigit())
    assert 60 - int(given) > small_group()
    assert list(said) == ["up to 20 fewer than 60", given, f"up to 20 fewer than {given}"]
    assert "in the first month (up to 20 fewer than 60 persons)" in months.seen[0]
    assert of_persons.endswith("of their plays: 60 persons with 75 to 100 % and no plays of tracks.")


def test_the_share_of_plays_of_a_history_that_few_donated_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "made.duckdb"
    origin = make(path, Shape(persons=60, has_reports=False))
    shown = []
    for donors in (3, 30, 55):
        with duckdb.connect(str(path)) as connection:
            connection.execute(
                f"""
                update marts.plays set history_source = case when participant_id < 'p{donors:04}' then 'account' else 'extended' end;
                delete from marts.feature_coverage_differences;
                insert into marts.feature_coverage_differences by name
                select
                    'valence' as feature, unnest(['is_skip', 'is_of_account_history']) as characteristic,
                    60 as covered_participants, 60 as uncovered_participants
                """
            )
        with opened(origin) as marts:
            shown.append(sorted(marts.ask("coverage_bias", feature="valence").frame["characteristic"]))
    assert shown == [["is_skip"], ["is_of_account_history", "is_skip"], ["is_skip"]]
