"""Figures of the report: Altair charts, drawn to SVG by vl-convert. There is no script in them.

Each figure is drawn twice, for a wide and a narrow page: text in it has the size of the text around it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import altair as alt
import pandas as pd
import vl_convert

# Okabe and Ito (2008), "Color Universal Design": colours that people with any vision of colours can tell apart.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9"
COLOURS = [BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY]
INK, GREY, FAINT = "#1c2430", "#5b6876", "#dde3ea"
# From light to dark in one hue: the order is seen without colours too.
SHADES = ["#eef3f8", "#c5dbec", "#8bbbdb", "#4a93c3", "#1d6ba5", "#0b4275"]
SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down"]
WIDE, NARROW = 690, 340
FONT = "system-ui, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', sans-serif"
SPOKEN = re.compile(r' (?:aria-[a-z]+|role|pointer-events)="[^"]*"')
OWN_ID = re.compile(r'(\bid="|url\(#|xlink:href="#|\bhref="#)([^")]+)')
SIZE = re.compile(r'^<svg[^>]*? width="([\d.]+)" height="([\d.]+)"[^>]*>')
GROUND = re.compile(r'<rect width="[\d.]+" height="[\d.]+" fill="white"/>')

# Makes a chart of this width. Altair's types do not say which kind of chart a layer of others is.
Drawing = Callable[[float], Any]


@dataclass(frozen=True)
class Table:
    """The numbers of a figure; each row has as many texts or numbers as there are headers."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    # Columns of text; the others are of numbers and are set to the right.
    texts: int = 1


@dataclass(frozen=True)
class Figure:
    """A figure with what belongs to it.

    Attributes:
        key: Its name in the page, such as ``clock``.
        title: What it is about.
        description: What is drawn, for those who do not see it.
        seen: What is seen: the text under it.
        svg: The drawings for a wide and a narrow page.
        table: The numbers.
        sql: The queries that made them.
        notes: What is left out, and why.
    """

    key: str
    title: str
    description: str
    seen: tuple[str, ...]
    svg: tuple[str, str]
    table: Table
    sql: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())


def drawn(key: str, title: str, description: str, drawing: Drawing) -> tuple[str, str]:
    """The SVG of ``drawing`` for a wide and for a narrow page.

    Args:
        key: Name of the figure; ids within the drawings begin with it.
        title, description: What a screen reader says.
        drawing: Makes the chart for a width in pixels, its axes included.
    """
    wide, narrow = (
        _svg(f"{key}-{name}", title, description, drawing(width))
        for name, width in (("wide", WIDE), ("narrow", NARROW))
    )
    return wide, narrow


def _svg(key: str, title: str, description: str, chart: Any) -> str:
    text = vl_convert.vegalite_to_svg(_dressed(chart).to_dict())
    text = GROUND.sub("", SPOKEN.sub("", text), count=1)
    text = OWN_ID.sub(rf"\g<1>{key}-\g<2>", text)
    size = SIZE.match(text)
    if size is None:
        raise ValueError("vl-convert has drawn no SVG")
    width, height = size.groups()
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="{key.rsplit("-", 1)[1]}" role="img" '
        f'aria-labelledby="{key}-title {key}-description" viewBox="0 0 {width} {height}" style="max-width:{width}px">'
        f'<title id="{key}-title">{escape(title)}</title><desc id="{key}-description">{escape(description)}</desc>'
    )
    return head + text[size.end() :]


