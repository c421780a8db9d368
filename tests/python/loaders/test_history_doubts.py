"""Whose a history is: one history under two codes, two accounts under one, and what the operator decided."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from typing import Any

import pytest
from commands import consonance
from conftest import SmallStudy, account_play, as_zip, lay_out_small, play

from consonance.checks.rules import all_rules
from consonance.checks.study_checks import run_rules
from consonance.erasure.planning import plan
from consonance.erasure.withdrawal import withdraw
from consonance.release import generalisation as k_anonymity
from consonance.release.publish import GateClosed, publish
from consonance.release.release_checks import ON_STUDY
from consonance.study.doctor import examine
from consonance.study.settings import BadSettings, Settings
from consonance.study.vault import open_study
from loaders.history_doubts import REMEDY, history_doubts

pytestmark = pytest.mark.usefixtures("artifacts_apart")

A7 = "A7_histories_are_of_one_person"


def songs(count: int, month: int = 5, name: str = "Song", **fields: Any) -> list[dict[str, Any]]:
    """Plays of different songs, one a minute."""
    return [
        play(
            f"2023-{month:02d}-01T{10 + number // 60}:{number % 60:02d}:07Z",
            60_000 + number,
            master_metadata_track_name=f"{name} {number}",
            **{"username": None, **fields},
        )
        for number in range(count)
    ]


def as_account(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        account_play(row["ts"][:16].replace("T", " "), row["ms_played"], row["master_metadata_track_name"])
        for row in rows
    ]


# Two donations, one of each of two codes; what is told of them.
PAIRS: dict[str, tuple[Any, Any, str | None]] = {
    "the same bytes": (songs(1), songs(1), "the same file, 1 of 1 plays are the same"),
    "the same plays in other bytes": (
        songs(3),
        [dict(reversed(row.items())) for row in songs(3)],
        "3 of 3 plays are the same",
    ),
    "a later request": (songs(30), songs(60, spotify_track_uri=f"spotify:track:{'X' * 22}"), "30 of 30 plays"),
    "the other package": (songs(20), as_account(songs(12)), "12 of 12 plays are the same"),
    "half of the smaller": (songs(20), songs(10) + songs(10, 6), "10 of 20 plays are the same"),
    "less than half of the smaller": (songs(22), songs(10) + songs(12, 6), None),
    "less than ten": (songs(18), songs(9) + songs(9, 6), None),
    "two plays that are all": (songs(2), songs(3), None),
    "other songs at the same moments": (songs(12), songs(12, name="Other"), None),
    "one user name, other years": (songs(12, username="ann"), songs(12, 8, username="ann"), "the same user name"),
    "one user name in one month": (songs(12, username="x"), songs(12, name="Other", username="x"), None),
    "one user name, hardly a play": (songs(2, username="x"), songs(12, 8, username="x"), None),
    "two people": (songs(12, username="ann"), songs(12, 8, username="bob"), None),
}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> SmallStudy:
    made = lay_out_small(tmp_path_factory.mktemp("pairs") / "study")
    for number, donations in enumerate(PAIRS.values()):
        for side, rows in zip("ab", donations[:2], strict=True):
            made.admit(f"{number}{side}")
            # Pairs do not meet: each has years of its own.
            text = json.dumps(rows).replace('"2023-', f'"{2000 + number}-')
            text = text.replace('"ann"', f'"ann{number}"').replace('"x"', f'"x{number}"')
            made.donate(f"{number}{side}", text, f"{side}.zip")
    made.load()
    return made


@pytest.mark.parametrize("name", PAIRS)
def test_a_history_under_two_codes_is_reported(pairs: SmallStudy, name: str) -> None:
    number = list(PAIRS).index(name)
    with pairs.opened() as connection:
        told = [doubt.what for doubt in history_doubts(connection) if doubt.codes[0] == f"{number}a"]
    expected = PAIRS[name][2]
    if expected is None:
        assert told == []
    else:
        assert len(told) == 1 and told[0].startswith(f"{number}a and {number}b share a listening history: ")
        assert expected in told[0]


def a7_holds(study: SmallStudy) -> bool:
    (result,) = run_rules(study.study, [rule for rule in all_rules() if rule.name == A7])
    assert result.violations is not None
    return result.passed


def decide(study: SmallStudy, text: str) -> None:
    with study.study.settings_path.open("a", encoding="utf-8") as file:
        file.write(f"\n{text}\n")


@pytest.fixture
def twice(small: SmallStudy) -> SmallStudy:
    """One zip in the folders of PX1 and PX2, under two names; P3 has the rows of two accounts."""
    for code in ("PX1", "PX2", "P3"):
        small.admit(code, purposes="listening_history sharing_controlled")
    small.donate("PX1", songs(5), "my_spotify_data.zip")
    (small.study.inbox / "PX2").mkdir()
    shutil.copyfile(small.study.inbox / "PX1" / "my_spotify_data.zip", small.study.inbox / "PX2" / "copy of it.ZIP")
    as_zip(
        small.study.inbox / "P3" / "both.zip",
        {"a.json": songs(3, 7, username="ann"), "b.json": songs(3, 8, username="bob")},
    )
    return small


def test_what_is_doubtful_is_reported_and_closes_the_gate_until_it_is_decided(
    twice: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(k_anonymity, "limit", lambda _: 1)  # three persons may be released here
    done = consonance("load", "--study", twice.root)
    assert done.returncode == 2
    assert "P3 has histories of 2 Spotify accounts: the rows name so many users." in done.stdout
    assert "PX1 and PX2 share a listening history: the same file, 5 of 5 plays are the same." in done.stdout
    assert "one_history" in done.stdout and "ann" not in done.stdout and "Song" not in done.stdout
    told = {finding.place: finding for finding in examine(twice.study).findings}
    assert told["P3"].is_grave and told["PX1, PX2"].is_grave
    twice.dbt("run")
    assert not a7_holds(twice)
    with pytest.raises(GateClosed, match=A7) as closed:
        publish(
            twice.study,
            "controlled",
            on_study=[check for check in ON_STUDY if check.name == "rules of the study"],
            on_release=(),
        )
    assert "PX1" not in str(closed.value)

    # A decision about one of them leaves the other.
    decide(twice, 'one_history:\n  - {codes: ["PX2", "PX1", "P9"], decision: keep_both}')
    report = twice.load()
    assert report.exit_status == 2 and [doubt.codes for doubt in report.undecided] == [("P3",)]
    assert [doubt["is_decided"] for doubt in report.as_json()["history_doubts"]] == [False, True]
    assert not a7_holds(twice)
    decide(twice, '  - {codes: ["P3"], decision: keep_both}')
    assert twice.load().exit_status == 0
    assert a7_holds(twice)
    assert not {"P3", "PX1, PX2"} & {finding.place for finding in examine(twice.study).findings}


def test_a_decision_about_somebody_alone_is_none_about_two(twice: SmallStudy) -> None:
    decide(
        twice,
        'one_history:\n  - {codes: ["PX1"], decision: keep_both}\n  - {codes: ["PX2", "P3"], decision: keep_both}',
    )
    assert [doubt.codes for doubt in twice.load().undecided] == [("P3",), ("PX1", "PX2")]


def test_the_wrong_code_withdrawn_leaves_no_doubt(twice: SmallStudy) -> None:
    decide(
        twice,
        'one_history:\n  - {codes: ["PX1", "PX2"], decision: keep_both}\n  - {codes: ["P3"], decision: keep_both}',
    )
    twice.load()
    twice.dbt("run")
    withdraw(twice.study, plan(twice.study, "PX2", datetime(2026, 2, 1, 12)))
    assert twice.vault("select distinct participant_code from vault.raw.history_decisions order by all") == [
        ("P3",),
        ("PX1",),
    ]
    report = twice.load()
    # study.yml still names who left; the vault does not.
    assert [doubt.codes for doubt in report.history_doubts] == [("P3",)] and report.exit_status == 0
    assert twice.vault("select * from vault.raw.history_decisions where participant_code = 'PX2'") == []
    # The donation itself is not refused for good: it is that of the right code, too.
    with open_study(twice.study) as connection:
        connection.execute("delete from vault.raw.donations")
    assert {one.participant_code: one.status for one in twice.load().donations} == {"PX1": "loaded", "P3": "loaded"}


@pytest.mark.parametrize(
    "text",
    [
        "one_history: keep_both",
        "one_history:\n  - PX1",
        "one_history:\n  - {codes: [PX1, PX2]}",
        "one_history:\n  - {codes: [PX1, PX2], decision: forget}",
        "one_history:\n  - {codes: [], decision: keep_both}",
        "one_history:\n  - {codes: PX1, decision: keep_both}",
        "one_history:\n  - {codes: [007, PX1], decision: keep_both}",
        'one_history:\n  - {codes: ["../PX1"], decision: keep_both}',
        "one_history:\n  - {codes: [PX1], decision: keep_both, why: because}",
        "one_history:\n  - {codes: [PX1], decision: [keep_both]}",
    ],
)
def test_what_is_no_decision_is_refused(small: SmallStudy, text: str) -> None:
    decide(small, text)
    with pytest.raises(BadSettings, match=r"one_history .*in .*study\.yml is not a list of decisions") as error:
        Settings.read(small.study)
    assert "keep_both" in str(error.value) and "quotes" in str(error.value)


def test_the_template_shows_a_decision_that_counts(small: SmallStudy) -> None:
    text = small.study.settings_path.read_text(encoding="utf-8")
    small.study.settings_path.write_text(
        text.replace("# one_history:", "one_history:").replace("#   - {codes", "  - {codes"), encoding="utf-8"
    )
    (decision,) = Settings.read(small.study).one_history
    assert (decision.codes, decision.decision) == (("P007", "P008"), "keep_both")


def test_a_donation_in_the_wrong_folder_comes_to_its_owner_as_the_remedy_says(small: SmallStudy) -> None:
    for code in ("P2", "P3"):
        small.admit(code)
    small.donate("P2", songs(15, username="bob"))
    path = small.donate("P2", songs(15, 7, username="carol"), "carol.zip")
    small.load()
    (small.study.inbox / "P3").mkdir()
    path.rename(small.study.inbox / "P3" / path.name)
    assert len(small.load().undecided) == 2  # to move it is not enough
    for step in ("withdraw the wrong code", "Before that, move donations", "and load"):
        assert step in REMEDY
    withdraw(small.study, plan(small.study, "P2", datetime(2026, 3, 2)))
    report = small.load()
    assert report.undecided == [] and [donation.status for donation in report.donations] == ["already"]
    assert small.vault("select count(*) from vault.raw.extended_plays") == [(15,)]
