"""What a file is, by its header: the program that wrote it, whose line it is, and its moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from loaders.side_files import ROWS
from loaders.surveys.profile import Column
from loaders.surveys.survey_map import FormatName

# Columns of the moments of each program, in the order of preference.
MOMENTS: dict[FormatName, dict[str, tuple[str, ...]]] = {
    "m-path": {"prompted": ("timeStampSent",), "opened": ("timeStampStart",), "answered": ("timeStampStop",)},
    "qualtrics": {"opened": ("StartDate",), "answered": ("EndDate", "RecordedDate")},
    "limesurvey": {"opened": ("startdate",), "answered": ("submitdate",)},
    "formr": {"opened": ("created",), "answered": ("ended",), "expires": ("expired",)},
}
# What people call the moments of their own tables.
USUAL_MOMENTS = {
    "prompted": ("prompted_at", "prompted", "sent_at", "scheduled_at", "scheduled"),
    "opened": ("opened_at", "opened", "started_at", "start", "begin"),
    "answered": ("answered_at", "answered", "submitted_at", "completed_at", "ended_at", "end", "timestamp", "datetime", "time", "date"),
    "expires": ("expires_at", "expired_at"),
}  # fmt: skip
USUAL_CODES: dict[FormatName, tuple[str, ...]] = {
    "m-path": ("alias", "code"),
    "limesurvey": ("token",),
    "formr": ("session",),
    "redcap": ("record_id",),
}
CODES = ("participant_code", "participant", "code", "pid", "subject", "id", "user")
LONG = {
    "instrument": ("instrument", "questionnaire", "scale"),
    "item": ("item", "question", "variable", "name"),
    "answer": ("answer", "response", "value", "score"),
}
DATE_FORMATS = (
    "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M",
)  # fmt: skip
# Columns in which the programs write about the line and not about an answer, in small letters.
ABOUT_THE_LINE = frozenset((
    "scheduledbeepid", "sentbeepid", "reminderfororiginalsentbeepid", "deltautc", "timezoneoffset", "originaltimestampsent",
    "timestampscheduled", "timestampsent", "timestampstart", "timestampstop", "questionlistname", "questionlistlabel",
    "status", "progress", "duration (in seconds)", "finished", "userlanguage", "distributionchannel", "responseid",
    "id", "lastpage", "seed", "startlanguage", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance",
    "created", "modified", "ended", "expired", "line", "wave",
))  # fmt: skip
FIRST_SECOND, FIRST_MILLISECOND = 10**9, 10**11
WHOSE = (
    "The times have no offset, and the map reads them as local time of each participant's zone. Qualtrics writes the time zone of "
    "its account; REDCap, LimeSurvey and formr that of their server. If it is another one, write it: clock: Europe/Berlin."
)


@dataclass
class Guess:
    """Settings of the map, and what a person should look at."""

    settings: dict[str, Any] = field(default_factory=dict)
    unsure: list[str] = field(default_factory=list)


def format_of(header: Sequence[str], has_import_ids: bool) -> FormatName:
    """The program that wrote a table with this header; ``has_import_ids``: Qualtrics' third row."""
    names = set(header)
    if has_import_ids:
        return "qualtrics"
    if {"questionListName", "timeStampSent", "timeZoneOffset"} <= names:
        return "m-path"
    if "redcap_event_name" in names or any(
        f"{name[:-10]}_complete" in names for name in names if name.endswith("_timestamp")
    ):
        return "redcap"
    if "submitdate" in names:
        return "limesurvey"
    return "long" if all(_named(header, words) for what, words in LONG.items() if what != "instrument") else "wide"


def is_about_the_file(column: str) -> bool:
    """Whether a program writes about the line in a column of this name, and not an answer."""
    return column.casefold() in ABOUT_THE_LINE or column.endswith(("_complete", "_timestamp"))


def participant_of(columns: Sequence[Column], format_name: FormatName) -> Guess:
    """The column with participant codes: the one with most codes of enrolled participants, else one of a usual name."""
    best = max(columns, key=lambda column: (column.codes, -column.place))
    if best.codes:
        strangers = best.distinct - best.codes
        unsure = (
            [f"{best.name}: it has codes that participants.csv does not have ({strangers})."] if strangers > 0 else []
        )
        return Guess({"participant": best.name}, unsure)
    header = [column.name for column in columns]
    name = _named(header, (*USUAL_CODES.get(format_name, ()), *CODES)) or header[0]
    return Guess(
        {"participant": name},
        [f"{name}: none of its values is a code in participants.csv. Is it the column with the codes?"],
    )


