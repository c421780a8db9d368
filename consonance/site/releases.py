"""The releases of a study by their certificates, and the plots of the residual re-identification risk."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from consonance.release.contents import CERTIFICATE
from consonance.release.parameters import small_group
from consonance.report.cells import persons_apart
from consonance.report.figures import Figure, Table, drawn, named, told_apart
from consonance.site.numbers import in_words, persons_of
from consonance.study.folder import Study

# Numbers of persons in a certificate.
OF_PERSONS = ("persons", "withheld", "k", "persons_below_l")
OF_PERSONS_BY_NAME = ("left_out", "purposes_of_those_in")


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
    """What the page of a release says: its certificate, with numbers of few persons, or that differ by few, as words.

    Rows of persons are not counted there: a table may be of few, or differ by few from that of another release.
    """
    page: dict[str, Any] = json.loads(json.dumps(certificate))
    consent, demographics = page["consent"], page["demographics"] or {}
    page["risk"] = [row for row in page["risk"] or [] if not 0 < row["persons"] <= small_group()]
    by_name = [consent[key] for key in OF_PERSONS_BY_NAME if consent[key]]
    words = persons_apart(
        [
            consent["persons"],
            *(count for counts in by_name for count in counts.values()),
            *(demographics[key] for key in OF_PERSONS if key in demographics),
            *persons_of(page["risk"]),
        ]
    )
    consent["persons"] = words[consent["persons"]]
    for counts in by_name:
        counts.update({name: words[count] for name, count in counts.items()})
    demographics.update({key: words[demographics[key]] for key in OF_PERSONS if key in demographics})
    if demographics:
        page["statements"] = page["statements"][:1]  # the second one is of demographics, in numbers
    page["risk"] = in_words(page["risk"], words)
    if page["tier"] == "controlled":
        page["tables"] = [{**table, "rows": None} for table in page["tables"]]
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
