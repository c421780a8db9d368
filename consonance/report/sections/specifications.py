"""The specification curve: one effect, computed with every reasonable choice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import altair as alt
import pandas as pd

from consonance.report.features import Choice
from consonance.report.figures import BLUE, GREY, Figure, Table, drawn, named, zero_line
from consonance.report.questions import FEATURES, Asked
from consonance.report.section import Section
from consonance.report.sentences import counted, number, percent
from consonance.report.statistics.results import SpecificationCurve
from consonance.report.statistics.specifications import specification_curve

CENTRINGS = {"person_mean": "person's mean", "person_trend": "person's trend", "grand_mean": "mean of all"}
AWAY, AROUND = "interval excludes 0", "interval includes 0"


def specifications(
    windows: pd.DataFrame, asked: Asked | None, choice: Choice, sql: str, why_none: str, progress: Callable[[str], None]
) -> Section:
    """The curve of the first question, with the choices below it."""
    lead = (
        "Whoever computes an association makes choices: which window, which source of the feature, what is taken out of the person, how many "
        "plays a window must have, whether the hour is held constant. Each combination is one estimate below. A result that needs one "
        "particular combination is weak. The estimates are of the same data: they are not independent tests.",
    )
    title = "Does it depend on choices?"
    if asked is None:
        return Section("specifications", title, lead, missing=(why_none,))
    names = {f"music_{feature}": f"plays_with_{feature}" for feature in choice.features}
    found = sorted(window for window in windows["emotion_window"].unique() if window.startswith("before_"))
    curve = specification_curve(
        windows, "music_to_report", asked.outcome, names, sorted(found, key=_minutes), progress=progress
    )
    if not curve.estimated:
        why = next((one.no_result.explanation for one in curve.specifications if one.no_result), why_none)
        return Section("specifications", title, lead, missing=(f"The specification curve: {why}",))
    return Section("specifications", title, lead, figures=(_curve(curve, asked, choice, sql),))


def _minutes(window: str) -> int:
    return int(window.removeprefix("before_").removesuffix("m"))


def _curve(curve: SpecificationCurve, asked: Asked, choice: Choice, sql: str) -> Figure:
    rows = []
    for place, (one, estimate) in enumerate((one, one.estimate) for one in curve.estimated if one.estimate):
        rows.append(
            {
                "place": place,
                "value": estimate.value,
                "low": estimate.low,
                "high": estimate.high,
                "kind": AWAY if estimate.excludes_zero else AROUND,
                "window": f"{_minutes(one.window)} min",
                "feature": FEATURES[one.predictor.removeprefix("music_")],
                "centring": CENTRINGS[one.centring],
                "plays": f"{one.minimum_plays} or more",
                "time": "held constant" if one.control_time else "not held",
            }
        )
    frame = pd.DataFrame(rows)
    choices = {"window": "window", "centring": "compared with", "plays": "plays in the window", "time": "hour of day"}
    if len(choice.features) > 1:
        choices["feature"] = "feature"
    long = pd.concat(
        [frame[["place", "kind"]].assign(choice=words, option=frame[column]) for column, words in choices.items()],
        ignore_index=True,
    )
    orders = {
        "window": sorted(frame["window"].unique(), key=lambda text: int(text.split()[0])),
        "compared with": [name for name in CENTRINGS.values() if name in set(frame["centring"])],
        "plays in the window": sorted(frame["plays"].unique()),
        "hour of day": sorted(frame["time"].unique()),
        "feature": sorted(frame["feature"].unique()),
    }
    kinds = [AWAY, AROUND]

    def drawing(width: float) -> Any:
        inner = width - 125
        colour = alt.Color("kind:N", sort=kinds, title=None, scale=alt.Scale(domain=kinds, range=[BLUE, "#9aa6b2"]))
        x = alt.X("place:Q", axis=None, scale=alt.Scale(domain=[-1, len(frame)], nice=False))
        base = alt.Chart(frame)
        axis = alt.Axis(minExtent=110, maxExtent=110, tickCount=5)
        thin = max(1.0, min(4.0, inner / len(frame) * 0.5))
        rules = base.mark_rule(strokeWidth=thin, opacity=0.45).encode(
            x=x, y=alt.Y("low:Q", title=None, axis=axis), y2="high:Q", color=colour
        )
        points = base.mark_point(filled=True, size=max(6, min(40, 9 * thin)), opacity=1).encode(
            x=x, y="value:Q", color=colour
        )
        charts: list[Any] = [
            alt.layer(zero_line("y"), rules, points).properties(
                width=inner, height=190, title=named("standard deviations for one standard deviation of the music")
            )
        ]
        for words in choices.values():
            part = long[long["choice"] == words]
            charts.append(
                alt.Chart(part)
                .mark_tick(thickness=thin, height=9, orient="vertical")
                .encode(
                    x=x,
                    y=alt.Y(
                        "option:N",
                        sort=orders[words],
                        title=None,
                        axis=alt.Axis(ticks=False, domain=False, minExtent=110, maxExtent=110, labelLimit=106),
                    ),
                    color=colour,
                )
                .properties(
                    width=inner,
                    height=15 * len(orders[words]),
                    title=alt.TitleParams(
                        words, fontSize=12, fontWeight=400, color=GREY, anchor="start", frame="group", offset=2
                    ),
                )
            )
        return alt.vconcat(*charts, spacing=8)

    title = (
        f"{asked.feature_name.capitalize()} of music before a report and {asked.outcome_name}: every reasonable choice"
    )
    description = "Above: estimates with their 95 % intervals in order of size, and a dashed line at 0. Below: a mark for each choice that an estimate was made with."
    away = int((frame["kind"] == AWAY).sum())
    left = len(curve.specifications) - len(frame)
    seen = (
        f"{counted(len(frame), 'specification')}: the median of the estimates is {number(curve.median)}, {percent(curve.share_positive or 0)} of them are "
        f"above 0, and {percent(curve.share_significant or 0)} have an interval that excludes 0 on the side of the median ({away:,} exclude it on either side)."
    )
    notes = (f"{counted(left, 'combination')} could not be computed: too few persons or reports.",) if left else ()
    table = Table(
        ("window", "feature", "compared with", "plays", "hour of day", "estimate", "95 % interval"),
        tuple(
            (
                row.window,
                row.feature,
                row.centring,
                row.plays,
                row.time,
                number(row.value),
                f"{number(row.low)} to {number(row.high)}",
            )
            for row in frame.itertuples()
        ),
        texts=5,
    )
    return Figure(
        "specifications",
        title,
        description,
        (seen,),
        drawn("specifications", title, description, drawing),
        table,
        (sql,),
        notes,
    )
