"""The sources of audio features: ``seeds/feature_sources.csv``, which says how each is licensed."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from consonance.study.dbt_command import PROJECT

SOURCES = PROJECT / "seeds" / "feature_sources.csv"


@dataclass(frozen=True)
class FeatureSource:
    """One source: by which key it identifies tracks, and what its licence permits."""

    source_id: str
    track_key: str
    licence: str
    may_train_models: bool
    may_redistribute: bool


def feature_sources() -> dict[str, FeatureSource]:
    """The sources by their ids: what is licensed how is written down before it is loaded."""
    with SOURCES.open(encoding="utf-8", newline="") as file:
        return {
            row["source_id"]: FeatureSource(
                row["source_id"],
                row["track_key"],
                row["licence"],
                row["may_train_models"] == "true",
                row["may_redistribute"] == "true",
            )
            for row in csv.DictReader(file)
        }


def known_sources() -> list[str]:
    """The ids of the sources."""
    return list(feature_sources())
