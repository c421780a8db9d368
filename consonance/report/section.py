"""What a section of the report consists of."""

from __future__ import annotations

from dataclasses import dataclass, field

from consonance.report.figures import Figure
from consonance.report.sentences import Sentence


@dataclass(frozen=True)
class Section:
    """One section of the page.

    Attributes:
        key: Its name in the page.
        title: Its heading.
        lead: What it is about, in paragraphs.
        findings: What was found by rule, or that there is no evidence.
        warnings: What may spoil the results.
        figures: In order.
        missing: What cannot be shown, and why.
    """

    key: str
    title: str
    lead: tuple[str, ...] = ()
    findings: tuple[Sentence, ...] = ()
    warnings: tuple[Sentence, ...] = ()
    figures: tuple[Figure, ...] = field(default=())
    missing: tuple[str, ...] = ()
