"""What is taken from an export: the listed kinds of files, their listed keys, and nothing else.

``consonance/study/stores.yml`` says which key lands in which column.

Source: counted on sixteen published exports of 2013 to 2025. Four field sets of the extended
history occur (24 keys in 2020, 21 until 2024-10, 19 around 2024-11, 23 from 2025); files, folders
and key sets were renamed more than once, so a file is recognised by the keys of its first
recognisable row, never by its name.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from consonance.study.declared_tables import Column
from consonance.study.schema import tables

FieldType = Literal["text", "flag", "stamp"]

# What some programs begin a text in UTF-8 with.
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_FIELD_TYPES: dict[str, FieldType] = {"varchar": "text", "boolean": "flag", "bigint": "stamp"}


@dataclass(frozen=True)
class Field:
    """One optional key of a row: the column it lands in and the JSON type it must have."""

    key: str
    column: str
    type: FieldType


@dataclass(frozen=True)
class Kind:
    """One kind of listening-history file.

    Attributes:
        name: As in ``raw.members.kind``.
        table: The table its rows land in.
        time_key, duration_key: The two keys without which there is no play.
        time_pattern: What the text under ``time_key`` must look like (RE2).
        usual_time: What it looks like as a rule; a plain UTC time.
        time_column: Where it lands, as UTC.
        fields: The other listed keys.
        names: Further keys by which ``recognise`` knows a row of this kind.
    """

    name: str
    table: str
    time_key: str
    duration_key: str
    time_pattern: str
    usual_time: str
    time_column: str
    fields: tuple[Field, ...]
    names: tuple[str, ...]

    @property
    def listed_keys(self) -> tuple[str, ...]:
        return (self.time_key, self.duration_key, *(field.key for field in self.fields))


DATE = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
ISO_8601 = rf"{DATE}[T ]{CLOCK}(:[0-5]\d(\.\d{{1,9}})?)?(Z|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)?"
MINUTES = rf"{DATE} {CLOCK}"
DURATION_COLUMN = "ms_played"


def _kind(name: str, table: str, time_column: str, time_pattern: str, usual_time: str, *names: str) -> Kind:
    """A kind whose keys are those that ``table`` declares for it; without ``names`` it is known by all of them."""
    columns: dict[str, Column] = {
        key: column for column in tables()[table].columns.values() if (key := column.keys(name))
    }
    required = {column.name: key for key, column in columns.items() if column.name in (time_column, DURATION_COLUMN)}
    fields = tuple(
        Field(key, column.name, _FIELD_TYPES[column.type])
        for key, column in columns.items()
        if key not in required.values()
    )
    return Kind(
        name,
        table,
        required[time_column],
        required[DURATION_COLUMN],
        time_pattern,
        usual_time,
        time_column,
        fields,
        names or tuple(field.key for field in fields),
    )


EXTENDED = _kind(
    "extended",
    "extended_plays",
    "ts",
    ISO_8601,
    rf"{DATE}T{CLOCK}:[0-5]\dZ",
    "master_metadata_track_name",
    "master_metadata_album_artist_name",
    "spotify_track_uri",
    "episode_name",
    "episode_show_name",
    "conn_country",
    "platform",
    "reason_start",
    "reason_end",
    "incognito_mode",
)
KINDS = (
    EXTENDED,
    *(_kind(name, "account_plays", "end_time", MINUTES, MINUTES) for name in ("podcast", "audiobook", "music")),
)

# Shows whether a person donated exports of two Spotify accounts; kept per file, not per row.
ACCOUNT_KEY = "username"


def recognise(keys: Collection[str]) -> Kind | None:
    """The listed kind of a row with these keys: both required keys, or one and two of the names."""
    for kind in KINDS:
        required = len({kind.time_key, kind.duration_key} & set(keys))
        named = len(set(kind.names) & set(keys))
        if (required == 2 and (named or kind is EXTENDED)) or (required == 1 and named >= 2):
            return kind
    return None
