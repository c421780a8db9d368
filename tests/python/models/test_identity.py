"""Which rows are the same play, which texts name somebody, which plays were abroad: donations through the whole line."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import EVERYTHING, SmallStudy, lay_out_small, play

from consonance.checks.lineage.policy import check_lineage
from consonance.checks.non_interference import compare_with_paired_rebuild
from consonance.checks.study_checks import run_rules
from consonance.erasure.planning import plan
from consonance.erasure.withdrawal import withdraw
from consonance.study.folder import Study

pytestmark = pytest.mark.usefixtures("artifacts_apart")

# Who played what, in the vault.
TEXTS = """
    select participant_code, track_name, artist_name, track_uri from vault.raw.extended_plays
    inner join vault.raw.keyring using (participant_no)
    where participant_code <> '21' and contains(lower(track_name || artist_name), 'radiohead')
    order by ts
"""


def uri(digit: str, kind: str = "track") -> str:
    return f"spotify:{kind}:{digit * 22}"


def named(minute: int, title: str, creator: str, track: str | None, **fields: Any) -> dict[str, Any]:
    """A play of its own minute."""
    return play(
        f"2023-05-01T10:{minute:02d}:00Z",
        master_metadata_track_name=title,
        master_metadata_album_artist_name=creator,
        spotify_track_uri=track,
        **fields,
    )


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> SmallStudy:
    """People whose donations are awkward, each in a way of their own; loaded and built. Not to be written to."""
    made = lay_out_small(tmp_path_factory.mktemp("identity") / "study")

    # Two requests; meanwhile one recording of two got another URI.
    made.admit("relinked")
    made.donate("relinked", [named(1, "Song", "Band", uri("A")), named(2, "Else", "Band", uri("B"))], "first.zip")
    made.donate("relinked", [named(1, "Song", "Band", uri("C")), named(2, "Else", "Band", uri("B"))], "second.zip")

    # The same rows in other bytes.
    made.admit("again")
    rows = [named(minute, f"Song {minute}", "Band", uri("D")) for minute in range(3)]
    made.donate("again", rows, "first.zip")
    made.donate("again", [dict(reversed(row.items())) for row in rows], "second.zip")
    # What the user name of another is in, with a URI of the catalogue and without.
    made.donate(
        "again",
        [
            named(10, "Creep", "Radiohead", uri("F")),
            named(11, "Creep", "Radiohead", None),
            named(12, "21", "Radiohead Live", None),
        ],
        "third.zip",
    )

    # A code that is a number, as REDCap gives them, and a user name that is an artist's.
    made.admit("21")
    made.donate(
        "21",
        [
            named(1, "Rolling", "21", uri("E"), username="radiohead"),
            named(2, "21", "A Singer", None, username="radiohead"),
            named(3, "Creep", "Radiohead", uri("F"), username="radiohead"),
            named(4, "Creep", "Radiohead", None, username="radiohead"),
            named(5, "Live with Radiohead", "A Friend", None, username="radiohead"),
        ],
    )

    for code, purposes in {
        "tourist": EVERYTHING,
        "unwilling": EVERYTHING.replace("demographics", ""),
        "nowhere": EVERYTHING,
    }.items():
        made.enrol(code, country="" if code == "nowhere" else "DE")
        made.consent(code, purposes)
        made.donate(
            code,
            [
                named(1, "At home", code, uri("G"), conn_country="DE"),
                named(2, "In Japan", code, uri("H"), conn_country="JP"),
                named(3, "On a plane", code, uri("I"), conn_country="ZZ"),
                named(4, "Anywhere", code, uri("J"), conn_country=None),
            ],
        )
    made.donate(
        "tourist", [{"endTime": "2023-05-02 10:00", "artistName": "Band", "trackName": "Old", "msPlayed": 9}], "a.zip"
    )

    folder = made.study.catalogue / "study_features"
    folder.mkdir()
    (folder / "mine.csv").write_text(f"id,valence\n{'E' * 22},0.5\n{'F' * 22},0.25\n", encoding="utf-8")
    made.load()
    made.dbt("run")
    return made


def of(study: SmallStudy, code: str, what: str) -> list[tuple[Any, ...]]:
    """``what`` of each of one person's plays, in their order, right of the wall."""
    with study.opened(warehouse=True) as connection:
        return connection.execute(
            f"""
            select {what} from warehouse.marts.plays as plays
            inner join vault.raw.keyring on pseudonym = participant_id and participant_code = $code
            left join warehouse.marts.tracks as tracks using (track_id)
            order by started_at_local
            """,
            {"code": code},
        ).fetchall()


