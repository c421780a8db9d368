"""Who takes part, and who was lost on the way."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from consonance.release.parameters import small_group
from consonance.report.cells import Group, persons
from consonance.report.figures import BLUE, GREY, Figure, Table, drawn, names_axis, told_apart
from consonance.report.reading import Answer, Groups, Marts
from consonance.report.section import Section
from consonance.report.sentences import counted, listed, number, percent
from consonance.report.statistics.attrition import MISSING, attrition
from consonance.report.statistics.results import Attrition

GROUPINGS = ("age band", "gender", "country")
# How the query of the groups calls a value that is not there.
NOT_STATED = "not stated"
STEPS = {
    "enrolled": "take part (consent is active)",
    "donated": "donated plays that were kept",
    "valid": "and have a report that could be scored",
    "covered": "and heard music with known values before one",
}
SHORT = {"enrolled": "take part", "donated": "donated", "valid": "valid reports", "covered": "covered"}
# Characteristics, and how the page calls them.
CHARACTERISTICS = {
    "age_band": "age band",
    "gender": "gender",
    "country": "country",
    "hours_played": "hours of music",
    "counted_plays": "plays of 30 s or more",
    "reports": "reports",
}


def who_takes_part(marts: Marts) -> Section:
    """Persons by age band, gender and country, and how many are left after each step."""
    answer = marts.rows("persons")
    count = len(answer.frame)
    lead = (
        f"The marts have {persons(count, 'participant')} with an active consent. People who never consented, or who "
        "withdrew, are not in the marts in any form: no page made from them can count them.",
        f"A cell is shown if it stands for more than {small_group()} persons. Smaller groups are put together. "
        f"Numbers of persons of one figure, and that of all participants, do not differ by 1 to {small_group()}: the smaller one is "
        "words. Numbers of different figures are compared in no other way, and neither are numbers of plays and reports.",
    )
    figures, missing = [], []
    groups = marts.groups("participants")
    made = _groups(groups)
    if made is None:
        missing.append(f"Age, gender and country: {_too_few(count)}")
    else:
        figures.append(made)
    lost = attrition(answer.frame, tuple(STEPS), tuple(CHARACTERISTICS), put_together=_put_together(groups))
    if count <= small_group():
        missing.append(f"Who was lost on the way: {_too_few(count)}")
    elif all(step.suppressed for step in lost.steps):
        missing.append(f"Who was lost on the way: the steps together lose, or leave, up to {small_group()} persons.")
    else:
        figures += [figure for figure in (_way(lost, answer), _differences(lost, answer)) if figure]
    return Section("participants", "Who takes part", lead, figures=tuple(figures), missing=tuple(missing))


def _too_few(count: int) -> str:
    if not count:
        return "There are no participants."
    if count <= small_group():
        return f"There are no more than {small_group()} participants, so that every cell would be of few persons."
    return f"No group has more than {small_group()} persons."


def _groups(found: Groups) -> Figure | None:
    rows = []
    for grouping in GROUPINGS:
        groups = found.groups.get(grouping)
        if not groups:
            return None
        rows += [(grouping, _named(group), group.persons) for group in groups]
    if all("together" in name for _, name, _ in rows):
        return None
    frame = pd.DataFrame(rows, columns=["grouping", "group", "persons"])

    def drawing(width: float) -> Any:
        top = int(frame["persons"].max())
        charts = []
        for grouping in GROUPINGS:
            part = frame[frame["grouping"] == grouping]
            base = alt.Chart(part).encode(
                y=alt.Y(
                    "group:N",
                    sort=list(part["group"]),
                    title=None,
                    axis=alt.Axis(ticks=False, domain=False, minExtent=120, maxExtent=120, labelLimit=115),
                ),
                x=alt.X("persons:Q", title=None, axis=None, scale=alt.Scale(domain=[0, top * 1.12])),
            )
            bars = base.mark_bar(color=BLUE, height={"band": 0.62})
            texts = base.mark_text(align="left", dx=5).encode(text="persons:Q")
            title = alt.TitleParams(grouping.capitalize(), anchor="start", frame="group")
            charts.append((bars + texts).properties(width=width - 130, height=24 * len(part), title=title))
        return alt.vconcat(*charts, spacing=14)

    title = "Participants by age band, gender and country"
    description = "Bars: number of persons in each group. Groups of few persons are put together."
    seen = [_described(grouping, frame[frame["grouping"] == grouping]) for grouping in GROUPINGS]
    table = Table(
        ("characteristic", "group", "persons"),
        tuple((grouping, name, f"{persons:,}") for grouping, name, persons in rows),
        texts=2,
    )
    return Figure(
        "groups",
        title,
        description,
        (" ".join(seen),),
        drawn("groups", title, description, drawing),
        table,
        (found.sql,),
    )


def _put_together(found: Groups) -> dict[str, list[str]]:
    """The categories that the figure of groups has no number of, by characteristic."""
    return {
        grouping.replace(" ", "_"): [
            MISSING if name == NOT_STATED else name
            for group in groups or ()
            if len(group.names) > 1
            for name in group.names
        ]
        for grouping, groups in found.groups.items()
    }


def _named(group: Group) -> str:
    return group.names[0] if len(group.names) == 1 else f"{len(group.names)} groups together"


def _described(grouping: str, part: pd.DataFrame) -> str:
    total, first = int(part["persons"].sum()), part.iloc[0]
    if len(part) == 1 and "together" in first["group"]:
        return f"No group of {grouping} can be shown by itself."
    return f"The largest group of {grouping} is {first['group']}, with {counted(int(first['persons']), 'person')} of {total:,}."


def _way(lost: Attrition, answer: Answer) -> Figure:
    counts = [(lost.first_step, lost.persons)] + [(step.step, step.kept) for step in lost.steps if not step.suppressed]
    frame = pd.DataFrame(
        [(STEPS[name], persons) for name, persons in counts if persons is not None], columns=["step", "persons"]
    )
    hidden = [SHORT[step.step] for step in lost.steps if step.suppressed]

    def drawing(width: float) -> Any:
        base = alt.Chart(frame).encode(
            y=alt.Y("step:N", sort=list(frame["step"]), title=None, axis=names_axis(width)),
            x=alt.X("persons:Q", title=None, axis=None, scale=alt.Scale(domain=[0, frame["persons"].max() * 1.12])),
        )
        bars = base.mark_bar(color=BLUE, height={"band": 0.62})
        return (bars + base.mark_text(align="left", dx=5).encode(text="persons:Q")).properties(
            width=width, height=34 * len(frame)
        )

    title = "From taking part to being in the analysis"
    description = "Bars: number of persons who are left after each step."
    first, last = frame.iloc[0], frame.iloc[-1]
    share = f" ({percent(last['persons'] / first['persons'])})" if first["persons"] else ""
    seen = f"Of {counted(int(first['persons']), 'person')}, {int(last['persons']):,}{share} are left after the last step that is shown."
    notes: tuple[str, ...] = ()
    if hidden:
        notes = (
            f"Not shown by itself: {listed(hidden)}. A step that loses, or leaves, up to {small_group()} persons is taken together "
            "with the next one.",
        )
    table = Table(("step", "persons"), tuple((row.step, f"{row.persons:,}") for row in frame.itertuples()))
    return Figure(
        "way", title, description, (seen,), drawn("way", title, description, drawing), table, (answer.sql,), notes
    )


def _differences(lost: Attrition, answer: Answer) -> Figure | None:
    rows = [
        (
            f"{SHORT[step.from_step]} → {SHORT[step.step]}",
            _characteristic(one.characteristic, one.category),
            one.standardised,
            one.kept,
            one.lost,
        )
        for step in lost.steps
        for one in step.differences
        if one.standardised is not None
    ]
    if not rows:
        return None
    frame = pd.DataFrame(rows, columns=["step", "characteristic", "standardised", "kept", "lost"])
    names = list(dict.fromkeys(frame["characteristic"]))
    steps = list(dict.fromkeys(frame["step"]))

    x_title = "standardised difference: those who stayed minus those who were lost"

    def drawing(width: float) -> Any:
        lines = alt.Chart(pd.DataFrame({"x": [-0.1, 0, 0.1]})).mark_rule(color=GREY, strokeDash=[3, 3]).encode(x="x:Q")
        points = (
            alt.Chart(frame)
            .mark_point(filled=True, size=70, opacity=1)
            .encode(
                y=alt.Y("characteristic:N", sort=names, title=None, axis=names_axis(width)),
                x=alt.X("standardised:Q", title=x_title if width > 500 else "standardised difference"),
                **told_apart("step", steps, columns=1 if width < 500 else 0),
            )
        )
        return (lines + points).properties(width=width, height=24 * len(names))

    title = "How those who stayed differ from those who were lost"
    description = (
        "Points: standardised difference of each characteristic, at each step. Dashed lines at −0.1, 0 and 0.1."
    )
    large = frame[frame["standardised"].abs() > 0.1]
    largest = frame.loc[frame["standardised"].abs().idxmax()]
    seen = (
        f"{len(large)} of {counted(len(frame), 'difference')} are larger than 0.1, which is often taken as one that matters. "
        f"The largest is in {largest['characteristic']} ({number(largest['standardised'])}, {largest['step']})."
    )
    table = Table(
        ("step", "characteristic", "stayed", "lost", "standardised difference"),
        tuple(
            (row.step, row.characteristic, number(row.kept), number(row.lost), number(row.standardised))
            for row in frame.itertuples()
        ),
        texts=2,
    )
    notes = (
        "Left out where one of the two sides has few persons. Where all of one side are alike, there is no standardised difference.",
    )
    return Figure(
        "stayed", title, description, (seen,), drawn("stayed", title, description, drawing), table, (answer.sql,), notes
    )


def _characteristic(name: str, category: str | None) -> str:
    return CHARACTERISTICS[name] + (f": {category}" if category is not None else "")
