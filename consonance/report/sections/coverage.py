"""Coverage: for how much of the music the features are known, and how that music differs from the other."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from consonance.release.parameters import small_group
from consonance.report.features import FAMILIES, choose
from consonance.report.figures import BLUE, COLOURS, GREY, Figure, Table, drawn, names_axis, told_apart
from consonance.report.reading import Answer, Marts
from consonance.report.section import Section
from consonance.report.sentences import (
    Evidence,
    Sentence,
    Verdict,
    counted,
    listed,
    not_computed,
    number,
    percent,
    warns,
)
from consonance.report.statistics.missingness import compare_flagged
from consonance.report.statistics.results import FlagDifference, NoResult

# A difference that is often taken as one that matters (docs/numbers.md).
MATTERS = 0.1
SOURCES_SHOWN = 5
# In which respects plays are compared: more, less, and the unit.
WORDS = {
    "popularity": ("of more popular tracks", "of less popular tracks", "on the logarithm of plays in this study"),
    "seconds_played": ("heard longer", "heard for less time", "seconds"),
    "is_skip": ("skipped more often", "skipped less often", "of plays"),
    "is_shuffle": ("shuffled more often", "shuffled less often", "of plays"),
    "is_at_night": ("more often at night", "less often at night", "of plays"),
}
CHARACTERISTICS = {
    "played_seconds": "seconds played",
    "is_counted": "played for 30 s or more",
    "is_skip": "skipped",
    "is_shuffle": "shuffled",
    "is_of_account_history": "from an account history",
    "log_plays_of_track": "popularity (logarithm)",
    "year_of_history": "year of the history",
    "is_at_night": "played from 0:00 to 6:00",
}


def coverage_and_its_bias(marts: Marts) -> Section:
    """For which share of plays features are known, by source; and how covered plays differ."""
    lead: tuple[str, ...] = (
        "What follows about music rests on the plays whose features are known. A mean over them describes these plays, and not "
        "everything that was heard. Sources know popular, western and older music best.",
    )
    answer = marts.ask("coverage")
    persons = marts.persons("participants where plays > 0")
    if persons <= small_group() or answer.frame.empty:
        why = (
            f"No more than {small_group()} persons have plays."
            if persons <= small_group()
            else "No source of features knows a track of this study, or too few persons heard one."
        )
        return Section("coverage", "Coverage and its bias", lead, missing=(f"Coverage: {why}",))
    figures = [_shares(answer)]
    missing = []
    main = choose(marts)["valence"].main or str(answer.frame.loc[answer.frame["share_of_plays"].idxmax(), "feature"])
    lead += (_of_persons(marts, main),)
    bias = marts.ask("coverage_bias", feature=main)
    if bias.frame["standardised_difference"].notna().any():
        figures.append(_bias(bias, main))
    else:
        missing.append(
            f"Bias of coverage: there are not both plays with and plays without a value of {main}, of more than {small_group()} persons each."
        )
    warnings = _not_at_random(marts, main) if main in FAMILIES["valence"] else ()
    return Section("coverage", "Coverage and its bias", lead, (), warnings, tuple(figures), tuple(missing))


def _not_at_random(marts: Marts, feature: str) -> tuple[Sentence, ...]:
    """Warnings if plays whose feature is known differ from the same person's other plays."""
    plays = marts.rows("known_and_unknown_plays", feature=feature).frame.dropna(subset=["is_known"])
    compared = compare_flagged(plays, "is_known", tuple(WORDS))
    differences = [one for one in compared if isinstance(one, FlagDifference)]
    if not differences:
        why = next(one for one in compared if isinstance(one, NoResult))
        return (not_computed(f"whether plays whose {feature} is known differ from the same person's other plays", why),)
    found = [one for one in differences if one.warns]
    if not found:
        text = (
            f"In none of {counted(len(differences), 'respect')} do plays whose {feature} is known differ from the same person's other "
            f"plays by {MATTERS} standard deviations or more, with a corrected p of at most 0.05."
        )
        return (Sentence(text, Verdict.NO_EVIDENCE),)
    return tuple(_warning(feature, one, len(differences)) for one in found)


def _warning(feature: str, one: FlagDifference, tests: int) -> Sentence:
    more, less, unit = WORDS[one.characteristic]
    plays = f"plays whose {feature} is known are"
    return warns(
        f"{plays} {more} than the same person's other plays",
        f"{plays} {less} than the same person's other plays",
        unit,
        "Values are missing not at random: what is found holds for the music that is known.",
        Evidence(one.within, one.p_adjusted, tests),
    )


def _of_persons(marts: Marts, feature: str) -> str:
    groups = marts.groups("coverage_of_persons", feature=feature).groups.get("coverage")
    if not groups:
        return "By person: too few to show."
    words = marts.in_words(group.persons for group in groups)
    named = [f"{words[group.persons]} persons with {listed(group.names)}" for group in groups]
    return f"By person, a value of {feature} is known for this share of their plays: {'; '.join(named)}."


