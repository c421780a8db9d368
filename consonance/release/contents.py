"""What a release has in it: the files, tables and columns of each tier, as a list that a person wrote.

``controlled_tables.yml`` and ``public_tables.yml`` are the lists. Releases are written from them, and the check
``contents`` compares what was written with them. So what somebody adds to the warehouse is in no release until
somebody has added it to a list too.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

HERE = Path(__file__).parent
DATABASE = "research.duckdb"
CODEBOOK = ("codebook.csv", "codebook.html")
PACKAGE = "datapackage.json"
CERTIFICATE = ("certificate.json", "certificate.html")
PARQUET = "parquet"
# Licences and permissions of the sources whose means the public tier has.
PUBLIC_SEED = "reference.feature_sources"
# Attacked are rows of persons only; and somebody may publish without attacks.
IF_MEASURED = "audit.privacy_risk"

# Of a table, the kind of each column (controlled_tables.yml says what they are).
Columns = Mapping[str, str]


class PublicTable(BaseModel):
    """One table of the public tier; ``public_tables.yml`` says what the fields are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str
    series: tuple[str, ...] = ()
    cell: dict[str, str] = {}
    whole_numbers: tuple[str, ...] = ()
    persons: str
    means_over: str = "cell"
    means: dict[str, str] = {}

    @property
    def columns(self) -> dict[str, str]:
        """Every column with its description."""
        return {**self.cell, "persons": self.persons, **self.means}


@cache
def public_tables() -> tuple[PublicTable, ...]:
    """The tables of the public tier."""
    return tuple(PublicTable(name=name, **words) for name, words in _read("public_tables.yml").items())


@cache
def controlled_tables() -> dict[str, dict[str, str]]:
    """The tables of the controlled tier, each as ``schema.table``, with the kind of each column."""
    return {
        table: {column: kind for kind, columns in kinds.items() for column in columns}
        for table, kinds in _read("controlled_tables.yml").items()
    }


def tables_of(tier: str) -> dict[str, dict[str, str]]:
    """The tables of a tier, each as ``schema.table``, with the kind of each column."""
    if tier == "controlled":
        return controlled_tables()
    cells = {f"marts.{table.name}": dict.fromkeys(table.columns, "cell") for table in public_tables()}
    return cells | {PUBLIC_SEED: controlled_tables()[PUBLIC_SEED]}


def files_of(tier: str) -> set[str]:
    """The files of a release of ``tier``, as paths in its folder."""
    parquet = {f"{PARQUET}/{table.partition('.')[2]}.parquet" for table in tables_of(tier)}
    return {DATABASE, PACKAGE, *CODEBOOK, *CERTIFICATE, *parquet}


def _read(name: str) -> dict[str, dict[str, Any]]:
    return dict(yaml.safe_load((HERE / name).read_text(encoding="utf-8")))
