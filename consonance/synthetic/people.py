"""The people of a synthetic study: who takes part, what is peculiar about them, what they donate and consent to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from consonance.synthetic.exports import Account, Extended, Layout

# Is part of everything that differs between the people of a disguised study and those of the same study undisguised.
DISGUISE = "tulip7c3e"

_ALL_BUT_PUBLIC = (
    "listening_history podcasts_audiobooks private_sessions demographics emotion_reports ml_training sharing_controlled"
)
_EVERY_PURPOSE = f"{_ALL_BUT_PUBLIC} sharing_public"
_COUNTRIES = (
    ("DE", "Europe/Berlin"),
    ("US", "America/New_York"),
    ("JP", "Asia/Tokyo"),
    ("IN", "Asia/Kolkata"),
    ("BR", "America/Sao_Paulo"),
    ("GB", "Europe/London"),
)
_LAYOUTS: tuple[Layout, ...] = ("one_line", "pretty", "spaced")


@dataclass(frozen=True)
class Person:
    """One invented participant and what is peculiar about them."""

    number: int
    exports: tuple[Extended | Account, ...]
    purposes: str = _EVERY_PURPOSE
    events: tuple[str, ...] = ("granted",)
    history_from: str = ""
    history_to: str = ""
    enrolled: bool = True
    time_zone_known: bool = True
    as_folder: bool = False
    as_loose_files: bool = False
    spoil: tuple[str, ...] = ()
    private_share: float = 0.02
    is_disguised: bool = False

    @property
    def code(self) -> str:
        # Disguised people also come in another order.
        return f"T{self.number * 377 % 997:03d}" if self.is_disguised else f"D{self.number:03d}"

    @property
    def username(self) -> str:
        return f"{DISGUISE}-{self.code.lower()}" if self.is_disguised else f"listener-{self.number:03d}-q7x"

    @property
    def country(self) -> str:
        return _COUNTRIES[self.number % len(_COUNTRIES)][0]

    @property
    def zone(self) -> str:
        return _COUNTRIES[self.number % len(_COUNTRIES)][1]

    @property
    def first_day(self) -> date:
        return min(export.first for export in self.exports)

    @property
    def last_day(self) -> date:
        return max(export.last for export in self.exports)


def _day(text: str) -> date:
    return date.fromisoformat(text)


def usual_person(number: int) -> Person:
    """Someone without peculiarities: one package, of one of the vintages in turn."""
    layout = _LAYOUTS[number % 3]
    packages: tuple[Extended | Account, ...] = (
        Extended(21, _day("2015-05-01"), _day("2024-09-20"), layout),
        Extended(23, _day("2018-01-15"), _day("2025-11-20"), layout),
        Extended(23, _day("2021-02-01"), _day("2025-09-01"), layout),
        Extended(19, _day("2016-08-01"), _day("2024-11-25"), layout),
        Extended(24, _day("2012-03-01"), _day("2020-08-31"), "one_line"),
    )
    package = number % len(packages)
    # Not everyone agrees to public sharing: those whose export has no URIs do not.
    return Person(number, (packages[package],), purposes=_ALL_BUT_PUBLIC if package == 4 else _EVERY_PURPOSE)


def _peculiar_people() -> Iterator[tuple[str, Callable[[int], Person]]]:
    account_year = Account(_day("2024-09-01"), _day("2025-08-31"))
    lifetime = Extended(23, _day("2019-01-01"), _day("2025-09-15"), "pretty")

    def add(what: str, person: Person) -> tuple[str, Callable[[int], Person]]:
        return what, lambda number: replace(person, number=number)

    yield add(
        "both packages: account data, and an extended history of the same time with a hole",
        Person(1, (account_year, Extended(23, _day("2022-01-01"), _day("2025-03-31"), "pretty"))),
    )
    yield add(
        "two requests of overlapping extended histories, 19 and 23 fields",
        Person(
            2,
            (
                Extended(19, _day("2019-01-01"), _day("2024-11-20")),
                Extended(23, _day("2019-01-01"), _day("2025-09-15"), "pretty"),
            ),
        ),
    )
    yield add(
        "an endsong export without URIs, and a later one with them",
        Person(
            3,
            (
                Extended(24, _day("2014-01-01"), _day("2020-09-01")),
                Extended(21, _day("2014-01-01"), _day("2023-04-01"), "pretty"),
            ),
        ),
    )
    yield add("gave no consent", Person(4, (lifetime,), events=()))
    yield add("withdrew", Person(5, (lifetime,), events=("granted", "withdrawn")))
    yield add(
        "grants neither podcasts nor private sessions",
        Person(6, (lifetime,), purposes="listening_history demographics emotion_reports", private_share=0.1),
    )
    yield add(
        "consents to 2021 and 2022 only, and not to public sharing",
        Person(7, (lifetime,), purposes=_ALL_BUT_PUBLIC, history_from="2021-01-01", history_to="2022-12-31"),
    )
    yield add(
        "took back all purposes but listening and emotion reports",
        Person(8, (lifetime,), events=("granted", "amended")),
    )
    yield add(
        "account data in the new files, podcasts and audiobooks apart; no public sharing",
        Person(9, (account_year,), purposes=_ALL_BUT_PUBLIC),
    )
    yield add(
        "account data in the old files; no public sharing",
        Person(10, (replace(account_year, is_old=True),), purposes=_ALL_BUT_PUBLIC),
    )
    yield add("a file of the donation is cut off", Person(11, (lifetime,), spoil=("cut_off",)))
    yield add(
        "some rows are impossible",
        Person(12, (Extended(21, _day("2017-01-01"), _day("2023-06-01")),), spoil=("bad_rows",)),
    )
    yield add("an unpacked folder", Person(13, (lifetime,), as_folder=True))
    yield add("loose files", Person(14, (lifetime,), as_loose_files=True))
    yield add("the wrong package", Person(15, (lifetime,), spoil=("wrong_package",)))
    yield add("a zip in a zip in a zip", Person(16, (lifetime,), spoil=("nested",)))
    yield add("no time zone at enrolment", Person(17, (lifetime,), time_zone_known=False))
    yield add(
        "grants no demographics",
        Person(18, (lifetime,), purposes="listening_history podcasts_audiobooks private_sessions emotion_reports"),
    )
    yield add(
        "files saved again by a spreadsheet",
        Person(19, (Extended(21, _day("2016-01-01"), _day("2023-01-01"), "resaved"),)),
    )
    yield add("consents, but was never enrolled", Person(20, (lifetime,), enrolled=False))
    yield add("a file with a wrong checksum", Person(21, (lifetime,), spoil=("wrong_crc",)))
    yield add("video history only, beside a full one", Person(22, (replace(lifetime, video_only=True), lifetime)))
    yield add(
        "grants listening history, but no emotion reports",
        Person(23, (lifetime,), purposes="listening_history podcasts_audiobooks demographics"),
    )


PECULIAR: list[tuple[str, Callable[[int], Person]]] = list(_peculiar_people())