def long_columns(header: Sequence[str]) -> dict[str, str]:
    """The columns of a table with one answer a line, as the map names them."""
    return {what: name for what, words in LONG.items() if (name := _named(header, words))}


def moments_of(
    connection: duckdb.DuckDBPyConnection,
    columns: Sequence[Column],
    format_name: FormatName,
    form: str | None,
    time_zone: str | None,
) -> Guess:
    """The moments and how they are written.

    Args:
        connection: With the table.
        columns: Of the table.
        format_name: What wrote it.
        form: Of REDCap, the form whose moments they are.
        time_zone: What the file says about it.
    """
    by_name = {column.name: column for column in columns}
    known = MOMENTS.get(format_name, USUAL_MOMENTS)
    if form:
        known = {"answered": (f"{form}_timestamp",)}
    found = {what: name for what, words in known.items() if (name := _named(list(by_name), words))}
    if "answered" not in found:
        moments = [
            column.name
            for column in columns
            if column.filled and column.with_offset + column.without_offset == column.filled
        ]
        if not moments:
            return Guess(unsure=["No column says when the questionnaire was answered."])
        found["answered"] = moments[-1]
    guess = Guess({"moments": dict(found)})
    if format_name == "m-path":
        # They look like seconds since 1970 in UTC, and are local time.
        guess.settings["moments"] |= {"written_as": "unix_seconds", "clock": {"column": "timeZoneOffset"}}
        return guess
    answered = by_name[found["answered"]]
    begun = 1 if format_name == "redcap" else 0  # the one word that is no moment
    if answered.is_numeric and answered.least is not None and answered.least >= FIRST_SECOND:
        unit = "unix_milliseconds" if answered.least >= FIRST_MILLISECOND else "unix_seconds"
        guess.settings["moments"] |= {"written_as": unit, "clock": "utc"}
        guess.unsure.append(
            f"{answered.name}: read as {unit.replace('_', ' ')} in UTC. Some programs write local time so."
        )
    elif answered.with_offset and answered.with_offset == answered.filled:
        guess.settings["moments"] |= {"clock": "offset"}
    else:
        guess.settings["moments"] |= {"clock": time_zone or "participant"}
        guess.unsure += [] if time_zone else [WHOSE]
        if not answered.without_offset and answered.filled > begun:
            _guess_date_format(connection, answered, guess)
    return guess


def form_of(columns: Sequence[Column], items: Sequence[Column]) -> tuple[str | None, list[str]]:
    """Of REDCap: the form that most of the items belong to, by the columns that end with ``_complete``, and the other forms
    that have a moment of their own."""
    forms: dict[str, int] = {}
    for item in items:
        ends = [
            column.name[:-9] for column in columns if column.place > item.place and column.name.endswith("_complete")
        ]
        if ends:
            forms[ends[0]] = forms.get(ends[0], 0) + 1
    timed = [form for form in forms if any(column.name == f"{form}_timestamp" for column in columns)]
    if not timed:
        return None, []
    best = max(timed, key=lambda form: forms[form])
    return best, [form for form in timed if form != best]


def _guess_date_format(connection: duckdb.DuckDBPyConnection, column: Column, guess: Guess) -> None:
    cell = f"trim(c{column.place})"
    tried = ", ".join(f"count(try_strptime({cell}, '{format_}'))" for format_ in DATE_FORMATS)
    counts = connection.execute(f"select {tried} from {ROWS} where {cell} <> ''").fetchall()[0]
    if not max(counts):
        guess.unsure.append(
            f'{column.name}: it is not clear how its times are written. Write it: date_format: "%d.%m.%Y %H:%M".'
        )
        return
    fitting = [format_ for format_, count in zip(DATE_FORMATS, counts, strict=True) if count == max(counts)]
    guess.settings["moments"]["date_format"] = fitting[0]
    if len(fitting) > 1:
        guess.unsure.append(f"{column.name}: is it {' or '.join(fitting)}? The map says the first.")


def _named(header: Sequence[str], words: Sequence[str]) -> str | None:
    """The first of ``words`` that is a name in ``header``, in any case."""
    by_lower = {name.casefold(): name for name in reversed(header)}
    return next((by_lower[word.casefold()] for word in words if word.casefold() in by_lower), None)