def fates(study: SmallStudy, code: str) -> dict[str, int]:
    with study.opened(warehouse=True) as connection:
        return dict(
            connection.execute(
                "select fate, sum(rows)::integer from warehouse.audit.row_accounting "
                "inner join vault.raw.keyring on pseudonym = participant_id and participant_code = $code group by fate",
                {"code": code},
            ).fetchall()
        )


def test_a_recording_under_another_uri_is_one_play(study: SmallStudy) -> None:
    assert fates(study, "relinked") == {"kept": 2, "duplicate": 2}
    assert of(study, "relinked", "title") == [("Song",), ("Else",)]


def test_the_same_rows_in_other_bytes_are_the_same_plays(study: SmallStudy) -> None:
    assert fates(study, "again") == {"kept": 3 + 3, "duplicate": 3}


def test_numbers_name_nobody_and_a_user_name_hides_no_text_of_the_catalogue(study: SmallStudy) -> None:
    assert of(study, "21", "title, creator, is_private, plays.valence::double") == [
        ("Rolling", "21", False, 0.5),
        ("21", "A Singer", False, None),
        ("Creep", "Radiohead", False, 0.25),
        (None, None, True, None),
        (None, None, True, None),
    ]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("tourist", [False, True, None, None, None]),
        ("unwilling", [None, None, None, None]),
        ("nowhere", [None, None, None, None]),
    ],
)
def test_a_play_abroad_is_flagged_with_consent_alone(study: SmallStudy, code: str, expected: list[bool | None]) -> None:
    assert [flag for (flag,) in of(study, code, "is_abroad")] == expected
    # The clock at home goes on, whatever it was in Japan.
    assert {hour for (hour,) in of(study, code, "extract(hour from ended_at_local)")} == {12}


@pytest.mark.thorough
def test_rules_and_wall_hold(study: SmallStudy) -> None:
    broken = [result.rule.name for result in run_rules(study.study) if not result.passed]
    assert broken == []
    assert check_lineage(study.study).passed
    assert compare_with_paired_rebuild(study.study).differences == []


def test_whoever_leaves_takes_no_text_of_the_catalogue_along(study: SmallStudy, tmp_path: Path) -> None:
    """Of others' rows only a text without a catalogue URI that names them is rewritten."""
    copy = SmallStudy(Study.find(shutil.copytree(study.root, tmp_path / "study")))
    assert copy.vault(TEXTS) == [
        ("again", "Creep", "Radiohead", uri("F")),
        ("again", "Creep", "Radiohead", None),
        ("again", "21", "Radiohead Live", None),
    ]
    withdraw(copy.study, plan(copy.study, "21", datetime(2026, 2, 1, 12)))
    assert copy.vault(TEXTS) == [("again", "Creep", "Radiohead", uri("F"))]
    assert sorted(
        copy.vault(
            "select track_name, starts_with(artist_name, 'erased-') from vault.raw.extended_plays where track_uri is null"
        )
    ) == [("21", True), ("Creep", True)]
    assert [row[:3] for row in of(copy, "again", "title, creator, is_private")][3:] == [
        ("Creep", "Radiohead", False),
        (None, None, True),
        (None, None, True),
    ]
