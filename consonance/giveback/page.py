"""The give-back page: for one participant, what the study holds of them, what is left out and why, what analysts see,
what was released, and their own listening.

It is made of the vault, in true local time, and names what the participant heard: it is for their eyes. Nothing on it
links them to the rows that analysts have: no pseudonym, no shifted time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from consonance.consent.purposes import DESCRIPTIONS
from consonance.consent.receipt import DEFAULT_WITHDRAWAL
from consonance.consent.state import PURPOSES
from consonance.consent.status import ConsentStatus, consent_of, consent_states, judged_as_of
from consonance.giveback.figures import clock, moods, years
from consonance.site.pages import render
from consonance.study.codes import checked_code
from consonance.study.errors import ConsonanceError
from consonance.study.files import replace_file
from consonance.study.folder import Study
from consonance.study.last_run import why_outdated
from consonance.study.records import records
from consonance.study.settings import Settings

QUERIES = Path(__file__).with_name("queries")


class NothingToGiveBack(ConsonanceError):
    """There is no page for this participant."""


class OutdatedWarehouse(ConsonanceError):
    """The warehouse is not what dbt would make now, so the page would say what is not true."""


@dataclass(frozen=True)
class _Person:
    """Whose page it is, as the stores know them."""

    code: str
    participant_no: int | None
    pseudonym: str | None


def write_page(connection: duckdb.DuckDBPyConnection, study: Study, code: str) -> Path:
    """Write the give-back page of ``code`` into ``giveback/``.

    Args:
        connection: With the vault, and the warehouse attached for reading.
        study: Where to write.
        code: Whose page.

    Returns:
        The page, readable by its owner alone.

    Raises:
        BadCode: ``code`` is not a participant code.
        NotLoaded: nobody has this code.
        NothingToGiveBack: they have withdrawn, or never consented.
        OutdatedWarehouse: dbt has not run since the last load.
    """
    facts = giveback(connection, study, checked_code(code))
    study.giveback.mkdir(mode=0o700, exist_ok=True)
    page = study.giveback_of(code)
    replace_file(page, render("giveback.html", **facts).encode())
    return page


def codes_with_consent(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The codes of everybody whose consent counts, in order.

    Raises:
        NotLoaded: nothing was loaded yet.
    """
    return [state.participant_code for state in consent_states(connection) if state.state == "active"]


def giveback(connection: duckdb.DuckDBPyConnection, study: Study, code: str) -> dict[str, Any]:
    """What the page of ``code`` says. Raises as ``write_page`` does."""
    if why := why_outdated(connection):
        raise OutdatedWarehouse(why, "Run 'dbt run', then this command again.")
    state = _taking_part(consent_of(connection, code))
    person = _person(connection, code)
    settings = Settings.read(study)
    files, by_year = _ask(connection, "files", person), _ask(connection, "years", person)
    return {
        "code": code,
        "study": settings.title,
        "contact": settings.contact or None,
        "retention": settings.retention or None,
        "withdrawal": settings.withdrawal or DEFAULT_WITHDRAWAL,
        "made_on": f"{datetime.now(UTC):%Y-%m-%d}",
        "as_of": f"{judged_as_of(connection):%Y-%m-%d}",
        "purposes": [
            {"meaning": DESCRIPTIONS[purpose].meaning, "is_granted": purpose in state.purposes} for purpose in PURPOSES
        ],
        "history_from": state.history_from,
        "history_to": state.history_to,
        "said": next(iter(_ask(connection, "person", person)), None),
        "files": files,
        "rejected": sum(file["rejected"] or 0 for file in files),
        "held": [row for row in _ask(connection, "held", person) if row["held"]],
        "fates": _ask(connection, "fates", person),
        "analysts": [row for row in _ask(connection, "analysts", person) if row["held"]],
        "releases": _ask(connection, "releases", person),
        "reports": _ask(connection, "reports", person),
        "artists": _ask(connection, "artists", person),
        "tracks": _ask(connection, "tracks", person),
        "years": by_year,
        "figures": {
            "years": years(by_year),
            "clock": clock(_ask(connection, "hours", person)),
            "moods": moods(_ask(connection, "moods", person)),
        },
    }


def _taking_part(state: ConsentStatus) -> ConsentStatus:
    if state.state == "active":
        return state
    if state.event is None:
        raise NothingToGiveBack(
            "This participant has no consent up to the study's as_of, so the study has read nothing of them.",
            "Enter their decision into consents.csv, then run 'consonance load' and 'dbt run'.",
        )
    raise NothingToGiveBack(
        "This participant has withdrawn: there is no page of data that the study must not use any more.",
        "Give them the certificate in withdrawals/. 'consonance withdraw CODE' erases what is still there.",
    )


def _person(connection: duckdb.DuckDBPyConnection, code: str) -> _Person:
    keys = connection.execute(
        "select participant_no, pseudonym from vault.raw.keyring where participant_code = $code", {"code": code}
    ).fetchall()
    return _Person(code, *(keys[0] if keys else (None, None)))


@cache
def _query(name: str) -> str:
    return (QUERIES / f"{name}.sql").read_text(encoding="utf-8")


def _ask(connection: duckdb.DuckDBPyConnection, name: str, person: _Person) -> list[dict[str, Any]]:
    """The rows of the query ``queries/<name>.sql`` on ``person``, as dictionaries."""
    query = _query(name)
    values = {key: value for key, value in vars(person).items() if f"${key}" in query}
    return records(connection.execute(query, values))
