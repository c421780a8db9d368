"""Whether two layouts of one study share a secret, and whether secrets are drawn evenly: tried on people who do not exist."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import duckdb

from consonance.checks.comparison import Difference
from consonance.checks.relations.declared import SECRETS
from consonance.study import keyring
from consonance.study.schema import lay_out_vault
from consonance.study.shared_macros import with_macros

SQL = Path(__file__).with_name("secrets.sql")
PEOPLE = 2_000
# In 20 bins of 26 weeks, the chi-square of even shifts is greater once in 10^9 draws (19 degrees of freedom).
BINS = 20
UNEVEN = 83.0
# Two draws agree on the shift of 2,000 / 520 people; on more than this many once in 10^12 draws.
AGREEING = 25
# A digest agrees with the length of the shift of 2,000 / 260 people; with more than this many once in 10^17 draws.
COMPUTED = 45
# The rank correlation of two independent orders, times the root of their length, is nearly normal: beyond this once in 10^9.
ORDERED = 6.1
DRAWN = ("pseudonym", "participant_no", "shift_weeks", "play_secret")


def check_secrets(people: int = PEOPLE) -> list[Difference]:
    """Draw the secrets of ``people`` synthetic participants twice, as two loads of the same files do, and compare them."""
    with duckdb.connect() as connection:
        for layout in ("one", "other"):
            connection.execute("attach ':memory:' as vault")
            lay_out_vault(connection)
            connection.execute(
                "insert into vault.raw.participants (participant_code) select format('S{:04d}', number) from range($people) as people (number)",
                {"people": people},
            )
            _loaded_anew().draw_keys(connection)
            connection.execute(f"create table {layout}_keys as select * from vault.raw.keyring")
            connection.execute(f"create table {layout}_secrets as select * from vault.raw.secrets")
            connection.execute("detach vault")
        return list(_faults(connection, people))


def _loaded_anew() -> ModuleType:
    """The module ``keyring`` as a new process loads it: what it draws from may not begin again where it began before."""
    spec = spec_from_file_location("keyring_loaded_anew", keyring.__file__)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _faults(connection: duckdb.DuckDBPyConnection, people: int) -> Iterator[Difference]:
    statement = with_macros(SQL.read_text(encoding="utf-8"), (), columns=DRAWN)
    found = connection.execute(statement, {"bins": BINS, "most": keyring.MAX_SHIFT_WEEKS})
    figures = dict(zip((column[0] for column in found.description or ()), found.fetchall()[0], strict=True))
    expected = people / BINS

    def fault(column: str, what: str) -> Difference:
        return Difference("raw.keyring", column, what, SECRETS.name)

    for column in ("pseudonym", "play_secret"):
        if figures[f"shared_{column}"]:
            yield fault(column, "is the same in two layouts of one study")
        if figures[f"computable_{column}"]:
            yield fault(column, "can be computed from what else is known of the participant")
    for column in DRAWN:
        if figures[f"order_of_{column}"] * people**0.5 > ORDERED:
            yield fault(column, "is drawn in the order of participant codes")
    if figures["shared_token_key"]:
        yield Difference("raw.secrets", "secret", "is the same in two layouts of one study", SECRETS.name)
    if figures["agreeing_numbers"] > people / 100:
        yield fault("participant_no", "is the same in two layouts of one study")
    if figures["agreeing_shifts"] > AGREEING:
        yield fault("shift_weeks", "is the same in two layouts of one study")
    if figures["computable_shifts"] > COMPUTED:
        yield fault("shift_weeks", "can be computed from what else is known of the participant")
    if figures["unshifted"]:
        yield fault("shift_weeks", "is 0, or more than the greatest shift, for some participants")
    if sum((count - expected) ** 2 / expected for count in figures["bins"]) > UNEVEN:
        yield fault("shift_weeks", "is not even over its range")
