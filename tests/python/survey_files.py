"""Questionnaire files in the true layouts of the programs that write them, made of reports."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Beep:
    """One prompt: whose, when it was sent, and after how many seconds it was opened and answered, in ``zone``."""

    code: str
    sent: datetime
    zone: str = "Europe/Berlin"
    opened_after: int | None = 60
    answered_after: int | None = 90
    answers: dict[str, str] = field(default_factory=dict)

    def local(self, after: int) -> datetime:
        """The time on a clock at the participant's, so many seconds after the prompt."""
        return (self.sent + timedelta(seconds=after)).astimezone(ZoneInfo(self.zone))


def mpath(beeps: list[Beep], question_list: str = "beep") -> str:
    """m-Path: a byte order mark, semicolons, strings in three quotation marks, local time that looks like Unix seconds."""
    names = list(dict.fromkeys(name for beep in beeps for name in beep.answers))
    own = (
        "connectionId;legacyCode;code;alias;initials;accountCode;scheduledBeepId;sentBeepId;reminderForOriginalSentBeepId;"
        "questionListName;questionListLabel;fromProtocolName;timeStampScheduled;timeStampSent;timeStampStart;timeStampStop;"
        "originalTimeStampSent;timeZoneOffset;deltaUTC"
    )
    lines = [";".join([own, *names])]
    for number, beep in enumerate(beeps):
        at = beep.local(0)
        offset = int((at.utcoffset() or timedelta()).total_seconds())
        sent = int(at.timestamp()) + offset

        def stamp(after: int | None, sent: int = sent) -> str:
            return "0" if after is None else str(sent + after)

        cells = [
            "234609", "!9v48@jp7a7", '"!byyo kjyt"', beep.code, "Ver", "jp7a7", str(28626776 + number), str(19369681 + number), "0",
            question_list, "", "some_protocol", str(sent - 2), str(sent), stamp(beep.opened_after), stamp(beep.answered_after), "0",
            str(offset), "0",
        ]  # fmt: skip
        lines.append(";".join([*cells, *(beep.answers.get(name, "") for name in names)]))
    return "﻿" + "\r\n".join(lines) + "\r\n"


def mpath_listing(questions: dict[str, str]) -> str:
    """m-Path's list of questions."""
    rows = [
        f'{name};" <p style=""font-size: 30px;""> {text} </p>";sliderNegPos;int;0;0;0'
        for name, text in questions.items()
    ]
    return "\n".join(
        [
            "columnName;fullQuestion;typeQuestion;typeAnswer;fullQuestion_mixed;typeQuestion_mixed;typeAnswer_mixed",
            *rows,
            "",
        ]
    )


def qualtrics(
    beeps: list[Beep], labels: dict[str, str], time_zone: str | None = None, finished: tuple[str, str] = ("1", "0")
) -> str:
    """Qualtrics: three header rows, and columns that identify."""
    own = {
        "StartDate": "Start Date", "EndDate": "End Date", "Status": "Response Type", "IPAddress": "IP Address",
        "Progress": "Progress", "Duration (in seconds)": "Duration (in seconds)", "Finished": "Finished",
        "RecordedDate": "Recorded Date", "ResponseId": "Response ID", "RecipientLastName": "Recipient Last Name",
        "RecipientEmail": "Recipient Email", "LocationLatitude": "Location Latitude", "LocationLongitude": "Location Longitude",
        "UserLanguage": "User Language", "code": "Please enter your code,\nas on your card:",
    }  # fmt: skip

    def quoted(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    def import_id(name: str) -> str:
        zone = {"timeZone": time_zone} if time_zone and name.endswith("Date") else {}
        return json.dumps({"ImportId": name[0].lower() + name[1:], **zone}, separators=(",", ":"))

    heads = {**own, **labels}
    lines = [
        ",".join(heads),
        ",".join(map(quoted, heads.values())),
        ",".join(quoted(import_id(name)) for name in heads),
    ]
    for number, beep in enumerate(beeps):
        ended = beep.answered_after if beep.answered_after is not None else (beep.opened_after or 0) + 5
        is_finished = beep.answered_after is not None
        start, end = (f"{beep.local(after):%Y-%m-%d %H:%M:%S}" for after in (beep.opened_after or 0, ended))
        cells = [
            start, end, "0", "198.51.100.7", "100" if is_finished else "40", "30", finished[not is_finished], end, f"R_{number:015}",
            "Doe", "jane.doe@mail.example", "52.520008", "13.404954", "DE", beep.code,
        ]  # fmt: skip
        lines.append(",".join([*cells, *(beep.answers.get(name, "") for name in labels)]))
    return "\n".join(lines) + "\n"


def redcap(beeps: list[Beep], form: str, names: list[str]) -> str:
    """REDCap: one row for each record and event; another form's columns beside it."""
    lines = [
        ",".join(
            [
                "record_id",
                "redcap_event_name",
                "redcap_survey_identifier",
                "note",
                "intake_complete",
                f"{form}_timestamp",
                *names,
                f"{form}_complete",
            ]
        )
    ]
    for number, beep in enumerate(beeps):
        is_sent = beep.answered_after is not None
        moment = f"{beep.local(beep.answered_after or 0):%Y-%m-%d %H:%M:%S}" if is_sent else "[not completed]"
        cells = [beep.code, f"wave_{number}_arm_1", "", "typed by somebody", "2", moment]
        lines.append(",".join([*cells, *(beep.answers.get(name, "") for name in names), "2" if is_sent else "0"]))
    lines.append(",".join([beeps[0].code, "intake_arm_1", "", "", "2", "", *("" for _ in names), ""]))
    return "\n".join(lines) + "\n"


def limesurvey(beeps: list[Beep], names: list[str]) -> str:
    """LimeSurvey: everything in quotation marks; submitdate is empty if it was not finished."""
    heads = [
        "id",
        "submitdate",
        "lastpage",
        "startlanguage",
        "seed",
        "token",
        "startdate",
        "datestamp",
        "ipaddr",
        *names,
    ]
    lines = [",".join(f'"{name}"' for name in heads)]
    for number, beep in enumerate(beeps):
        begun = f"{beep.local(beep.opened_after or 0):%Y-%m-%d %H:%M:%S}"
        sent = f"{beep.local(beep.answered_after):%Y-%m-%d %H:%M:%S}" if beep.answered_after is not None else ""
        cells = [
            str(number + 1),
            sent,
            "2" if sent else "1",
            "de",
            "1234567",
            beep.code,
            begun,
            sent or begun,
            "198.51.100.7",
        ]
        lines.append(",".join(f'"{cell}"' for cell in [*cells, *(beep.answers.get(name, "") for name in names)]))
    return "\n".join(lines) + "\n"


def formr(beeps: list[Beep], names: list[str]) -> str:
    """formr: every answer a text; all of them null if it was begun and not finished."""
    records = []
    for beep in beeps:
        sent = f"{beep.local(beep.answered_after):%Y-%m-%d %H:%M:%S}" if beep.answered_after is not None else None
        begun = f"{beep.local(beep.opened_after or 0):%Y-%m-%d %H:%M:%S}"
        own = {"session": beep.code, "created": begun, "modified": sent, "ended": sent, "expired": None}
        records.append(own | {name: beep.answers.get(name) if sent else None for name in names})
    return "[" + ",\n".join(json.dumps(record) for record in records) + "]"


def moment(text: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
