"""How often the 95 % intervals of the report cover what was planted, over seeded small studies of 10, 20 and 40 persons.

.venv/bin/python benchmarks/calibration.py [--studies 500]

The studies are those of tests/python/report/small_studies.py. Prints the tables of docs/statistics.md: each rule of
intervals that was tried, with the Monte-Carlo standard error. Exit status 1 if the rule of the report is out of bounds:
planted effects within persons covered 92 to 98 % of the time, null effects found 3 to 7 %.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from scipy import stats

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT), str(PROJECT / "tests" / "python" / "report")]

from small_studies import Planted, small_study  # noqa: E402

from consonance.report.statistics.association import model_columns  # noqa: E402
from consonance.report.statistics.clustered import clustered_slope  # noqa: E402
from consonance.report.statistics.missingness import answers_by_mood  # noqa: E402
from consonance.report.statistics.mixed_model import fit_mixed_model  # noqa: E402
from consonance.report.statistics.results import AnswersByMood, Question  # noqa: E402
from consonance.report.statistics.rows import person_means, rows_of  # noqa: E402
from consonance.report.statistics.threads import one_core  # noqa: E402

PERSONS = (10, 20, 40)
PLANTED = Planted()
WALD, ML1, SATTERTHWAITE = "mixed model, normal (Wald)", "mixed model, t(m − l − 1)", "mixed model, Satterthwaite"
CLUSTERED = "clustered, t(m − 1)"
REPORT_RULES = {"within": SATTERTHWAITE, "between": ML1}
# Of a normal distribution of persons: slope of their usual music on their usual mood.
NEXT_BETWEEN = PLANTED.between * PLANTED.music_sd**2 / (PLANTED.between**2 * PLANTED.music_sd**2 + PLANTED.mood_sd**2)

QUESTIONS = {
    "music → report": (
        Question("music_to_report", "reported_valence", "mean_valence", "before_60m"),
        PLANTED.within,
        PLANTED.between,
    ),
    "report → next music": (
        Question("report_to_music", "mean_valence", "reported_valence", "after_60m"),
        PLANTED.next_music,
        NEXT_BETWEEN,
    ),
    "null: danceability → valence": (
        Question("music_to_report", "reported_valence", "mean_danceability", "before_60m"),
        0.0,
        None,
    ),
    "null, both follow the hour: energy → arousal": (
        Question("music_to_report", "reported_arousal", "mean_energy", "before_60m"),
        0.0,
        None,
    ),
}


class Tried(NamedTuple):
    """One interval: which effect, whether it is null, by which rule, what is true, what was estimated, and how wide it is."""

    effect: str
    is_null: bool
    rule: str
    true: float
    estimate: float
    half: float


def intervals(windows: pd.DataFrame, prompts: pd.DataFrame) -> Iterator[Tried]:
    """Every interval of one study, by every rule."""
    for name, (question, within, between) in QUESTIONS.items():
        rows = rows_of(windows, question)
        persons = rows["participant_id"]
        columns, _ = model_columns(rows, question)
        arrays = (rows["y"].to_numpy(), columns.to_numpy(), columns["within"].to_numpy(), pd.factorize(persons)[0])
        fit = fit_mixed_model(*arrays)
        if fit is None:
            continue
        for column, (level, true) in enumerate({"within": within, "between": between}.items(), start=1):
            if true is None:
                continue
            error = math.sqrt(fit.covariance[column, column])
            for rule, df in ((WALD, math.inf), (ML1, persons.nunique() - 2), (SATTERTHWAITE, fit.df[column])):
                half = float(stats.t.ppf(0.975, df)) * error
                yield Tried(f"{name}, {level}", true == 0, rule, true, fit.coefficients[column], half)
        others = pd.concat([rows[["y", "x"]], columns.drop(columns=["constant", "within", "between"])], axis=1)
        others = others.sub(others.apply(person_means, persons=persons))
        slope = clustered_slope(others["y"], others["x"], others.drop(columns=["y", "x"]), persons)
        if slope is not None:
            yield Tried(f"{name}, within", within == 0, CLUSTERED, within, slope.estimate, slope.high - slope.estimate)
    answers = answers_by_mood(prompts)
    if isinstance(answers, AnswersByMood):
        effect = answers.effect
        yield Tried("null: mood → answer", True, CLUSTERED, 0.0, effect.estimate, effect.high - effect.estimate)


@one_core
def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=500, help="how many for each number of persons")
    studies = parser.parse_args().studies
    started = time.process_time()
    tried: dict[tuple[str, bool, str], dict[int, list[Tried]]] = defaultdict(lambda: defaultdict(list))
    for persons in PERSONS:
        for study in range(studies):
            for one in intervals(*small_study(persons, seed=1_000_000 * persons + study)):
                tried[one.effect, one.is_null, one.rule][persons].append(one)
    error = 100 * math.sqrt(0.05 * 0.95 / studies)
    print(f"{studies} studies for each number of persons; Monte-Carlo standard error of 95 %: {error:.1f} points.\n")
    print("| effect | rule | " + " | ".join(f"N = {persons}" for persons in PERSONS) + " |")
    print("|---|---|" + "---|" * len(PERSONS))
    outside = 0
    for (effect, is_null, rule), by_persons in sorted(tried.items()):
        cells = []
        for persons in PERSONS:
            found = by_persons[persons]
            covered = 100 * sum(abs(one.estimate - one.true) <= one.half for one in found) / len(found)
            bias = sum(one.estimate - one.true for one in found) / len(found)
            width = sum(one.half for one in found) / len(found)
            outside += rule == REPORT_RULES.get(effect.rsplit(" ", 1)[-1]) and not (
                93 if is_null else 92
            ) <= covered <= (97 if is_null else 98)
            share = f"found {100 - covered:.1f} %" if is_null else f"covered {covered:.1f} %"
            cells.append(f"{share} (bias {bias:+.3f}, ± {width:.3f}, {len(found)} studies)")
        print(f"| {effect} | {rule} | " + " | ".join(cells) + " |")
    print(f"\nOut of bounds: {outside}. {time.process_time() - started:.0f} seconds of CPU.")
    return 1 if outside else 0


if __name__ == "__main__":
    sys.exit(main())
