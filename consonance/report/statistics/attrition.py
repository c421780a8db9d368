"""Who was lost on the way, and how they differ from those who stayed. No figure stands for a few persons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from consonance.release.parameters import small_group
from consonance.report.statistics.results import Attrition, AttritionStep, Difference

# How a value is called that is not there.
MISSING = "missing"


def attrition(
    persons: pd.DataFrame,
    steps: Sequence[str],
    characteristics: Sequence[str],
    few: int | None = None,
    put_together: Mapping[str, Iterable[str]] | None = None,
) -> Attrition:
    """Numbers at each step, and standardised differences between those who stayed and those who were lost.

    A group of 1 to ``few`` persons has no figure, and none that it could be computed from: not the number at a step that
    loses so few, not the share of a category that has so few on one side (nor of further categories, until those left
    out are more than ``few`` together), in this step and every later one.

    Args:
        persons: One row per person. Columns: ``steps``, truth values (who is out at a step is out at the later ones),
            and ``characteristics``: numbers give means; texts and truth values give the share of each value, a
            missing one being a value.
        steps: From the first (such as ``enrolled``) to the last (``covered``).
        few: The largest small group; ``small_group_persons`` of dbt_project.yml if ``None``.
        put_together: Of characteristics the categories that are one group elsewhere on the page: they have no figure here
            either, or each could be computed there.
    """
    few = small_group() if few is None else few
    reached = persons[list(steps)].fillna(False).astype(bool).cumprod(axis=1).astype(bool)
    start = persons[reached[steps[0]]]
    shown = _is_large(len(start), few) or start.empty
    found: list[AttritionStep] = []
    from_step, before = steps[0], start
    hidden = {(characteristic, name) for characteristic, names in (put_together or {}).items() for name in names}
    for step in steps[1:]:
        stays = reached.loc[before.index, step]
        kept, lost = before[stays], before[~stays]
        if not shown or not all(_is_large(len(group), few) or group.empty for group in (kept, lost)):
            found.append(AttritionStep(step, from_step, None, None, None, True, ()))
            continue
        differences = tuple(
            difference
            for characteristic in (characteristics if len(kept) and len(lost) else ())
            for difference in _differences(kept, lost, characteristic, few, hidden)
        )
        found.append(AttritionStep(step, from_step, len(before), len(kept), len(lost), False, differences))
        from_step, before = step, kept
    return Attrition(steps[0], len(start) if shown else None, tuple(found), few)


def _is_large(count: int, few: int) -> bool:
    return count > few


def _differences(
    kept: pd.DataFrame, lost: pd.DataFrame, characteristic: str, few: int, hidden: set[tuple[str, str]]
) -> list[Difference]:
    """Of a number one difference; of categories one for each. ``hidden``: what an earlier step left out; is added to."""
    a, b = kept[characteristic], lost[characteristic]
    if pd.api.types.is_numeric_dtype(a) and not pd.api.types.is_bool_dtype(a):
        return [_of_means(a, b, characteristic, few, hidden)]
    a, b = (values.astype(object).where(values.notna(), MISSING).astype(str) for values in (a, b))
    counts = pd.DataFrame({"kept": a.value_counts(), "lost": b.value_counts()}).fillna(0).astype(int).sort_index()
    small = _small_categories(counts, few, {name for column, name in hidden if column == characteristic})
    hidden.update((characteristic, name) for name in small)
    return [
        Difference(characteristic, str(name), None, None, None, True)
        if name in small
        else _of_shares(row["kept"] / len(a), row["lost"] / len(b), characteristic, str(name))
        for name, row in counts.iterrows()
    ]


def _small_categories(counts: pd.DataFrame, few: int, hidden: set[str]) -> set[str]:
    """The categories to leave out: small ones, and as many of the next ones as hide how small those are."""
    is_small = ((counts > 0) & (counts <= few)).any(axis=1)
    small = {str(name) for name in counts.index[is_small]} | (hidden & set(counts.index))
    by_size = [str(name) for name in counts.sum(axis=1).sort_values(kind="stable").index]
    while small and len(small) < len(counts):
        together = counts.loc[sorted(small)].sum()
        if ((together == 0) | (together > few)).all() and len(small) > 1:
            break
        small.add(next(name for name in by_size if name not in small))
    return small


def _of_shares(kept: float, lost: float, characteristic: str, category: str) -> Difference:
    spread = float(np.sqrt((kept * (1 - kept) + lost * (1 - lost)) / 2))
    return Difference(
        characteristic, category, float(kept), float(lost), (kept - lost) / spread if spread > 0 else None, False
    )


def _of_means(a: pd.Series, b: pd.Series, characteristic: str, few: int, hidden: set[tuple[str, str]]) -> Difference:
    known = [values.dropna() for values in (a, b)]
    groups = [*known, *(values[values.isna()] for values in (a, b))]
    if (characteristic, "") in hidden or any(0 < len(group) <= few for group in groups):
        hidden.add((characteristic, ""))
        return Difference(characteristic, None, None, None, None, True)
    if not all(len(values) for values in known):
        return Difference(characteristic, None, None, None, None, False)
    means = [float(values.mean()) for values in known]
    spread = float(np.sqrt((known[0].var() + known[1].var()) / 2))
    standardised = (means[0] - means[1]) / spread if spread > 0 else None
    return Difference(characteristic, None, means[0], means[1], standardised, False)
