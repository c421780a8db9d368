"""The files that a study folder may have: one list, ``study_files.yml``, which says of each what it is and may hold.

The leak scan searches every file for what its place may not hold, and reports those that have no place.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from consonance.study.folder import Study

DECLARED = Path(__file__).with_name("study_files.yml")
DRAFT = re.compile(r"(.*/)?\.(?P<name>[^/]+)\.new")
MayHold = Literal["nothing", "names", "pseudonyms", "everything"]


@dataclass(frozen=True)
class Place:
    """Files of a study that are known by their path; the head of ``study_files.yml`` says what each attribute means."""

    files: str
    what: str
    may_hold: MayHold
    written_by: tuple[str, ...] = ()
    form: str | None = None

    @property
    def is_input(self) -> bool:
        """Whether the operator puts it there."""
        return not self.written_by


@cache
def places() -> tuple[Place, ...]:
    """The list, in its order."""
    return tuple(
        Place(facts["files"], facts["is"], facts["may_hold"], tuple(facts.get("written_by", ())), facts.get("form"))
        for facts in declared()["places"]
    )


@cache
def declared() -> Mapping[str, Any]:
    """What ``study_files.yml`` says."""
    return dict(yaml.load(DECLARED.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))


def place_of(within: str, notices: Sequence[str] = ()) -> Place | None:
    """The place of a file, by its path within the study folder; ``None`` if nobody says what it is.

    Args:
        within: The path, with slashes.
        notices: The files that ``notices.csv`` names.
    """
    if found := next((place for place in places() if re.fullmatch(place.files, within, re.DOTALL)), None):
        return found
    if within in notices:
        return Place(re.escape(within), "the text of a notice", "nothing")
    draft = DRAFT.fullmatch(within)
    return place_of((draft[1] or "") + draft["name"], notices) if draft else None


def notice_files(study: Study) -> list[str]:
    """The files that ``notices.csv`` names; none if it cannot be read: a load says so."""
    try:
        text = study.notices_path.read_text(encoding="utf-8-sig")
        return [row["file"].strip() for row in csv.DictReader(io.StringIO(text)) if row.get("file")]
    except (OSError, UnicodeDecodeError, csv.Error):
        return []
