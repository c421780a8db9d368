"""Correction for multiple tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from statsmodels.stats.multitest import multipletests

from consonance.report.statistics.results import Association, Correction, Effect, NoResult

METHODS = {"holm": "holm", "benjamini_hochberg": "fdr_bh"}


def correct(
    associations: Sequence[Association | NoResult], correction: Correction = "holm"
) -> tuple[Association | NoResult, ...]:
    """The associations, in the same order, with corrected p values.

    The effects within persons are one family of tests, those between persons another. Holm's correction bounds the
    chance of a single false finding in the family; Benjamini and Hochberg's bounds the share of false ones among the
    findings.
    """
    within = _corrected([a.within if isinstance(a, Association) else None for a in associations], correction)
    between = _corrected(
        [a.between if isinstance(a, Association) and isinstance(a.between, Effect) else None for a in associations],
        correction,
    )
    return tuple(
        replace(a, within=inner or a.within, between=outer or a.between) if isinstance(a, Association) else a
        for a, inner, outer in zip(associations, within, between, strict=True)
    )


def _corrected(effects: Sequence[Effect | None], correction: Correction) -> list[Effect | None]:
    tested = [effect for effect in effects if effect]
    if not tested:
        return list(effects)
    adjusted = iter(multipletests([effect.p for effect in tested], method=METHODS[correction])[1])
    return [effect.corrected(float(next(adjusted)), correction, len(tested)) if effect else None for effect in effects]