def _dressed(chart: Any) -> Any:
    """The chart with the look of the page. Several charts in one have the widths of their own: they cannot be fitted."""
    if not isinstance(chart, alt.VConcatChart):
        chart = chart.properties(autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))
    return (
        chart.properties(padding=2)
        .configure(font=FONT, background="white")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=INK, titleColor=GREY, labelFontSize=12, titleFontSize=12, titleFontWeight="normal",
            domainColor="#9aa6b2", tickColor="#9aa6b2", gridColor="#eceff3", labelPadding=4, titlePadding=8,
            tickSize=4, labelLimit=260,
        )
        .configure_legend(
            labelColor=INK, titleColor=GREY, labelFontSize=12, titleFontSize=12, titleFontWeight="normal",
            orient="top", direction="horizontal", symbolSize=90, symbolOpacity=1, columnPadding=14, offset=8, padding=0, labelLimit=300,
        )
        .configure_header(labelFontSize=12.5, labelColor=INK, labelFontWeight=600, titleFontSize=12, labelAnchor="start", labelPadding=6)
        .configure_title(fontSize=12.5, color=INK, fontWeight=600, anchor="start")
        .configure_text(fontSize=12, color=INK)
    )  # fmt: skip


def told_apart(
    column: str, kinds: Sequence[str], colours: Sequence[str] = COLOURS, *, columns: int = 0
) -> dict[str, Any]:
    """Kinds by colour and by shape, with one legend: who does not see the colours sees the shapes.

    Args:
        column: Of the kinds.
        kinds: In order.
        colours: One for each.
        columns: Of the legend; 0 for one line.
    """
    names = list(kinds)
    legend = alt.Legend(columns=columns) if len(names) > 1 else None
    shared: dict[str, Any] = {"sort": names, "title": None, "legend": legend}
    return {
        "color": alt.Color(f"{column}:N", scale=alt.Scale(domain=names, range=list(colours[: len(names)])), **shared),
        "shape": alt.Shape(f"{column}:N", scale=alt.Scale(domain=names, range=SHAPES[: len(names)]), **shared),
    }


def named(text: str) -> alt.TitleParams:
    """What the vertical axis shows, written above the chart, where it can be read without turning the head."""
    return alt.TitleParams(text, fontWeight="normal", fontSize=12, color=GREY, anchor="start", offset=6)


def shades(title: str, width: float) -> alt.Color:
    """The column ``percent`` from light to dark."""
    legend = alt.Legend(gradientLength=min(240, width - 60), gradientThickness=10, tickCount=4, titleLimit=400)
    return alt.Color("percent:Q", title=title, scale=alt.Scale(range=SHADES, zero=True), legend=legend)


def names_axis(width: float, share: float = 0.5) -> alt.Axis:
    """The axis of names beside rows; they get at most this share of the width."""
    return alt.Axis(ticks=False, domain=False, grid=False, labelLimit=round(width * share))


def zero_line(column: str = "x") -> Any:
    """A dashed line at 0, across the other axis."""
    return alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(color=GREY, strokeDash=[3, 3]).encode(**{column: "zero:Q"})


def intervals(
    frame: pd.DataFrame, width: float, *, order: Sequence[str], x_title: str, colours: Sequence[str] = COLOURS
) -> Any:
    """Estimates with their intervals, one below the other, and a line at 0.

    Args:
        frame: Columns ``name``, ``value``, ``low``, ``high``, and ``kind`` if there are several of a name.
        width: Of the chart.
        order: The names, from top to bottom.
        x_title: What is estimated, with its unit.
        colours: Of the kinds.
    """
    frame = frame if "kind" in frame else frame.assign(kind="")
    kinds = list(dict.fromkeys(frame["kind"]))
    looks = told_apart("kind", kinds, colours, columns=0 if width > 500 else 1)
    y: dict[str, Any] = {"y": alt.Y("name:N", sort=list(order), title=None, axis=names_axis(width, 0.45))}
    if len(kinds) > 1:
        y["yOffset"] = alt.YOffset("kind:N", sort=kinds)
    base = alt.Chart(frame).encode(**y)
    rules = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=x_title, axis=alt.Axis(tickCount=5), scale=alt.Scale(zero=True)),
        x2="high:Q",
        color=looks["color"],
    )
    points = base.mark_point(filled=True, size=70, opacity=1).encode(x="value:Q", **looks)
    return alt.layer(zero_line(), rules, points).properties(width=width, height=len(order) * (16 + 11 * len(kinds)))
