"""The sources of audio features: ``seeds/feature_sources.csv``, which says how each is licensed."""

from __future__ import annotations

import csv

from consonance.study.dbt_command import PROJECT

SOURCES = PROJECT / "seeds" / "feature_sources.csv"


def known_sources() -> list[str]:
    """The ids of the sources: what is licensed how is written down before it is loaded."""
    with SOURCES.open(encoding="utf-8", newline="") as file:
        return [row["source_id"] for row in csv.DictReader(file)]
