"""Counts the reports of the synthetic study again, from the files that its programs export: shares no code with the project.

The rules: docs/instruments.md and docs/numbers.md, "Emotion".
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

POSITIVE = {"Interested", "Excited", "Strong", "Enthusiastic", "Proud", "Alert", "Inspired", "Determined", "Attentive", "Active"}  # fmt: skip


@dataclass
class Reports:
    """The reports of one participant.

    Attributes:
        prompts: Prompts and weekly questionnaires, by what became of them.
        scores: (instrument, scale, status) to (how many, the sum of the scores).
    """

    prompts: Counter[str] = field(default_factory=Counter)
    scores: dict[tuple[str, str, str], tuple[int, Fraction]] = field(default_factory=dict)

    def add(self, instrument: str, scale: str, score: Fraction | None) -> None:
        key = (instrument, scale, "too_many_missing" if score is None else "scored")
        number, total = self.scores.get(key, (0, Fraction(0)))
        self.scores[key] = (number + 1, total + (score or 0))


def recount_reports(surveys: Path) -> dict[str, Reports]:
    """The reports of each participant code in ``mood.csv`` (m-Path) and ``weekly.csv`` (Qualtrics)."""
    found: dict[str, Reports] = defaultdict(Reports)
    with (surveys / "mood.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            reports = found[row["alias"]]
            if not row["timeStampStop"]:
                reports.prompts["unfinished" if row["timeStampStart"] else "unanswered"] += 1
                continue
            reports.prompts["answered"] += 1
            for scale in ("valence", "arousal"):
                reports.add("vas", scale, Fraction(row[f"feeling_{scale}_sliderNegPos"]))
    with (surveys / "weekly.csv").open(encoding="utf-8", newline="") as file:
        names, questions, _, *rows = csv.reader(file)
    for cells in rows:
        code = cells[names.index("ExternalReference")]
        found[code].prompts["answered"] += 1
        answers: dict[str, list[Fraction]] = {"positive_affect": [], "negative_affect": []}
        for name, question, cell in zip(names, questions, cells, strict=True):
            if name.startswith("Q1_") and cell:
                scale = "positive_affect" if question.rpartition(" - ")[2] in POSITIVE else "negative_affect"
                answers[scale].append(Fraction(cell))
        for scale, given in answers.items():
            found[code].add("panas", scale, sum(given, Fraction(0)) / len(given) * 10 if len(given) >= 9 else None)
    return dict(found)
