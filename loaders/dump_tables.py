"""The tables of open dumps: which columns each has, and what of them lands in the catalogue. No persons.

MusicBrainz' canonical data (https://musicbrainz.org/doc/Canonical_MusicBrainz_data) and AcousticBrainz' feature files
(https://acousticbrainz.org/download), both CC0. A table is recognised by the names in its header. Of canonical data
``combined_lookup`` is not read: it joins artist and title, and drops most scripts.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from loaders.streams import LONGEST_LINE, piped

KEYS = "['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B']"
FLATS = "['', 'Db', '', 'Eb', '', '', 'Gb', '', 'Ab', '', 'Bb', '']"
SUBMISSION = {"mbid": "UUID", "submission_offset": "INTEGER"}
OF_SUBMISSION = "mbid as recording_mbid, submission_offset"

# So many bytes of a table DuckDB reads at once: no fewer than its longest line. By itself it would take 16 times as many,
# and one processor waits while so much is unpacked. Measured 2026-11 on 30 million rows: 14 s, with 64 MiB 21.
BUFFER = LONGEST_LINE
# How DuckDB says that a line is no row of a table; anything else is a value of a column that cannot be read.
BAD_LINES = {
    "MISSING COLUMNS": "too_few_values",
    "TOO MANY COLUMNS": "too_many_values",
    "UNQUOTED VALUE": "broken_quotes",
    "LINE SIZE OVER MAXIMUM": "too_long",
    "INVALID ENCODING": "no_utf8",
}
# What is said of a row whose id cannot be read, or is missing.
NO_KEY = {
    "mbid": "no_recording_id",
    "recording_mbid": "no_recording_id",
    "canonical_recording_mbid": "no_canonical_recording_id",
    "submission_offset": "no_submission_offset",
}
# Several values of a line may be unreadable; the first one is said. DuckDB 1.5 counts lines inexactly, and of an id
# that is no UUID it counts the columns among those that are read.
FIRST_ERRORS = """
    select kind, if(kind = 'CAST', column_name, null), count(*)
    from (
        select
            arg_min(error_type::varchar, (column_idx, error_type::varchar)) as kind,
            arg_min(
                if(ends_with(error_message, $uuid), $read[column_idx::bigint], column_name), (column_idx, error_type::varchar)
            ) as column_name
        from bad_values
        group by line_byte_position
    )
    group by all
