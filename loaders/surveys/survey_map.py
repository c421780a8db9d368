"""The map of a questionnaire file: which column means what, how times are written, which item an answer belongs to.

Maps lie in ``surveys/maps/``. Each says for which files it is (``files``); a file may have several, for questionnaires
that have times of their own. A table with one answer a line under the names of ``AS_IT_IS`` needs none.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from consonance.study.errors import ConsonanceError
from consonance.study.yaml_files import Rule, Text, YamlFile, read_yaml
from loaders.surveys.identifying import identifies_by_name

FormatName = Literal["long", "wide", "m-path", "qualtrics", "redcap", "limesurvey", "formr"]
FORMATS: tuple[FormatName, ...] = get_args(FormatName)
WRITE_MAP = "docs/questionnaires.md shows a map for each program; 'consonance survey map FILE' writes one."
# Seconds between two items of one report, where each item has its own time; and between two copies of one report.
SPAN = 60.0
ITEM = re.compile(r"[^\s.]+\.[^\s]+")


class BadSurveyMap(ConsonanceError):
    """The map of a questionnaire cannot be used."""


def _word(value: object) -> str:
    """YAML reads a bare Yes as a truth value."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value).strip().lower()


def _words(values: Any) -> tuple[str, ...]:
    return tuple(_word(value) for value in (values if isinstance(values, list) else [values]))


def _by_word(values: Any) -> Any:
    return {_word(key): value for key, value in values.items()} if isinstance(values, dict) else values


def _by_text(values: Any) -> Any:
    return {str(key).strip(): value for key, value in values.items()} if isinstance(values, dict) else values


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Column = Annotated[Text, Field(min_length=1), Rule("names no column", WRITE_MAP)]


class Clock(YamlFile):
    """Whose time a moment without an offset is.

    Attributes:
        kind: ``offset``: every moment says it itself; ``utc``; ``zone``: local time of ``zone``; ``participant``: local
            time of the participant's zone in participants.csv; ``column``: local time, so many seconds ahead of UTC as
            ``column`` says.
    """

    kind: Literal["offset", "utc", "zone", "participant", "column"] = "offset"
    zone: str = ""
    column: str = ""

    @model_validator(mode="before")
    @classmethod
    def _of_word(cls, value: Any) -> Any:
        if isinstance(value, str):
            if value in ("offset", "utc", "participant"):
                return {"kind": value}
            try:
                return {"kind": "zone", "zone": str(ZoneInfo(value))}
            except (OSError, ValueError, ZoneInfoNotFoundError):
                raise ValueError from None
        if isinstance(value, dict) and set(value) == {"column"} and value["column"]:
            return {"kind": "column", "column": str(value["column"])}
        if isinstance(value, dict) and "kind" in value:
            return value
        raise ValueError


def _known_date_format(text: str) -> str:
    if not re.fullmatch(r"(?:[^%]|%-?[YymdHMSfpIjbBaA])*", text):
        raise ValueError
    return text


class Moments(YamlFile):
    """The columns of the moments of a questionnaire, and how they are written; empty where there is no such column.

    Attributes:
        prompted: When the participant was asked.
        opened: When they began.
        answered: When they answered: the moment of the report.
        expires: Until when they could answer.
        written_as: As a text (a date and a time), or as a number since 1970.
        clock: Whose time it is.
        date_format: Of a text that is not ISO 8601, by the letters of strptime.
    """

    prompted: Text = ""
    opened: Text = ""
    answered: Column
    expires: Text = ""
    written_as: Annotated[
        Literal["text", "unix_seconds", "unix_milliseconds"],
        Rule("is no way of writing moments", "Write text, unix_seconds or unix_milliseconds."),
    ] = "text"
    clock: Annotated[
        Clock,
        Rule(
            "is no clock",
            "Write offset (each moment has its offset), utc, participant (the zone in participants.csv), a zone such as Europe/Berlin, or {column: timeZoneOffset}.",
        ),
    ] = Clock(kind="offset")
    date_format: Annotated[
        Text,
        AfterValidator(_known_date_format),
        Rule("is no way of writing a date and a time", 'Write it like "%d.%m.%Y %H:%M".'),
    ] = ""

    def columns(self) -> dict[str, str]:
        """The columns of the moments, by moment; those that there are."""
        named = {name: getattr(self, name) for name in ("prompted", "opened", "answered", "expires")}
        return {name: column for name, column in named.items() if column}


class AnswerColumns(YamlFile):
    """The columns of a table with one answer a line. Without ``instrument``, the map's items say which it is."""

    instrument: Text = ""
    item: Column
    answer: Column


class Recoding(YamlFile):
    """How answers become those of the instrument: ``add`` goes to each number, ``labels`` replaces texts by numbers."""

    add: Annotated[float, Rule("is no number", "Write how much goes to each answer: add: 1.")] = 0
    labels: Annotated[
        dict[str, float],
        BeforeValidator(_by_word),
        Rule("is no list of labels with numbers", "Write {Not at all: 0, Several days: 1}."),
    ] = Field(default_factory=dict)


