"""Demographics as coarse as a controlled release needs them: k-anonymous on persons, with the least loss.

Age bands are widened, countries become regions, any of the three is left out, and the demographics of a few
persons are withheld. Every way to do so is tried (``generalisations.sql``). The one that loses least is
written into the copy of the vault that the release is made of, before dbt builds that.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from consonance.checks.risk.attacks import MOODS
from consonance.checks.risk.thresholds import limit
from consonance.release.parameters import withheld_at_most
from consonance.study.dbt_command import PROJECT
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.vault import attach_to_read, open_study, session_settings

WAYS = Path(__file__).with_name("generalisations.sql")
# The models that it reads: whose demographics there are, and their moods.
NEEDED = ("anon_participants", "emotion_reports")
FUNCTIONS = {"wider_age_band": "age_band, level", "wider_country": "country, region, level"}
AGE = ("eight bands", "five bands", "two bands", "left out")
COUNTRY = ("countries", "regions of the world", "left out")
GENDER = ("groups", "left out")


class NotAnonymous(ConsonanceError):
    """No way to make demographics coarser gives every person enough others who share theirs."""


@dataclass(frozen=True)
class Generalisation:
    """How coarse demographics are in a release, and what that cost.

    Attributes:
        age, country, gender: How coarse each is.
        persons: How many are in the release.
        withheld: For how many of them demographics are withheld, although they agreed to release them.
        cells: How many groups share age band, gender and country, an empty value being a value.
        k: How many persons are in the smallest of them.
        l: The fewest moods that those of a cell have, cells without a mood aside; ``None`` without any mood.
        cells_below_l, persons_below_l: Cells of which the mood is known, and the persons in them.
        loss: The normalised certainty penalty: 0 if nothing was lost, 1 if everything.
    """

    age: str
    country: str
    gender: str
    persons: int
    withheld: int
    cells: int
    k: int
    l: int | None  # noqa: E741 - the field's term
    cells_below_l: int
    persons_below_l: int
    loss: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def summary(self) -> str:
        """One sentence for the certificate."""
        return (
            f"Every combination of age band, gender and country is shared by at least {self.k} persons: age in {self.age}, "
            f"country in {self.country}, gender in {self.gender}; the demographics of {self.withheld} of {self.persons} persons are withheld."
        ).replace("in left out", "left out")


def generalise(made: Study) -> Generalisation:
    """Make the demographics of a study k-anonymous: in its vault, of which dbt is to build it after that.

    Args:
        made: The study that the release is made of, built as far as ``NEEDED``; its vault is changed.

    Raises:
        NotAnonymous: see there.
    """
    with duckdb.connect(config=session_settings()) as connection:
        attach_to_read(connection, made.warehouse_path, "warehouse")
        way = choose(connection)
    same = ("persons", "withheld", "cells", "k", "l", "cells_below_l", "persons_below_l")
    chosen = Generalisation(
        age=AGE[way["age_level"]],
        country=COUNTRY[way["country_level"]],
        gender=GENDER[way["gender_level"]],
        loss=round(way["loss"], 4),
        **{name: way[name] for name in same},
    )
    levels = [way["age_level"], way["country_level"], way["gender_level"]]
    if any(levels) or way["withheld"]:
        with open_study(made) as vault:
            vault.execute("insert into vault.raw.generalisation values (?, ?, ?)", levels)
            # As if they had not agreed: so nothing that depends on demographics is released anywhere.
            vault.execute(
                """
                update vault.raw.consent_events
                set purposes = list_filter(purposes, lambda purpose: purpose <> 'demographics')
                where participant_code in (select participant_code from vault.raw.keyring where list_contains($ids, pseudonym))
                """,
                {"ids": way["withheld_ids"]},
            )
            vault.execute("checkpoint vault")
    return chosen


def choose(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """The way of ``generalisations.sql`` that loses least of those that hold; with l of 2 or more if one has it.

    Args:
        connection: With ``warehouse`` attached.

    Raises:
        NotAnonymous: see there.
    """
    for name, arguments in FUNCTIONS.items():
        body = (PROJECT / "functions" / f"{name}.sql").read_text(encoding="utf-8")
        connection.execute(f"create or replace temp macro {name}({arguments}) as ({body})")
    connection.execute(f"create or replace temp table moods as {MOODS.read_text(encoding='utf-8')}")
    k, share = int(limit("smallest_cell")), withheld_at_most()
    connection.execute(f"set variable k = {k}")
    connection.execute(f"set variable l = {int(limit('smallest_l'))}")
    found = connection.execute(
        f"""
        select * exclude (asks_for_moods)
        from ({WAYS.read_text(encoding="utf-8")})
        where k >= {k} and withheld <= floor({share} * persons)
        order by cells_below_l > 0, loss, withheld, age_level, country_level, gender_level
        limit 1
        """
    )
    names = [column[0] for column in found.description or []]
    rows = found.fetchall()
    if not rows:
        ((persons,),) = connection.execute("select count(*) from warehouse.anonymized.anon_participants").fetchall()
        raise NotAnonymous(
            f"Nothing was published: {persons} {'person agrees' if persons == 1 else 'persons agree'} to a controlled release. At least {k} persons must share "
            "the same age band, gender and country. No generalisation reaches this, not even if all three are left out.",
            f"Wait until {k} or more participants grant sharing_controlled.",
        )
    return dict(zip(names, rows[0], strict=True))
