"""What an export in the shape of openESM may say: it is read again after it was written, and before it is where it shall be."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import duckdb
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from consonance.export.folder import CannotExport
from consonance.study.vault import session_settings

QUERIES = ("openesm_beeps.sql", "openesm.py")
FEWEST = 10
# The columns before the items. What else says when or whose a beep is would be the same in the warehouse.
COUNTERS = ("id", "day", "beep", "counter", "hour")
# As functions/survey_answer.sql lets answers pass: a date as a number is larger.
LARGEST_ANSWER = 999
# Each is nobody's if the export is as it should be. Days and beeps are counted from each participant's own first one: a
# day of a calendar, also of the shifted one, would be the same in the warehouse. Answers are numbers.
FAULTS = {
    "day does not begin with 1 for each participant": "select 1 from beeps group by id having min(day) <> 1",
    "day goes back": (
        "select 1 from (select day, lag(day) over (partition by id order by counter) as before from beeps) where day < before"
    ),
    "counter is not 1, 2, 3, … for each participant": (
        "select 1 from beeps group by id having min(counter) <> 1 or max(counter) <> count(*) or count(distinct counter) <> count(*)"
    ),
    "beep is not 1, 2, 3, … on each day": (
        "select 1 from beeps group by id, day having min(beep) <> 1 or max(beep) <> count(*) or count(distinct beep) <> count(*)"
    ),
    "hour is not 0 to 23": "select 1 from beeps where hour not between 0 and 23",
    "id is not 1, 2, 3, …": "select 1 from (select distinct id from beeps) having min(id) <> 1 or max(id) <> count(*)",
}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


Count = Annotated[int, Field(ge=0)]
Digits = Annotated[str, Field(pattern=r"^\d+$")]
Nothing = Literal[""]


class _Feature(_Part):
    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    # What the study or the seeds say of an instrument.
    description: str
    details: str
    source: str
    variable_type: Literal["categorical", "numeric", "rating_scale"]
    answer_categories: Annotated[str, Field(pattern=r"^[-0-9.]*$")]
    labels: Nothing
    transformation: Nothing
    construct_: Annotated[Nothing, Field(alias="construct")]
    comments: Nothing
    assessment_type: Literal["ESM"]


class _Metadata(_Part):
    """What the metadata may say: counts of everybody together, and words that are the same in every export."""

    first_author: str
    dataset_id: Literal["0000"]
    year: Count
    reference_a: None
    paper_doi: None
    n_participants: Count
    n_time_points: Count
    n_days: Digits
    n_beeps_per_day: Digits
    passive_data_available: Literal["no"]
    cross_sectional_available: Literal["no"]
    topics: Literal["mood, music"]
    implicit_missingness: Literal["yes", "no"]
    raw_time_stamp: Literal["no"]
    sampling_scheme: None
    participants: None
    additional_comments: Annotated[str, Field(pattern=r"^\D*$")]
    features: list[_Feature]


def refuse_what_tells_too_much(draft: Path, data: Path, metadata: Mapping[str, Any], persons: Sequence[str]) -> None:
    """Refuse an export that has more in it than counters and numbers, or by which somebody is found in the warehouse.

    Args:
        draft: The folder of the export.
        data: Its table.
        metadata: What its other file says.
        persons: The pseudonyms of those in it, in the order of their numbers.

    Raises:
        CannotExport: something is wrong with it.
    """
    problems = [*_problems(draft, data, metadata), *_other_words(metadata), *_order(persons)]
    if problems:
        looked = " and ".join(f"consonance/export/{name}" for name in QUERIES)
        raise CannotExport(f"Nothing was exported: {'; '.join(problems)}.", f"Look at {looked}.")


def _other_words(metadata: Mapping[str, Any]) -> Iterator[str]:
    """The parts of the metadata that say something else than is listed. The message of pydantic would quote it."""
    try:
        _Metadata.model_validate(dict(metadata))
    except ValidationError as error:
        known = {*_Metadata.model_fields, *_Feature.model_fields}
        for fault in error.errors(include_input=False, include_context=False):
            place = [part if part in known else "…" for part in fault["loc"] if isinstance(part, str)]
            yield f"the metadata may not say this: {'.'.join(place)}"


def _problems(draft: Path, data: Path, metadata: Mapping[str, Any]) -> Iterator[str]:
    described = [feature["name"] for feature in metadata["features"]]
    if len(list(draft.iterdir())) != 2:
        yield "there are other files than data and metadata"
    with duckdb.connect(config=session_settings()) as connection:
        read = "read_csv($file, delim = '\t', header = true, nullstr = 'NA', all_varchar = true)"
        connection.execute(f"create temp table texts as from {read}", {"file": str(data)})
        columns = [name for (name, *_) in connection.execute("describe texts").fetchall()]
        if columns != described or columns[: len(COUNTERS)] != list(COUNTERS):
            yield f"its columns are not {', '.join(COUNTERS)} and the items that the metadata describe"
            return
        types = {name: "integer" if name in COUNTERS else "double" for name in columns}
        no_numbers = [
            name
            for name, kind in types.items()
            if connection.execute(
                f'select 1 from texts where "{name}" is not null and try_cast("{name}" as {kind}) is null limit 1'
            ).fetchall()
        ]
        if no_numbers:
            yield f"{', '.join(no_numbers)} has texts"
            return
        too_large = [
            name
            for name in columns[len(COUNTERS) :]
            if connection.execute(
                f'select 1 from texts where abs(cast("{name}" as double)) > {LARGEST_ANSWER} limit 1'
            ).fetchall()
        ]
        if too_large:
            yield f"{', '.join(too_large)} has numbers that are no answers"
        numbers = ", ".join(f'cast("{name}" as integer) as {name}' for name in COUNTERS)
        connection.execute(f"create temp table beeps as select {numbers} from texts")
        for what, query in FAULTS.items():
            if connection.execute(f"{query} limit 1").fetchall():
                yield what


def _order(persons: Sequence[str]) -> Iterator[str]:
    """Whether the numbers follow an order that somebody with the pseudonyms can make again."""
    keys: list[Callable[[str], str]] = [str, lambda one: one[::-1], *map(_digest_by, ("md5", "sha1", "sha256"))]
    orders = [sorted(persons, key=key) for key in keys]
    # So many persons are in one of these orders by chance in one of 360,000 exports.
    if len(persons) >= FEWEST and list(persons) in [*orders, *(order[::-1] for order in orders)]:
        yield "id follows the order of the pseudonyms, or of a digest of them"


def _digest_by(kind: str) -> Callable[[str], str]:
    return lambda one: hashlib.new(kind, one.encode(), usedforsecurity=False).hexdigest()
