"""1,000 random ledgers against a plain recount, on every person, purpose and date.

The ledgers go the real way: into ``consents.csv``, through the loader, through the SQL that dbt
compiles for ``int_consent_state``, and through the question that is asked at the door.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import duckdb
import pytest
from conftest import lay_out_small
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consonance.consent.ledger import load_ledger
from consonance.consent.state import PURPOSES, held_codes
from consonance.study.folder import Study
from consonance.study.schema import lay_out_stores

BATCHES, PEOPLE = 44, 25
START = datetime(2025, 1, 1, tzinfo=UTC)
HEADER = "participant_code,event,purposes,form_version,occurred_at,history_from,history_to"
OFFSETS = (timedelta(0), timedelta(hours=9), timedelta(hours=-3, minutes=-30))


@dataclass(frozen=True)
class Line:
    """One line of a ledger; moments are microseconds after START."""

    event: str
    purposes: frozenset[str]
    moment: int
    first: date | None
    last: date | None
    offset: timedelta

    def text(self, code: str) -> str:
        moment = (START + timedelta(microseconds=self.moment)).astimezone(timezone(self.offset))
        return (
            f"{code},{self.event},{' '.join(sorted(self.purposes))},v1,{moment.isoformat()},"
            f"{self.first or ''},{self.last or ''}"
        )


# ---- the recount: no SQL, nothing of the project ----


def grants(ledger: list[Line], purpose: str, as_of: int) -> bool:
    """Whether ``purpose`` is granted at ``as_of``: ask each line in turn whether it is the one that counts."""
    line = counting(ledger, as_of)
    return line is not None and line.event in ("granted", "amended") and purpose in line.purposes


def counting(ledger: list[Line], as_of: int) -> Line | None:
    """The line that counts: of the withdrawals, and of what has happened by then, the latest; of several the lowest on
    the page."""
    found: Line | None = None
    for line in ledger:
        happened = line.moment // 1000 <= as_of // 1000 or line.event == "withdrawn"
        if happened and (found is None or line.moment // 1000 >= found.moment // 1000):
            found = line
    return found


# ---- random ledgers ----

# Few moments, close together, so that events meet; half a millisecond apart counts as one moment.
moments = st.integers(0, 11).map(lambda step: step * 500)
days = st.sampled_from([(None, None), (date(2020, 1, 1), None), (None, date(2024, 1, 1)), (date(2021, 1, 1),) * 2])


def _line(event: str, mask: int, moment: int, window: tuple[date | None, date | None], offset: timedelta) -> Line:
    purposes = frozenset(purpose for place, purpose in enumerate(PURPOSES) if mask >> place & 1)
    return Line(event, purposes, moment, *window, offset)


lines = st.builds(
    _line,
    st.sampled_from(["granted", "amended", "withdrawn"]),
    st.integers(0, 2 ** len(PURPOSES) - 1),
    moments,
    days,
    st.sampled_from(OFFSETS),
)
ledgers = st.lists(st.lists(lines, max_size=7), min_size=PEOPLE, max_size=PEOPLE)
DATES = (-1000, *range(0, 7000, 1000), 10**12)


@dataclass
class Asked:
    """A vault in memory with dbt's compiled views, and what was asked of it so far."""

    study: Study
    compiled: dict[str, str]
    sequences: int = 0
    questions: int = 0

    def disagreements(self, people: list[list[Line]], state_sql: str | None = None) -> list[tuple[object, ...]]:
        """Where the project and the recount differ on one batch of ledgers: (code, purpose, date, …)."""
        codes = [f"P{number}" for number in range(len(people))]
        # The lines of different people lie mixed, each person's in their order.
        longest = max(map(len, people), default=0)
        mixed = [
            people[place][turn].text(code)
            for turn in range(longest)
            for place, code in enumerate(codes)
            if turn < len(people[place])
        ]
        self.study.consents_path.write_text("\n".join([HEADER, *mixed]) + "\n", encoding="utf-8")
        found: list[tuple[object, ...]] = []
        with self.opened() as connection:
            load_ledger(connection, self.study, {"v1"})
            connection.executemany(
                "insert into vault.raw.participants (participant_code) values (?)", [[code] for code in codes]
            )
            for number, as_of in enumerate(DATES):
                moment = (START + timedelta(microseconds=as_of)).replace(tzinfo=None)
                connection.execute("delete from vault.raw.study")
                connection.execute("insert into vault.raw.study values ('', ?, ?, '')", [moment, moment])
                rows = connection.execute(state_sql or self.compiled["int_consent_state"])
                names = [name for name, *_ in rows.description]
                states = {
                    row["participant_code"]: row
                    for row in (dict(zip(names, values, strict=True)) for values in rows.fetchall())
                }
                for code, ledger in zip(codes, people, strict=True):
                    expected, state = counting(ledger, as_of), states.get(code)
                    computed = state and (
                        state["event"],
                        state["is_active"],
                        state["history_from"],
                        state["history_to"],
                    )
                    wanted = expected and (
                        expected.event,
                        expected.event != "withdrawn",
                        expected.first,
                        expected.last,
                    )
                    if computed != wanted:
                        found.append((code, "state", as_of, computed, wanted))
                    for purpose in PURPOSES:
                        self.questions += 1
                        if bool(state and state[f"grants_{purpose}"]) != grants(ledger, purpose, as_of):
                            found.append((code, purpose, as_of))
                # The door is asked about every purpose, at every date, over the batches.
                for purpose in PURPOSES[(number + self.sequences) % 3 :: 3]:
                    held = held_codes(connection, purpose)
                    for code, ledger in zip(codes, people, strict=True):
                        if (held[code] is None) != grants(ledger, purpose, as_of):
                            found.append((code, purpose, as_of, "at the door"))
        self.sequences += len(people)
        return found

    def opened(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect()
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("attach ':memory:' as vault; attach ':memory:' as catalogue; create schema vault.staging")
        lay_out_stores(connection)
        for name in ("stg_consent_events", "stg_study"):
            connection.execute(f"create view vault.staging.{name} as {self.compiled[name]}")
        return connection


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    root = tmp_path_factory.mktemp("oracle")
    made = lay_out_small(root / "study")
    made.load()
    names = ("stg_consent_events", "stg_study", "int_consent_state")
    made.dbt("compile", "--select", *names, "--target-path", str(root / "target"))
    compiled = {name: next(Path(root / "target" / "compiled").rglob(f"{name}.sql")).read_text() for name in names}
    return Asked(made.study, compiled)


def test_a_thousand_random_ledgers_agree_with_the_recount(asked: Asked) -> None:
    before = asked.sequences

    @settings(
        max_examples=BATCHES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(ledgers)
    def agree(people: list[list[Line]]) -> None:
        assert asked.disagreements(people) == []

    agree()
    assert asked.sequences - before >= 1000
    assert asked.questions >= 1000 * len(PURPOSES) * len(DATES)


# What could be wrong with the SQL, and the recount must notice.
WRONG = {
    "the first event counts": ("events.occurred_ms desc", "events.occurred_ms"),
    "ties go to the earlier line": ("events.ledger_line desc", "events.ledger_line"),
    "the order of lines counts": (
        "order by events.occurred_ms desc, events.ledger_line desc",
        "order by events.ledger_line desc",
    ),
    "the future counts": ("where events.occurred_ms <= study.as_of_ms", "where true"),
    "a withdrawal waits for as_of": (" or events.event = 'withdrawn'", ""),
    "the moment itself does not count": ("events.occurred_ms <= study.as_of_ms", "events.occurred_ms < study.as_of_ms"),
    "a withdrawal grants": ("is_active and", "true and"),
    "a withdrawal is active": ("past_events.event <> 'withdrawn'", "true"),
    "an amendment grants nothing": ("is_active and", "event = 'granted' and"),
}


@pytest.mark.parametrize("what", WRONG)
def test_the_recount_notices_what_is_wrong(asked: Asked, what: str) -> None:
    old, new = WRONG[what]
    wrong = asked.compiled["int_consent_state"].replace(old, new)
    assert wrong != asked.compiled["int_consent_state"]
    grant = _line("granted", 3, 1000, (None, None), OFFSETS[0])
    withdrawal = _line("withdrawn", 3, 1400, (None, None), OFFSETS[1])
    amendment = _line("amended", 5, 3000, (date(2020, 1, 1), None), OFFSETS[2])
    people = [[grant, withdrawal], [withdrawal, grant], [amendment, grant], [grant], [amendment]]
    assert asked.disagreements(people) == []
    assert asked.disagreements(people, wrong)
