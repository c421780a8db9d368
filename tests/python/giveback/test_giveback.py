"""What a participant gets back is theirs, true, and links them to nothing that analysts have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import SmallStudy

from consonance.cli.commands import cli
from consonance.consent.status import NotLoaded
from consonance.erasure.study_files import clear, find
from consonance.giveback import page
from consonance.giveback.page import (
    NothingToGiveBack,
    OutdatedWarehouse,
    codes_with_consent,
    giveback,
    write_page,
)
from consonance.site.pages import render
from consonance.study.codes import BadCode
from consonance.study.vault import open_study

HELD = "select count(*) from vault.raw.{} where participant_no = (select participant_no from vault.raw.keyring where participant_code = '{}')"


def shown(study: SmallStudy, code: str) -> str:
    with open_study(study.study, read_only=True, warehouse=True) as connection:
        return render("giveback.html", **giveback(connection, study.study, code))


def test_the_numbers_of_a_page_are_those_of_the_stores(demo: SmallStudy) -> None:
    with open_study(demo.study, read_only=True, warehouse=True) as connection:
        for code in codes_with_consent(connection)[:6]:
            facts = giveback(connection, demo.study, code)
            landed = sum(demo.vault(HELD.format(table, code))[0][0] for table in ("extended_plays", "account_plays"))
            assert (
                sum(row["plays"] for row in facts["fates"]) == landed == sum(file["landed"] for file in facts["files"])
            )
            kept = sum(row["plays"] for row in facts["fates"] if row["fate"] == "kept")
            assert kept == sum(row["plays"] for row in facts["years"])
            assert kept == sum(row["held"] for row in facts["analysts"] if row["what"] == "plays")
            answered = demo.vault(
                f"select count(distinct (instrument, answered_at)) from vault.raw.survey_answers where participant_code = '{code}'"
            )
            assert sum(row["reports"] for row in facts["reports"]) == answered[0][0]


def test_nothing_on_a_page_links_it_to_what_analysts_have(demo: SmallStudy) -> None:
    keys = demo.vault("select participant_code, pseudonym, play_secret from vault.raw.keyring order by 1")
    code, pseudonym, secret = keys[0]
    with open_study(demo.study, read_only=True, warehouse=True) as connection:
        facts = giveback(connection, demo.study, code)
    page = render("giveback.html", **facts)
    assert code in page
    assert pseudonym not in page
    assert secret not in page
    assert not [other for other, *_ in keys[1:] if re.search(rf"\b{other}\b", page)]
    days = demo.warehouse(
        f"select distinct cast(started_at_local as date) from marts.plays where participant_id = '{pseudonym}'"
    )
    assert days
    true_days = {str(facts[name]) for name in ("made_on", "as_of", "history_from", "history_to")}
    assert not [day for (day,) in days if str(day) in page and str(day) not in true_days]


def test_asked_about_somebody_who_does_not_exist_a_query_knows_nothing(demo: SmallStudy) -> None:
    """Each reads the rows of the participant alone, so that no page shows what others heard or answered."""
    nobody = page._Person("NOBODY", -1, "p")
    with open_study(demo.study, read_only=True, warehouse=True) as connection:
        for query in sorted(page.QUERIES.glob("*.sql")):
            found = page._ask(connection, query.stem, nobody)
            assert not [row for row in found if row.get("held") != 0], query.name


def test_a_page_asks_for_nothing_else(demo: SmallStudy) -> None:
    page = shown(demo, demo.vault("select min(participant_code) from vault.raw.keyring")[0][0])
    assert "<script" not in page
    assert not re.findall(r'(?:src|href|url\()\s*=?\s*["\']?(?:https?:)?//', page)


def test_who_has_withdrawn_or_never_consented_gets_no_page(demo: SmallStudy) -> None:
    states = dict(demo.vault("select participant_code, event from vault.raw.consent_events"))
    gone = next(code for code, event in states.items() if event == "withdrawn")
    never = demo.vault(
        "select min(participant_code) from vault.raw.participants "
        "where participant_code not in (select participant_code from vault.raw.consent_events)"
    )[0][0]
    with open_study(demo.study, read_only=True, warehouse=True) as connection:
        assert gone not in codes_with_consent(connection)
        with pytest.raises(NothingToGiveBack, match="has withdrawn"):
            giveback(connection, demo.study, gone)
        with pytest.raises(NothingToGiveBack, match="no consent"):
            giveback(connection, demo.study, never)
        with pytest.raises(NotLoaded):
            giveback(connection, demo.study, "NOBODY")
        with pytest.raises(BadCode):
            write_page(connection, demo.study, "../D001")


def test_the_command_writes_pages_that_their_owner_alone_may_read(demo_copy: SmallStudy) -> None:
    code = demo_copy.vault("select min(participant_code) from vault.raw.keyring")[0][0]
    done = CliRunner().invoke(cli, ["giveback", code, "--study", str(demo_copy.root)])
    assert done.exit_code == 0, done.output
    page = demo_copy.root / "giveback" / f"{code}.html"
    assert (page.stat().st_mode & 0o777, page.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    for wrong in ([], [code, "--all"]):
        assert CliRunner().invoke(cli, ["giveback", *wrong, "--study", str(demo_copy.root)]).exit_code == 2

    demo_copy.admit("NEW")
    demo_copy.load()
    with (
        open_study(demo_copy.study, read_only=True, warehouse=True) as connection,
        pytest.raises(OutdatedWarehouse, match="changed after"),
    ):
        giveback(connection, demo_copy.study, code)


def test_an_erasure_deletes_the_page(small: SmallStudy) -> None:
    pages: list[Path] = []
    for code in ("P1", "P2"):
        small.admit(code)
        pages.append(small.study.giveback_of(code))
        pages[-1].parent.mkdir(exist_ok=True)
        pages[-1].write_text("…", encoding="utf-8")
    assert find(small.study, ["P1"]).receipts == 1
    clear(small.study, {"P1": "erased-1"})
    assert [page.exists() for page in pages] == [False, True]
