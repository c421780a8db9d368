"""The JSON documents of AcousticBrainz: a submission each, of its low-level or its high-level features. No persons.

Source: https://acousticbrainz.org/data (CC0). Dumps have a file for each submission, ``<mbid>-<number>.json``. The API
gives one document, or one object for several recordings: ``{mbid: {number: document}}``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from loaders.dump_tables import FLATS, KEYS

# The column of the catalogue, the classifier, the class whose probability it has, and the other class.
CLASSES = (
    ("danceable", "danceability", "danceable"),
    ("mood_acoustic", "mood_acoustic", "acoustic"),
    ("mood_aggressive", "mood_aggressive", "aggressive"),
    ("mood_electronic", "mood_electronic", "electronic"),
    ("mood_happy", "mood_happy", "happy"),
    ("mood_party", "mood_party", "party"),
    ("mood_relaxed", "mood_relaxed", "relaxed"),
    ("mood_sad", "mood_sad", "sad"),
    ("instrumental", "voice_instrumental", "instrumental"),
    ("tonal", "tonal_atonal", "tonal"),
    ("bright", "timbre", "bright"),
)
# The genre classifiers, by what follows genre_ in their names, and the classes of each.
GENRES = {
    "dortmund": (
        "alternative",
        "blues",
        "electronic",
        "folkcountry",
        "funksoulrnb",
        "jazz",
        "pop",
        "raphiphop",
        "rock",
    ),
    "electronic": ("ambient", "dnb", "house", "techno", "trance"),
    "rosamerica": ("cla", "dan", "hip", "jaz", "pop", "rhy", "roc", "spe"),
    "tzanetakis": ("blu", "cla", "cou", "dis", "hip", "jaz", "met", "pop", "reg", "roc"),
}
MBID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

SUBMISSIONS = f"""
    create or replace temp table submissions as
    with named as (
        select unnest($names) as name, unnest($documents) as document, generate_subscripts($names, 1) as place
    ),

    valid as (
        select name, place, cast(document as json) as document
        from named
        where json_valid(document) and json_type(document) = 'OBJECT'
    ),

    -- The API's answer for several recordings.
    recordings as (
        select name, place, unnest(list_filter(json_keys(document), lambda key: regexp_full_match(key, '{MBID}'))) as mbid, document
        from valid
    ),

    wrapped as (
        select place, mbid, json_extract(document, '$."' || mbid || '"') as documents
        from recordings
    ),

    numbered as (
        select place, mbid, documents, unnest(json_keys(documents)) as number
        from wrapped
    ),

    alone as (
        select
            place,
            coalesce(
                nullif(regexp_extract(name, '({MBID})[^/]*$', 1), ''),
                document ->> '$.metadata.tags.musicbrainz_recordingid[0]',
                document ->> '$.metadata.tags.musicbrainz_trackid[0]'
            ) as mbid,
            coalesce(nullif(regexp_extract(name, '{MBID}-([0-9]+)[.]json$', 1), ''), '0') as number,
            document
        from valid
        where place not in (select place from recordings)
    )

    select
        place,
        try_cast(mbid as uuid) as recording_mbid,
        try_cast(number as integer) as submission_offset,
        document
    from (
        select place, mbid, number, json_extract(documents, '$."' || number || '"') as document from numbered
        union all
        select place, mbid, number, document from alone
    )
