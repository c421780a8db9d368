"""What a check is: a named question about a study or a release candidate, and its answer.

Every check of the project has this form. The command line and the certificate of a release print the
results without knowing the checks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Subject = TypeVar("Subject")


@dataclass(frozen=True)
class CheckResult:
    """The answer of a check.

    Attributes:
        name: Of the check.
        passed: Whether nothing was found that should not be.
        summary: One sentence: what was looked at, or what is wrong.
        details: JSON with the findings and figures. It never holds content of participants.
        remedy: What to do; empty if the check passed.
    """

    name: str
    passed: bool
    summary: str
    details: dict[str, Any] = field(default_factory=dict)
    remedy: str = ""

    def as_json(self) -> dict[str, Any]:
        """The result as one JSON object, the details beside the rest."""
        return {
            "name": self.name,
            "passed": self.passed,
            "summary": self.summary,
            "remedy": self.remedy,
            **self.details,
        }


@dataclass(frozen=True)
class Check(Generic[Subject]):
    """A check by name.

    Attributes:
        name: As it is printed, and as it is called on the command line.
        run: Looks at the subject (a ``Study``, or the ``Candidate`` of a release) and gives the result.
    """

    name: str
    run: Callable[[Subject], CheckResult]


def listed(problems: Sequence[str], shown: int = 3) -> str:
    """The first ``shown`` of what a check found as a sentence, and how many more there are."""
    more = f"; and {len(problems) - shown} more" if len(problems) > shown else ""
    return "; ".join(problems[:shown]) + more + "."
