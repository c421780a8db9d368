"""The releases of a study by their certificates, and the plots of the residual re-identification risk."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from consonance.release.contents import CERTIFICATE
from consonance.release.parameters import small_group
from consonance.report.cells import persons
from consonance.report.figures import Figure, Table, drawn, named, told_apart
from consonance.study.folder import Study

# Numbers of persons in a certificate that may be of few: on a page they are words.
OF_PERSONS = (("consent", "left_out"), ("consent", "purposes_of_those_in"))
OF_DEMOGRAPHICS = ("withheld", "persons_below_l")


def certificates(study: Study) -> list[dict[str, Any]]:
    """The certificates of the releases that are there, the latest first. Those of version 0.1 are in ``of_version_0_1``."""
    return [certificate for certificate in _all_certificates(study) if "checks" in certificate]


def of_version_0_1(study: Study) -> list[dict[str, Any]]:
    """Number, tier and moment of the releases that version 0.1 made, the latest first.

    What their certificates say of checks was measured and worded otherwise: it is not put beside the results of this version.
    """
    return [
        {key: certificate[key] for key in ("release", "tier", "created")}
        for certificate in _all_certificates(study)
        if "checks" not in certificate
    ]


def _all_certificates(study: Study) -> list[dict[str, Any]]:
    folders = [path.parent for path in study.published.glob(f"*/{CERTIFICATE[0]}") if path.parent.name.isdecimal()]
    return [
        json.loads((folder / CERTIFICATE[0]).read_text(encoding="utf-8"))
        for folder in sorted(folders, key=lambda folder: int(folder.name), reverse=True)
    ]


def without_small_numbers(certificate: Mapping[str, Any]) -> dict[str, Any]:
    """What the page of a release says: its certificate, numbers of few persons as words."""
    page: dict[str, Any] = json.loads(json.dumps(certificate))
    for part, key in OF_PERSONS:
        if page[part][key]:
            page[part][key] = {name: persons(count) for name, count in page[part][key].items()}
    page["consent"]["persons"] = persons(page["consent"]["persons"])
    if page["demographics"] and 0 < page["demographics"]["withheld"] <= small_group():
        page["statements"] = page["statements"][:1]  # the second one counts them
    for key in OF_DEMOGRAPHICS:
        if page["demographics"] and 0 < (page["demographics"].get(key) or 0) <= small_group():
            page["demographics"][key] = f"up to {small_group()}"
    page["risk"] = [row for row in page["risk"] or [] if not 0 < row["persons"] <= small_group()]
    return page


def risk_figures(rows: Iterable[Mapping[str, Any]], key: str) -> list[Figure]:
    """How many persons are singled out by what an attacker knows, drawn.

    Args:
        rows: Of ``audit.privacy_risk``, or of a certificate; those of few persons are left out already.
        key: Names the figures.
    """
    known = pd.DataFrame(
        [
            {"knowledge": row["knowledge"], "points": row["points"], "percent": 100 * row["value"]}
            for row in rows
            if row["attack"] == "unicity" and not row["wrong_points"] and row["value"] is not None
        ]
    )
    if known.empty:
        return []
    title = "Persons singled out, by how many points an attacker knows of them"
    kinds = list(dict.fromkeys(known["knowledge"]))
    svg = drawn(
        key, title, "One line for each kind of knowledge, from one known point to several.",
        lambda width: _lines(known, kinds, width),
    )  # fmt: skip
    return [Figure(key, title, title, (), svg, Table((), ()), ())]


def _lines(known: pd.DataFrame, kinds: Sequence[str], width: float) -> Any:
    looks = told_apart("knowledge", kinds, columns=0 if width > 500 else 2)
    base = alt.Chart(known, title=named("% of persons singled out")).encode(
        x=alt.X("points:O", title="known points", axis=alt.Axis(labelAngle=0)),
        y=alt.Y("percent:Q", title=None, scale=alt.Scale(domain=[0, 100]), axis=alt.Axis(tickCount=5)),
    )
    return alt.layer(
        base.mark_line(strokeWidth=2).encode(color=looks["color"]),
        base.mark_point(filled=True, size=70, opacity=1).encode(**looks),
    ).properties(width=width, height=220)