class Finished(YamlFile):
    """The column that says whether a questionnaire was finished, and what it says then."""

    column: Column
    words: Words = Field(alias="is")


def known_pattern(pattern: str) -> str:
    """``pattern``, if it may mean files of a folder.

    Raises:
        ValueError: it leads out of the folder, or says nothing.
    """
    if pattern.startswith("/") or ".." in PurePosixPath(pattern).parts:
        raise ValueError
    PurePosixPath("a").match(pattern)  # raises a ValueError if there is nothing in it
    return pattern


def _items(items: dict[str, str]) -> dict[str, str]:
    if any(not ITEM.fullmatch(item) for item in items.values()):
        raise ValueError
    return {column: item.casefold() for column, item in items.items()}


def _none_identifies(items: dict[str, str]) -> dict[str, str]:
    if any(identifies_by_name(column) for column in items):
        raise ValueError
    return items


def _lower(values: dict[str, Recoding]) -> dict[str, Recoding]:
    return {name.casefold(): value for name, value in values.items()}


class SurveyMap(YamlFile):
    """What a file of a questionnaire holds.

    Attributes:
        files: The files of ``surveys/`` it is for: a name, or a pattern with ``*``.
        format: What wrote them.
        participant: The column with the participant codes.
        moments: See there.
        columns: Of a table with one answer a line.
        items: What the file calls an item (a column or, in a table with one answer a line, a word) to
            ``instrument.item``.
        recode: How answers become those of the instrument, by ``instrument`` or ``instrument.item``.
        missing: What stands for no answer.
        only: Lines that count: a column, and what it says there.
        finished: Without it, a questionnaire is finished if it has the moment ``answered``.
        span: Seconds, see ``SPAN``.
    """

    files: Annotated[
        Text,
        AfterValidator(known_pattern),
        Rule("names no file of surveys/", 'Write a name or a pattern within surveys/, such as "qualtrics*.csv".'),
    ]
    format: Annotated[FormatName, Rule("is no known format", f"Write one of {', '.join(FORMATS)}.")]
    participant: Column
    moments: Annotated[
        Moments,
        Rule(
            "do not say when a questionnaire was answered",
            f"They are {', '.join(Moments.model_fields)}; answered is needed. {WRITE_MAP}",
        ),
    ]
    columns: Annotated[AnswerColumns | None, Rule("are not the columns instrument, item and answer", WRITE_MAP)] = None
    items: Annotated[
        dict[str, Text],
        BeforeValidator(_by_text),
        AfterValidator(_items),
        AfterValidator(_none_identifies),
        Rule(
            "have a column that identifies people, or something that is not written as instrument.item",
            f"Write each like 'panas_1: panas.interested'; leave out names, addresses and places. {WRITE_MAP}",
        ),
    ] = Field(default_factory=dict)
    recode: Annotated[
        dict[str, Recoding],
        AfterValidator(_lower),
        Rule("is no list of recodings by instrument", "Write 'panas: {add: 1}' or 'panas: {labels: {A little: 2}}'."),
    ] = Field(default_factory=dict)
    missing: Annotated[Words, Rule("is no list of values", 'Write it like ["-99", "NA"].')] = ()
    only: Annotated[
        dict[str, Words],
        BeforeValidator(_by_text),
        Rule("is no list of columns with values", "Write it like {questionListName: [evening]}."),
    ] = Field(default_factory=dict)
    finished: Annotated[
        Finished | None,
        Rule(
            "is no column with what it says of a finished questionnaire", "Write it like {column: Finished, is: [1]}."
        ),
    ] = None
    span: Annotated[
        float, Field(ge=0, le=86400), Rule("is no number of seconds up to a day", f"Write it like {SPAN:g}.")
    ] = SPAN

    def recoding_of(self, item: str) -> Recoding:
        """How the answers to ``instrument.item`` are recoded."""
        return self.recode.get(item) or self.recode.get(item.partition(".")[0]) or Recoding()

    def used_columns(self) -> list[str]:
        """Every column it names, each once; those of items last."""
        named = [self.participant, *self.moments.columns().values()]
        named += [self.moments.clock.column, self.finished.column if self.finished else "", *self.only]
        if self.columns:
            named += [self.columns.instrument, self.columns.item, self.columns.answer]
        else:
            named += self.items
        return list(dict.fromkeys(name for name in named if name))


# What a table with one answer a line says by the names of its columns alone.
AS_IT_IS = SurveyMap(
    files="*",
    format="long",
    participant="participant_code",
    moments=Moments(answered="answered_at"),
    columns=AnswerColumns(instrument="instrument", item="item", answer="answer"),
)


def read_map(path: Path) -> SurveyMap:
    """Read and check a map.

    Raises:
        BadSurveyMap: no such file, no YAML, something unknown, wrong or missing in it.
    """
    read = read_yaml(path, SurveyMap, BadSurveyMap, WRITE_MAP)
    if read.format == "long" and not read.columns:
        raise BadSurveyMap(f"{path} lacks the setting columns: a file of the format long needs it.", WRITE_MAP)
    if read.format != "long" and not read.items:
        raise BadSurveyMap(f"{path} names no items.", WRITE_MAP)
    return read
