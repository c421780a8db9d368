"""When which check was run, on the study or on the candidate of a release, and how it ended: one line of
``check_history.jsonl`` for each.

A line names rules and no table, column or participant. So it stays when somebody withdraws, and pages may say its moments.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from consonance.checks.check import CheckResult
from consonance.study.files import replace_file
from consonance.study.folder import Study

# The oldest lines are dropped.
MOST_LINES = 400


@dataclass(frozen=True)
class Noted:
    """A check that was run.

    Attributes:
        at: When it ended, in UTC, to the minute, with a ``Z``.
        built: When the warehouse was last written, in the same form; of the check ``rules`` alone.
        check: Its name.
        passed: Whether it passed.
        rules: Each rule by name, and whether it passed; of checks that run rules alone.
        release, tier: The release whose candidate it ran on; none if it ran on the study.
    """

    at: str
    built: str | None
    check: str
    passed: bool
    rules: Mapping[str, bool]
    release: int | None = None
    tier: str | None = None

    @property
    def of(self) -> str:
        """On what it ran, in words."""
        return f"the candidate of release {self.release} ({self.tier})" if self.release else "the study"


def note_checks(study: Study, results: Iterable[CheckResult], candidate: tuple[int, str] | None = None) -> None:
    """Add a line for each of ``results``, as of now.

    Args:
        study: Whose history it is.
        results: Of checks that were run just now.
        candidate: Number and tier of the release whose candidate they ran on; none if they ran on the study.
    """
    at = _moment(datetime.now(UTC))
    written = study.desk_path if study.desk_path.exists() else study.warehouse_path
    built = _moment(datetime.fromtimestamp(written.stat().st_mtime, UTC)) if written.exists() else None
    lines = _lines(study)
    for result in results:
        rules = {rule["rule"]: rule["passed"] for rule in result.details.get("rules", ())}
        noted = {"at": at, "check": result.name, "passed": result.passed}
        if candidate:
            noted |= {"release": candidate[0], "tier": candidate[1]}
        elif rules:
            noted["built"] = built
        lines.append(json.dumps(noted | ({"rules": rules} if rules else {})))
    # A study on a disk that cannot be written can be checked.
    with suppress(OSError):
        replace_file(study.check_history_path, ("\n".join(lines[-MOST_LINES:]) + "\n").encode())


def check_history(study: Study) -> list[Noted]:
    """Every check that was noted, the latest first. The leak scan reports lines that are of another form."""
    return [noted for line in reversed(_lines(study)) if (noted := _noted(line))]


def _noted(line: str) -> Noted | None:
    try:
        one = json.loads(line)
        return Noted(
            one["at"],
            one.get("built"),
            one["check"],
            one["passed"],
            one.get("rules", {}),
            one.get("release"),
            one.get("tier"),
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _lines(study: Study) -> list[str]:
    path = study.check_history_path
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%MZ}"