"""


@dataclass(frozen=True)
class Layout:
    """One kind of table.

    Attributes:
        source_id: Whose table it is.
        table: Of the catalogue, where its rows land.
        columns: What is read of it: name in the header, and type.
        needed: Those of ``columns`` that every row has a value of.
        optional: Those of ``columns`` that some dumps lack.
        select: What lands, from ``columns``.
        rejected: Reasons to reject a row that has landed, and their conditions, the first one first.
        key: The columns of ``table`` that identify a row.
        best: Of rows with the same key the one stays for which this is smallest.
        is_whole: A file has all there is: it replaces an older one.
        has_names: Its values are texts, too, some of them in quotation marks.
    """

    source_id: str
    table: str
    columns: Mapping[str, str]
    needed: tuple[str, ...]
    select: str
    key: tuple[str, ...]
    optional: tuple[str, ...] = ()
    rejected: Mapping[str, str] = field(default_factory=dict)
    best: str = "rowid"
    is_whole: bool = False
    has_names: bool = False

    @property
    def required(self) -> list[str]:
        return [name for name in self.columns if name not in self.optional]


def _number(column: str, name: str) -> str:
    return f"case when isfinite({column}) then {column} end as {name}"


LAYOUTS = (
    Layout(
        "musicbrainz_canonical",
        "recordings",
        {"recording_mbid": "UUID", "artist_credit_name": "VARCHAR", "recording_name": "VARCHAR", "release_name": "VARCHAR", "score": "DOUBLE"},
        ("recording_mbid",),
        """
        recording_mbid, trim(coalesce(artist_credit_name, '')) as artist, trim(coalesce(recording_name, '')) as title,
        coalesce(release_name, '') as album, coalesce(score, 0) as score
        """,
        key=("recording_mbid",),
        optional=("release_name", "score"),
        rejected={"no_artist": "artist = ''", "no_title": "title = ''"},
        # Some dumps name a recording twice, with two releases: the lowest score is the usual one.
        best="(score, rowid)",
        is_whole=True,
        has_names=True,
    ),
    Layout(
        "musicbrainz_redirects",
        "recording_redirects",
        {"recording_mbid": "UUID", "canonical_recording_mbid": "UUID"},
        ("recording_mbid", "canonical_recording_mbid"),
        "recording_mbid, canonical_recording_mbid",
        key=("recording_mbid",),
        is_whole=True,
    ),
    Layout(
        "acousticbrainz_lowlevel",
        "acousticbrainz_rhythm",
        {**SUBMISSION, "bpm": "DOUBLE", "danceability": "DOUBLE", "onset_rate": "DOUBLE"},
        tuple(SUBMISSION),
        f"{OF_SUBMISSION}, {', '.join(_number(name, name) for name in ('bpm', 'danceability', 'onset_rate'))}",
        key=("recording_mbid", "submission_offset"),
    ),
    Layout(
        "acousticbrainz_lowlevel",
        "acousticbrainz_tonal",
        {**SUBMISSION, "key_key": "VARCHAR", "key_scale": "VARCHAR", "tuning_frequency": "DOUBLE"},
        tuple(SUBMISSION),
        f"""
        {OF_SUBMISSION},
        coalesce(nullif(list_position({KEYS}, key_key), 0), nullif(list_position({FLATS}, key_key), 0)) - 1 as musical_key,
        case key_scale when 'minor' then 0 when 'major' then 1 end as mode,
        {_number('tuning_frequency', 'tuning_frequency')}
        """,
        key=("recording_mbid", "submission_offset"),
    ),
    Layout(
        "acousticbrainz_lowlevel",
        "acousticbrainz_lowlevel",
        {**SUBMISSION, "average_loudness": "DOUBLE", "dynamic_complexity": "DOUBLE"},
        tuple(SUBMISSION),
        f"{OF_SUBMISSION}, {_number('average_loudness', 'average_loudness')}, {_number('dynamic_complexity', 'dynamic_complexity')}",
        key=("recording_mbid", "submission_offset"),
    ),
)  # fmt: skip


def header_of(head: bytes) -> list[str]:
    """The names of the columns of a table that begins with ``head``; none if it is no table."""
    first = head.removeprefix(b"\xef\xbb\xbf").split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    return next(csv.reader([first]), [])


def layout_of(header: list[str]) -> Layout | None:
    """The layout whose columns ``header`` names, if there is one."""
    return next((layout for layout in LAYOUTS if set(layout.required) <= set(header)), None)


def quote_of(layout: Layout, head: bytes) -> str:
    """The sign that may enclose values of a table that begins with ``head``.

    Tables without names have none, unless another program wrote them again: its header has it, too. A broken line costs
    only itself then; otherwise its quotation mark would enclose all lines up to the next one.
    """
    return '"' if layout.has_names or b'"' in head.split(b"\n", 1)[0] else ""


def land_table(
    connection: duckdb.DuckDBPyConnection,
    layout: Layout,
    header: list[str],
    quote: str,
    content: Iterable[bytes],
    rejected: Counter[str],
) -> int:
    """Land the rows of a table, and count in ``rejected`` why others did not.

    Args:
        connection: With the catalogue attached for writing.
        layout: What lands of it.
        header: The names of its columns.
        quote: What may enclose its values.
        content: Its lines with the header, in UTF-8, in pieces of any size.
        rejected: By reason.

    Returns:
        How many landed.

    Raises:
        Exception: whatever ``content`` raises; by then rows may have landed.
    """
    read = [name for name in header if name in layout.columns]
    columns = ", ".join(
        f"'{name.replace(chr(39), chr(39) * 2)}': '{layout.columns.get(name, 'VARCHAR')}'" for name in header
    )
    absent = "".join(
        f", cast(null as {layout.columns[name]}) as {name}" for name in layout.optional if name not in header
    )
    with piped(content) as address:
        source = (
            f"(select {', '.join(read)}{absent} from read_csv('{address}', auto_detect = false, header = true, columns = {{{columns}}}, "
            f"delim = ',', quote = '{quote}', escape = '{quote}', force_not_null = {list(layout.needed)}, ignore_errors = true, "
            f"max_line_size = {LONGEST_LINE}, buffer_size = {BUFFER}, store_rejects = true, rejects_table = 'bad_values', rejects_scan = 'bad_scans')) as read_rows"
        )  # fmt: skip
        landed = _insert(connection, layout, f"select {layout.select} from {source}")
    for kind, column, lines in connection.execute(FIRST_ERRORS, {"read": read, "uuid": "to 'UUID'"}).fetchall():
        rejected[BAD_LINES.get(kind) or NO_KEY.get(column, f"unreadable_{column}")] += lines
    connection.execute("drop table bad_values; drop table bad_scans")
    return landed


def drop_rejected(connection: duckdb.DuckDBPyConnection, layout: Layout) -> Counter[str]:
    """Delete the landed rows that ``layout`` rejects; how many, by reason."""
    rejected: Counter[str] = Counter()
    for reason, condition in layout.rejected.items():
        ((rows,),) = connection.execute(f"delete from catalogue.music.{layout.table} where {condition}").fetchall()
        rejected[reason] += int(rows)
    return rejected


def _insert(connection: duckdb.DuckDBPyConnection, layout: Layout, statement: str) -> int:
    ((landed,),) = connection.execute(f"insert into catalogue.music.{layout.table} by name {statement}").fetchall()
    return int(landed)


def drop_repeated(connection: duckdb.DuckDBPyConnection, table: str, key: Sequence[str], best: str) -> int:
    """Keep one row of each ``key`` in a table of the catalogue, the one with the smallest ``best``.

    Returns:
        How many were dropped.
    """
    place, columns = f"catalogue.music.{table}", ", ".join(key)
    # Different hashes are of different keys. NumPy sorts them in a sixth of the processor time, and less than half of the
    # memory, that DuckDB takes to count different ones. Measured 2026-11 on 30 million rows.
    hashes = connection.execute(f"select hash({columns}) as hashed from {place}").fetchnumpy()["hashed"]
    hashes.sort()
    if not (hashes[1:] == hashes[:-1]).any():
        return 0
    ((dropped,),) = connection.execute(
        f"delete from {place} where rowid not in (select arg_min(rowid, {best}) from {place} group by {columns})"
    ).fetchall()
    return int(dropped)
