"""How the numbers of a feature archive are written: decided from all values of the file, never from one.

A decimal comma or a point; fractions or percent. Where the file leaves it open, the column is refused.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import duckdb

from consonance.study.dbt_command import PROJECT
from loaders.side_files import ROWS

Mark = Literal["point", "comma"]

FEATURES = PROJECT / "seeds" / "audio_features.csv"
# Of these only whole numbers are possible.
WHOLE = ("musical_key", "mode", "time_signature")

# By so much a fraction may lie beyond 0 or 1, and counts as 0 or 1: what storing it with fewer digits does.
NOISE = 0.001
# A column is clear if so many values agree for each one that does not.
CLEAR = 19
# Texts that mean no value, and Spotify's own numbers for it.
NOTHING = ("", "na", "n/a", "nan", "null", "none", "-")
NO_VALUE = {"musical_key": -1, "time_signature": 0, "tempo": 0}

WORDS = {
    "musical_key": {
        **dict(zip(("c", "c#", "d", "d#", "e", "f", "f#", "g", "g#", "a", "a#", "b"), range(12), strict=True)),
        **{"db": 1, "eb": 3, "gb": 6, "ab": 8, "bb": 10},
    },
    "mode": {"major": 1, "minor": 0},
    "time_signature": {f"{beats}/{unit}": beats for unit in (4, 8) for beats in range(1, 13)},
}

EXPONENT = r"([eE][+-]?\d+)?"
# A comma, or a point, that must be the decimal mark; what is left may as well part thousands.
SURE = {
    "comma": (rf"[+-]?(0?|\d{{4,}})[,]\d+{EXPONENT}", rf"[+-]?\d+,(\d{{1,2}}|\d{{4,}}){EXPONENT}", r"[+-]?\d+,\d+[eE][+-]?\d+", r"[+-]?\d{1,3}(\.\d{3})+,\d+", r"[+-]?\d{1,3}(\.\d{3}){2,}"),
    "point": (rf"[+-]?(0?|\d{{4,}})[.]\d+{EXPONENT}", rf"[+-]?\d+\.(\d{{1,2}}|\d{{4,}}){EXPONENT}", r"[+-]?\d+\.\d+[eE][+-]?\d+", r"[+-]?\d{1,3}(,\d{3})+\.\d+", r"[+-]?\d{1,3}(,\d{3}){2,}"),
}  # fmt: skip
EITHER = {"comma": r"[+-]?[1-9]\d{0,2},\d{3}", "point": r"[+-]?[1-9]\d{0,2}\.\d{3}"}


@dataclass(frozen=True)
class Feature:
    """One audio feature: the smallest and the largest possible value, and whether it is a share of 1."""

    least: float
    most: float
    is_fraction: bool


@cache
def features() -> dict[str, Feature]:
    """The features that are known, by name: ``seeds/audio_features.csv``."""
    with FEATURES.open(encoding="utf-8", newline="") as file:
        return {
            row["feature"]: Feature(
                float(row["range_min"]), float(row["range_max"]), row["unit"] in ("fraction", "probability")
            )
            for row in csv.DictReader(file)
        }


@dataclass
class Reading:
    """How the columns of one file are read.

    Attributes:
        marks: The decimal mark of each feature.
        percents: The features that are written in percent.
        refused: The features of which it stays open, and why.
    """

    marks: dict[str, Mark] = field(default_factory=dict)
    percents: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    def as_text(self) -> list[str]:
        """What was decided, for reports."""
        read = [feature for feature in self.marks if feature not in self.refused]
        commas = [feature for feature in read if self.marks[feature] == "comma"]
        decided = []
        if commas:
            decided.append("decimal comma" + ("" if len(commas) == len(read) else f" in {', '.join(commas)}"))
        if self.percents:
            decided.append(f"percent in {', '.join(self.percents)}")
        return decided


def decide(connection: duckdb.DuckDBPyConnection, columns: Mapping[str, str], delimiter: str) -> Reading:
    """Decide how the values of ``side_rows`` are written.

    Args:
        connection: With the temporary table ``side_rows``.
        columns: The column of each feature.
        delimiter: Of the file: between semicolons a comma is the decimal mark.
    """
    reading = Reading()
    _decide_marks(connection, columns, delimiter, reading)
    _decide_percents(connection, columns, reading)
    return reading


def numbers_sql(columns: Mapping[str, str], reading: Reading) -> str:
    """``side_rows`` with one more column for each feature, ``n_<feature>``: the number in its cell; null if it is none."""
    numbers = "".join(f", {_number(one, column, reading.marks[one])} as n_{one}" for one, column in columns.items())
    return f"(select *{numbers} from {ROWS}) as numbered_rows"


def value_sql(feature: str, column: str, reading: Reading) -> str:
    """The value of a cell of ``numbers_sql`` in the unit of the catalogue; null if it is empty, none or out of range."""
    if feature in reading.refused:
        return "cast(null as double)"
    number = f"n_{feature}"
    known = features()[feature]
    if not known.is_fraction:
        is_whole = f" and {number} = round({number})" if feature in WHOLE else ""
        return f"case when {number} between {known.least} and {known.most}{is_whole} then {number} end"
    is_percent = "true" if feature in reading.percents else f"ends_with(trim({column}), '%')"
    share = f"({number} / case when {is_percent} then 100 else 1 end)"
    return f"case when {share} between {-NOISE} and 1 + {NOISE} then least(greatest({share}, 0), 1) end"


def is_filled_sql(feature: str, column: str) -> str:
    """Whether a cell of ``numbers_sql`` is meant to have a value."""
    nothing = ", ".join(f"'{word}'" for word in NOTHING)
    filled = f"(coalesce(lower(trim({column})), '') not in ({nothing}))"
    if feature in NO_VALUE:
        filled = f"({filled} and coalesce(n_{feature} <> {NO_VALUE[feature]}, true))"
    return filled


def _number(feature: str, column: str, mark: Mark) -> str:
    """The number in a cell as a double, as it is written; null if it is none."""
    plain = _plain(column)
    text = (
        f"replace(replace({plain}, '.', ''), ',', '.')" if mark == "comma"
        else f"case when contains({column}, ',') and regexp_full_match({plain}, '[+-]?\\d{{1,3}}(,\\d{{3}})+(\\.\\d+)?') then replace({plain}, ',', '') else {plain} end"
    )  # fmt: skip
    number = f"try_cast({text} as double)"
    if feature in WORDS:
        words = ", ".join(f"'{word}': {value}" for word, value in WORDS[feature].items())
        word = f"replace(replace(lower({plain}), '♯', '#'), '♭', 'b')"
        number = f"coalesce({number}, map {{{words}}}[{word}])"
    return f"(list_transform([{number}], lambda found: if(isfinite(found), found, null))[1])"


def _plain(column: str) -> str:
    """A cell without blanks, percent sign and typographic minus."""
    return f"replace(rtrim(rtrim(trim({column}), '%')), '−', '-')"


def _decide_marks(
    connection: duckdb.DuckDBPyConnection, columns: Mapping[str, str], delimiter: str, reading: Reading
) -> None:
    def matches(column: str, patterns: Sequence[str]) -> str:
        return (
            "count(*) filter (where "
            + " or ".join(f"regexp_full_match({_plain(column)}, '{one}')" for one in patterns)
            + ")"
        )

    # Most tables have decimal points alone. That is found out quickly.
    if not any(
        _counts(
            connection,
            [f"count(*) filter (where {column} like '%,%' or {column} like '%.%.%')" for column in columns.values()],
        )
    ):
        reading.marks |= dict.fromkeys(columns, "point")
        return
    counts = _counts(
        connection,
        [
            matches(column, patterns)
            for column in columns.values()
            for patterns in (SURE["comma"], SURE["point"], (EITHER["comma"],))
        ],
    )
    signs = {feature: tuple(counts[3 * place : 3 * place + 3]) for place, feature in enumerate(columns)}
    commas = any(comma for comma, _, _ in signs.values())
    points = any(point for _, point, _ in signs.values())
    by_semicolon = delimiter == ";"
    for feature, (comma, point, either) in signs.items():
        if comma and point:
            reading.refused[feature] = "some of its values have a decimal comma, others a point"
        elif either and not (comma or point) and ((commas and points) or not (commas or points or by_semicolon)):
            reading.refused[feature] = "its commas may be decimal commas, or may separate thousands"
        is_comma = comma > 0 or (not point and not points and (commas or (by_semicolon and either > 0)))
        reading.marks[feature] = "comma" if is_comma else "point"


def _decide_percents(connection: duckdb.DuckDBPyConnection, columns: Mapping[str, str], reading: Reading) -> None:
    """A value between 0 and 1 is a sign of fractions, one between 1 and 100 of percent; 0 and 1 are no sign.

    A column is clear if nearly all of its values agree, and for percent at least two. The others follow
    the clear ones; what these leave open is refused.
    """
    fractions_there = [one for one in columns if features()[one].is_fraction and one not in reading.refused]

    def signs(feature: str) -> list[str]:
        # A value with a percent sign says itself what it is.
        number = f"n_{feature} {{}} and not ends_with(trim({columns[feature]}), '%')"
        return [
            f"count(*) filter (where {number.format(condition)})"
            for condition in (
                f"> {NOISE} and n_{feature} < 1",
                f"> {1 + NOISE} and n_{feature} <= 100",
                "= 1",
                f"> 1 and n_{feature} <> round(n_{feature})",
            )
        ]

    counts = _counts(
        connection, [count for feature in fractions_there for count in signs(feature)], numbers_sql(columns, reading)
    )
    below, above, ones, uneven = (dict(zip(fractions_there, counts[place::4], strict=True)) for place in range(4))
    fractions = {one for one in fractions_there if below[one] and below[one] >= CLEAR * above[one]}
    percents = {one for one in fractions_there if above[one] > 1 and above[one] >= CLEAR * below[one]}
    if not fractions and not percents and not any(below.values()) and sum(above.values()) > 1:
        percents = {one for one in fractions_there if above[one]}
    for feature in fractions_there:
        if feature in fractions:
            if any(uneven[one] for one in percents):
                reading.refused[feature] = "its values may be fractions, or small percentages as in other columns"
        elif feature in percents or ((above[feature] or ones[feature]) and percents and not fractions):
            reading.percents.append(feature)
        elif above[feature] and not fractions and above[feature] == 1 and below[feature]:
            continue  # fractions: one value never rescales others
        elif (above[feature] and not fractions) or ((above[feature] or ones[feature]) and percents):
            reading.refused[feature] = "its values may be fractions or percentages"


def _counts(connection: duckdb.DuckDBPyConnection, expressions: Sequence[str], relation: str = ROWS) -> list[int]:
    if not expressions:
        return []
    (row,) = connection.execute(f"select {', '.join(expressions)} from {relation}").fetchall()
    return [int(count) for count in row]