"""


@dataclass(frozen=True)
class Part:
    """What lands of a document in one table: the columns, each with its SQL over ``document``."""

    source_id: str
    table: str
    values: dict[str, str]
    key: tuple[str, ...] = ("recording_mbid", "submission_offset")


def _probability(classifier: str, name: str) -> str:
    """The probability of class ``name``. Of two classes the likelier one may be all that a document says."""
    place = f"coalesce(document -> '$.highlevel.{classifier}', document -> '$.{classifier}')"
    return f"""
        list_transform([{place}], lambda found: coalesce(
            try_cast(found ->> '$.all.{name}' as double),
            if(found ->> '$.value' = '{name}', 1, -1) * try_cast(found ->> '$.probability' as double)
            + if(found ->> '$.value' = '{name}', 0, 1)
        ))[1]
    """


def _genres() -> dict[str, str]:
    """The probability of each genre. All of them are read at once: to parse a document takes longest."""
    names = [(model, genre) for model, genres in GENRES.items() for genre in genres]
    paths = ", ".join(f"'$.genre_{model}.all.{genre}'" for model, genre in names)
    read = f"json_extract_string(coalesce(document -> '$.highlevel', document), [{paths}])"
    return {
        f"{model}_{genre}": f"try_cast({read}[{place}] as double)"
        for place, (model, genre) in enumerate(names, start=1)
    }


def _number(place: str) -> str:
    return f"try_cast(document ->> '$.{place}' as double)"


PARTS = (
    Part(
        "acousticbrainz_highlevel",
        "acousticbrainz_highlevel",
        {column: _probability(classifier, name) for column, classifier, name in CLASSES},
    ),
    Part("acousticbrainz_highlevel", "acousticbrainz_genres", _genres()),
    Part(
        "acousticbrainz_lowlevel",
        "acousticbrainz_rhythm",
        {name: _number(f"rhythm.{name}") for name in ("bpm", "danceability", "onset_rate")},
    ),
    Part(
        "acousticbrainz_lowlevel",
        "acousticbrainz_tonal",
        {
            "musical_key": f"coalesce(nullif(list_position({KEYS}, document ->> '$.tonal.key_key'), 0), nullif(list_position({FLATS}, document ->> '$.tonal.key_key'), 0)) - 1",
            "mode": "case document ->> '$.tonal.key_scale' when 'minor' then 0 when 'major' then 1 end",
            "tuning_frequency": _number("tonal.tuning_frequency"),
        },
    ),
    Part(
        "acousticbrainz_lowlevel",
        "acousticbrainz_lowlevel",
        {name: _number(f"lowlevel.{name}") for name in ("average_loudness", "dynamic_complexity")},
    ),
)


def is_document(head: bytes) -> bool:
    """Whether a file that begins with ``head`` is a JSON document."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"


def land_documents(
    connection: duckdb.DuckDBPyConnection, source_id: str, named: Sequence[tuple[str, str]], rejected: Counter[str]
) -> int:
    """Land the submissions of some documents, and count in ``rejected`` those of which nothing landed.

    Args:
        connection: With the catalogue attached for writing.
        source_id: Which features are taken: ``acousticbrainz_highlevel`` or ``acousticbrainz_lowlevel``.
        named: Name of the file, and text, of each document.
        rejected: By reason. A document that is no JSON counts as one submission.

    Returns:
        How many submissions landed.
    """
    parts = [part for part in PARTS if part.source_id == source_id]
    names, documents = (list(one) for one in zip(*named, strict=True))
    connection.execute(SUBMISSIONS, {"names": names, "documents": documents})
    values = {column: sql for part in parts for column, sql in part.values.items()}
    connection.execute(
        f"""
        create or replace temp table staged_submissions as
        select place, recording_mbid, submission_offset, {", ".join(f"{sql} as {column}" for column, sql in values.items())}
        from submissions
        """
    )
    ((read, without_id, without_values, landed),) = connection.execute(
        f"""
        select
            count(distinct place), count(*) filter (where recording_mbid is null or submission_offset is null),
            count(*) filter (where recording_mbid is not null and submission_offset is not null and coalesce({", ".join(values)}) is null),
            count(*) filter (where recording_mbid is not null and submission_offset is not null and coalesce({", ".join(values)}) is not null)
        from staged_submissions
        """
    ).fetchall()
    rejected.update({"no_json": len(named) - read, "no_recording_id": without_id, "no_value": without_values})
    for part in parts:
        columns = ", ".join(part.values)
        connection.execute(
            f"""
            insert into catalogue.music.{part.table} by name
            select recording_mbid, submission_offset, {columns}
            from staged_submissions
            where recording_mbid is not null and submission_offset is not null and coalesce({columns}) is not null
            order by place, submission_offset
            """
        )
    connection.execute("drop table submissions; drop table staged_submissions")
    return int(landed)


def last_rows(connection: duckdb.DuckDBPyConnection, source_id: str) -> dict[str, int]:
    """The last row of each table into which documents of ``source_id`` land; what lands from now on is behind it."""
    rows = {}
    for table in (part.table for part in PARTS if part.source_id == source_id):
        ((row,),) = connection.execute(f"select coalesce(max(rowid), -1) from catalogue.music.{table}").fetchall()
        rows[table] = int(row)
    return rows


def new_submissions(connection: duckdb.DuckDBPyConnection, before: Mapping[str, int]) -> int:
    """How many submissions have a row behind ``before`` in one table at least: only in some may they be repeated."""
    rows = " union ".join(
        f"select recording_mbid, submission_offset from catalogue.music.{table} where rowid > {row}"
        for table, row in before.items()
    )
    ((submissions,),) = connection.execute(f"select count(*) from ({rows})").fetchall()
    return int(submissions)