def _shares(answer: Answer) -> Figure:
    frame = answer.frame.copy()
    totals = frame.groupby("feature")["share_of_plays"].sum().sort_values(ascending=False)
    by_source = frame.groupby("feature_source")["plays"].sum().sort_values(ascending=False)
    shown = list(by_source.index[:SOURCES_SHOWN])
    frame["source"] = frame["feature_source"].where(frame["feature_source"].isin(shown), "other sources")
    frame["percent"] = 100 * frame["share_of_plays"]
    sources = [*shown, *(["other sources"] if len(by_source) > len(shown) else [])]

    def drawing(width: float) -> Any:
        return (
            alt.Chart(frame)
            .mark_bar(height={"band": 0.7})
            .encode(
                y=alt.Y("feature:N", sort=list(totals.index), title=None, axis=alt.Axis(ticks=False, domain=False)),
                x=alt.X(
                    "sum(percent):Q",
                    title="% of plays of tracks",
                    scale=alt.Scale(domain=[0, 100]),
                    axis=alt.Axis(values=[0, 25, 50, 75, 100]),
                ),
                color=told_apart("source", sources, columns=1 if width < 500 else 4)["color"],
                order=alt.Order("plays:Q", sort="descending"),
            )
            .properties(width=width, height=20 * len(totals))
        )

    title = "For what share of plays each feature is known, by source"
    description = "Stacked bars: one for each audio feature, its length is the share of plays with a value, its colours are the sources."
    trained = frame[frame["may_train_models"]].groupby("feature")["share_of_plays"].sum()
    seen = (
        f"Best known is {totals.index[0]} ({percent(totals.iloc[0])} of plays), least known {totals.index[-1]} "
        f"({percent(totals.iloc[-1])}). Of {totals.index[0]}, values that models may be trained on are known for "
        f"{percent(float(trained.get(totals.index[0], 0)))} of plays. Sources by number of values: {listed(sources)}."
    )
    table = Table(
        ("feature", "source", "plays", "% of plays", "models may be trained on it"),
        tuple(
            (
                row.feature,
                row.feature_source,
                f"{row.plays:,}",
                number(100 * row.share_of_plays),
                "yes" if row.may_train_models else "no",
            )
            for row in frame.itertuples()
        ),
        texts=2,
    )
    return Figure(
        "coverage-shares",
        title,
        description,
        (seen,),
        drawn("coverage-shares", title, description, drawing),
        table,
        (answer.sql,),
    )


def _bias(answer: Answer, feature: str) -> Figure:
    frame = answer.frame.dropna(subset=["standardised_difference"]).copy()
    frame["name"] = frame["characteristic"].map(lambda name: CHARACTERISTICS.get(name, name.replace("_", " ")))
    frame["size"] = (
        frame["standardised_difference"].abs().map(lambda size: "above 0.1" if size > MATTERS else "up to 0.1")
    )
    sizes = ["above 0.1", "up to 0.1"]

    def drawing(width: float) -> Any:
        title_of_x = "standardised difference" + (": plays with a value minus plays without" if width > 500 else "")
        lines = (
            alt.Chart(pd.DataFrame({"x": [-MATTERS, MATTERS]})).mark_rule(color=GREY, strokeDash=[3, 3]).encode(x="x:Q")
        )
        zero = alt.Chart(pd.DataFrame({"x": [0]})).mark_rule(color=GREY).encode(x="x:Q")
        y = alt.Y("name:N", sort=list(frame["name"]), title=None, axis=names_axis(width))
        stems = (
            alt.Chart(frame)
            .mark_rule(strokeWidth=2, color="#b8c4d0")
            .encode(
                y=y, x=alt.X("standardised_difference:Q", title=title_of_x, axis=alt.Axis(tickCount=6)), x2=alt.datum(0)
            )
        )
        points = (
            alt.Chart(frame)
            .mark_point(filled=True, size=80, opacity=1)
            .encode(y=y, x="standardised_difference:Q", **told_apart("size", sizes, [COLOURS[1], BLUE]))
        )
        return (lines + zero + stems + points).properties(width=width, height=26 * len(frame))

    key = "coverage-bias"
    title = f"How plays with a value of {feature} differ from plays without"
    description = "Points: standardised difference of each characteristic of plays. Dashed lines at −0.1 and 0.1."
    large = [row for row in frame.itertuples() if row.size == "above 0.1"]
    if large:
        named = [f"{row.name} ({number(row.standardised_difference)})" for row in large]
        seen = f"{counted(len(large), 'characteristic')} of {len(frame)} {'differs' if len(large) == 1 else 'differ'} by more than 0.1: {listed(named)}."
    else:
        seen = f"No characteristic differs by more than 0.1; the largest difference is {number(frame['standardised_difference'].abs().max())}."
    table = Table(
        ("characteristic of plays", "mean with a value", "mean without", "standardised difference"),
        tuple(
            (row.name, number(row.covered_mean), number(row.uncovered_mean), number(row.standardised_difference))
            for row in frame.itertuples()
        ),
    )
    return Figure(key, title, description, (seen,), drawn(key, title, description, drawing), table, (answer.sql,))
