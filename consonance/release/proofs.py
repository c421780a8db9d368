"""What each check proves and what it does not, in words for an ethics board: from the table in ``docs/privacy.md``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from consonance.study.dbt_command import PROJECT

HEADER = "| check | proves | does not prove |"


@dataclass(frozen=True)
class Proof:
    """One row of the table."""

    proves: str
    does_not_prove: str


@cache
def what_checks_prove() -> dict[str, Proof]:
    """The rows of the table by the name of the check; a row may be about several, with commas between their names."""
    lines = (PROJECT / "docs" / "privacy.md").read_text(encoding="utf-8").splitlines()
    proofs: dict[str, Proof] = {}
    for line in lines[lines.index(HEADER) + 2 :]:
        if not line.startswith("|"):
            break
        names, proves, does_not_prove = (cell.strip() for cell in line.strip("|").split("|"))
        proofs |= {name.strip(): Proof(proves, does_not_prove) for name in names.split(",")}
    return proofs
