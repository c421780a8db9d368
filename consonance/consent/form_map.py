"""The map of a consent form: which column of an export means what, and what a ticked box holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from consonance.consent.state import EVENTS, PURPOSES
from consonance.study.errors import ConsonanceError
from consonance.study.yaml_files import Rule, Text, YamlFile, read_yaml

# What REDCap's raw and labelled exports, and Qualtrics' numeric one, hold for a ticked box or a yes.
TICKED = ("1", "checked", "yes", "true")
# And for an empty box or a no: Qualtrics numbers yes 1 and no 2, and writes -99 for a question not seen.
UNTICKED = ("0", "unchecked", "no", "false", "2", "-99")
WRITE_MAP = "docs/consent.md shows a map."
NO_BOX = Rule("has a box that is neither the name of a column nor a mapping of 'column', 'is' and 'is_not'", WRITE_MAP)
NO_PURPOSES = Rule(
    "has an unknown purpose, or a box that is neither the name of a column nor a mapping of 'column', 'is' and 'is_not'",
    f"Known purposes are {', '.join(PURPOSES)}. {WRITE_MAP}",
)


class BadMap(ConsonanceError):
    """The map of a consent form cannot be used."""


def _words(values: Any) -> tuple[str, ...]:
    return tuple(_as_exported(value) for value in (values if isinstance(values, list) else [values]))


def _as_exported(value: object) -> str:
    """YAML reads a bare Yes as a truth value."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value).casefold()


# The values of the map, in lower case.
Words = Annotated[tuple[str, ...], BeforeValidator(_words)]


class Box(YamlFile):
    """A box of the form: its column, and the values (in lower case) that mean it is ticked, or is not.

    Without ``ticked`` the whole cell is a word for yes or no. With it, the cell may also list one of
    the values among choices that are separated by commas, as Qualtrics writes a question with several
    answers; any other choice is a no, unless ``unticked`` says which ones are. An empty box is a no.
    """

    column: Annotated[Text, Field(min_length=1)]
    ticked: Words = Field((), alias="is")
    unticked: Words = Field((), alias="is_not")

    @model_validator(mode="before")
    @classmethod
    def _of_column(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value

    def is_ticked(self, row: dict[str, str]) -> bool:
        """Whether the cell of ``row`` is a known yes."""
        cell = row[self.column].casefold()
        return _lists(cell, self.ticked) if self.ticked else cell in TICKED

    def is_unknown(self, row: dict[str, str]) -> bool:
        """Whether the cell of ``row`` is neither a known yes nor a known no."""
        cell = row[self.column].casefold()
        if not cell or self.is_ticked(row):
            return False
        if self.unticked:
            return not _lists(cell, self.unticked)
        return not self.ticked and cell not in UNTICKED


def _lists(cell: str, values: tuple[str, ...]) -> bool:
    return any(f",{value}," in f",{cell}," for value in values)


def _known_event(event: str) -> str:
    if event and event not in EVENTS:
        raise ValueError
    return event or "granted"


def _known_purposes(boxes: dict[str, Box]) -> dict[str, Box]:
    if not boxes or not boxes.keys() <= set(PURPOSES):
        raise ValueError
    return {purpose: boxes[purpose] for purpose in PURPOSES if purpose in boxes}


def _zone(name: object) -> ZoneInfo | None:
    try:
        return ZoneInfo(str(name)) if name else None
    except (OSError, ZoneInfoNotFoundError):
        raise ValueError from None


Column = Annotated[Text, Field(min_length=1), Rule("names no column", WRITE_MAP)]


class FormMap(YamlFile):
    """Which column of an export means what.

    Attributes:
        participant_code, occurred_at: Columns.
        form_version: The notice that the form shows.
        purposes: The box of each purpose that the form asks for.
        event: What a line of the export is.
        time_zone: Of ``occurred_at`` where it has no offset.
        agreed: Whoever left this box empty did not consent at all.
        history_from, history_to: Columns with dates; empty if there are none.
    """

    participant_code: Column
    form_version: Annotated[Text, Field(min_length=1), Rule("names no notice", WRITE_MAP)]
    occurred_at: Column
    purposes: Annotated[dict[str, Box], AfterValidator(_known_purposes), NO_PURPOSES]
    event: Annotated[
        Text,
        AfterValidator(_known_event),
        Rule("is not one of the events " + ", ".join(EVENTS), WRITE_MAP),
    ] = "granted"
    time_zone: Annotated[
        ZoneInfo | None, BeforeValidator(_zone), Rule("is no IANA time zone", "Write it like Europe/Berlin.")
    ] = None
    agreed: Annotated[Box | None, NO_BOX] = None
    history_from: Text = ""
    history_to: Text = ""

    @classmethod
    def read(cls, path: Path) -> FormMap:
        """Read and check a map.

        Raises:
            BadMap: no such file, no YAML, something unknown or missing in it.
        """
        return read_yaml(path, cls, BadMap, WRITE_MAP)

    @property
    def boxes(self) -> list[Box]:
        """Every box it names; the one for the agreement first."""
        return [*([self.agreed] if self.agreed else []), *self.purposes.values()]

    def columns(self) -> list[str]:
        """Every column it names, each once."""
        named = [self.participant_code, self.occurred_at, self.history_from, self.history_to]
        return list(dict.fromkeys([name for name in named if name] + [box.column for box in self.boxes]))
