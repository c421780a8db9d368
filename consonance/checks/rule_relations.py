"""The relations that rules read with ``{…}``: each is a union over every table that is checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from consonance.checks.declarations import closed_lists, declared_grains
from consonance.checks.rule_tables import NOBODY, RECORDS, SUMS, TEXTS, Fetch, Table, read_tables
from consonance.study.literals import literal

# The attacks write its rows in an order of their own; dbt does not make this table.
RISK = "audit.privacy_risk"
# Nor this one: the note of a run at the desk.
NOT_MODELS = (RISK, "desk.made_relations")
# Layers with an elapsed clock: it goes no further.
WITH_CLOCKS = ("anonymized", "sessionized", "features")
PERSONS = "rule_persons"
NUMBERS = ("INTEGER", "BIGINT", "UBIGINT", "HUGEINT", "FLOAT", "DOUBLE")

# A relation without any part is empty, and still has its columns.
EMPTY = {
    "persons": (
        "select '' as place, '' as participant_id, [''] as purposes, true as is_every_row, '' as needs where false"
    ),
    "flags": "select '' as place, '' as participant_id, '' as purpose, true as is_granted where false",
    "times": (
        "select '' as place, '' as participant_id, cast(null as timestamp) as first_time, "
        "cast(null as timestamp) as last_time, true as is_of_plays where false"
    ),
    "dates_of_nobody": "select '' as place where false",
    "clocks": (
        "select '' as place, '' as participant_id, 0 as rows, 0.0 as spread_s, 0.0 as step, 0.0 as fit where false"
    ),
    "ids": "select '' as place, cast(null as varchar) as text_id, cast(null as bigint) as number_id where false",
    "unordered": "select '' as place where false",
    "grains": "select '' as place, '' as detail where false",
    "public_values": "select '' as relation, '' as cell, '' as measure, 0.0 as value where false",
    "words": "select '' as place, '' as value where false",
}


def write_out(queries: Sequence[str], fetch: Fetch, beside_them: Mapping[str, str]) -> list[str]:
    """The queries with each ``{name}`` of an assembled relation written out, and of those ``beside_them``.

    ``strings``: each distinct text with its place, and in a seed its line. ``words``: the texts of closed lists.
    ``persons``: see ``_persons``. ``flags``: what a table says that a participant grants. ``times``: each participant's
    first and last time in each column with moments. ``dates_of_nobody``: columns with moments in tables without
    persons. ``clocks``: see ``_clocks``. ``ids``: see ``_ids``; ``ids_elsewhere``: the same of the other databases.
    ``unordered``: see ``_unordered``. ``grains``: see ``_grains``. ``public_values``: see ``_public_values``.

    Args:
        queries: SQL.
        fetch: Runs SQL where the databases are attached, and gives the rows. It makes temporary tables.
        beside_them: SQL of relations that are of no database, by name.
    """
    checked, beside = read_tables(fetch)
    relations = {
        **beside_them,
        "strings": TEXTS,
        "words": _union("words", [_words()]),
        "persons": _union("persons", map(_persons, checked)),
        "flags": _union("flags", map(_flags, checked)),
        "times": _union("times", map(_times, checked)),
        "dates_of_nobody": _union("dates_of_nobody", map(_dates_of_nobody, checked)),
        "clocks": _union("clocks", map(_clocks, checked)),
        "ids": _union("ids", map(_ids, checked)),
        "ids_elsewhere": _union("ids", map(_ids, beside)),
        "unordered": _union("unordered", map(_unordered, checked)),
        "grains": _union("grains", map(_grains, checked)),
        "public_values": _union("public_values", map(_public_values, checked)),
    }
    if sum("{persons}" in query for query in queries) > 1:
        relations["persons"] = _made_once(fetch, relations["persons"])
    written = []
    for query in queries:
        for name, relation in relations.items():
            query = query.replace(f"{{{name}}}", relation)
        written.append(query)
    return written


def _made_once(fetch: Fetch, persons: str) -> str:
    """A temporary table of ``persons``, which several rules read."""
    try:
        fetch(f"create or replace temp table {PERSONS} as select * from {persons}")
    except (
        Exception
    ):  # what a model declares is no SQL of its table: the rules that read it say that they could not be run
        return persons
    return PERSONS


def _union(name: str, parts: Iterator[Iterator[str]] | Sequence[Iterator[str]]) -> str:
    return "(" + " union all ".join([EMPTY[name], *(select for part in parts for select in part)]) + ")"


def _words() -> Iterator[str]:
    for place, word in closed_lists():
        yield f"select {literal(place)}, {literal(word)}"


def _persons(table: Table) -> Iterator[str]:
    """Each participant of the table, by a pseudonym or by the id of a record, with purposes of which one is needed.

    ``is_every_row`` says whether all rows of the table need it, or only those that are counted here; ``needs`` says
    it in words. A table that declares nothing needs what nobody can grant.
    """
    # A row without participant_id is of nobody who consents.
    sources = {
        column: (f"coalesce(\"{column}\", '')" if column == "participant_id" else f'"{column}"', table.place)
        for column in table.persons
    }
    sources |= {
        column: (
            "owners.participant_id",
            f'{table.place} inner join {RECORDS} as owners on try_cast("{column}" as bigint) = owners.id',
        )
        for column in table.records
    }
    known = f"<> '{NOBODY}'" if table.name in SUMS else "is not null"
    for column, (person, source) in sources.items():
        for purposes, condition in table.needs or (((), "true"),):
            yield f"""
                select distinct
                    '{table.name}.{column}' as place,
                    {person} as participant_id,
                    {list(purposes)} as purposes,
                    {condition == "true"} as is_every_row,
                    {literal(_in_words(purposes, condition))} as needs
                from {source}
                where ({condition}) and {person} {known}
            """


def _in_words(purposes: Sequence[str], condition: str) -> str:
    if not purposes:
        return "declares no purpose"
    rows = "" if condition == "true" else f" where {condition}"
    return f"needs {' or '.join(purposes)}{rows}"


def _flags(table: Table) -> Iterator[str]:
    for person in table.persons:
        for column in table.of_types("BOOLEAN"):
            if column.startswith("grants_"):
                yield f"""
                    select distinct
                        '{table.name}.{column}', "{person}", '{column.removeprefix("grants_")}', "{column}"
                    from {table.place}
                """


def _times(table: Table) -> Iterator[str]:
    is_of_plays = {purposes for purposes, condition in table.needs if condition == "true"} == {("listening_history",)}
    for person in table.persons:
        for column, moment in table.temporal.items():
            yield f"""
                select
                    '{table.name}.{column}' as place,
                    "{person}" as participant_id,
                    min({moment}) as first_time,
                    max({moment}) as last_time,
                    {is_of_plays} as is_of_plays
                from {table.place}
                where "{column}" is not null
                group by "{person}"
            """


def _dates_of_nobody(table: Table) -> Iterator[str]:
    if not table.persons:
        for column in table.temporal:
            yield f"select '{table.name}.{column}' as place from {table.place} where \"{column}\" is not null limit 1"


def _clocks(table: Table) -> Iterator[str]:
    """How closely each number follows each local time beside it, participant by participant, in layers without clocks.

    Measured by a straight line of so many units a second.
    """
    if not table.persons or table.schema in WITH_CLOCKS:
        return
    numbers = [column for column in table.of_types(*NUMBERS) if not column.endswith("_id")]
    for time, moment in table.temporal.items():
        for number in numbers:
            if number != time:
                yield f"""
                    select
                        '{table.name}.{number}' as place,
                        "{table.persons[0]}" as participant_id,
                        count(*) as rows,
                        stddev_pop(epoch({moment})) as spread_s,
                        -- Three digits: what drifts by an hour in ten days is no clock.
                        cast(printf('%.3g', regr_slope("{number}", epoch({moment}))) as double) as step,
                        regr_r2("{number}", epoch({moment})) as fit
                    from {table.place}
                    where "{number}" is not null and "{time}" is not null
                    group by "{table.persons[0]}"
                """


def _ids(table: Table) -> Iterator[str]:
    """Each id of a person or of something of a person's, as text or as number.

    A track belongs to everybody, unless it is private, and so does a source of features.
    """
    for column, data_type in table.types.items():
        if not column.endswith("_id") or column.endswith("source_id") or table.schema == "reference":
            continue
        if column.endswith("track_id") and "is_private" not in table.types:
            continue
        # Numbers tell one record from another and hardly repeat; names repeat in every row.
        kinds = {
            "VARCHAR": f"distinct '{table.name}.{column}', \"{column}\", null",
            "BIGINT": f"'{table.name}.{column}', null, \"{column}\"",
        }
        if data_type in kinds:
            where = " where is_private" if column == "track_id" else ""
            yield f"select {kinds[data_type]} from {table.place}{where}"


def _unordered(table: Table) -> Iterator[str]:
    """Each row that stands before one that belongs before it: by pseudonym, or else by all columns.

    The order of a seed is that of its file, which is no secret and knows no study.
    """
    if table.name == RISK or table.schema == "reference":
        return
    keys = list(table.persons[:1] or table.types)
    row = "row(" + ", ".join(f'"{key}"' for key in keys) + ")"
    yield f"""
        select '{table.name}.{keys[0]}' as place
        from (
            select {row} as current_row, lag({row}) over () as previous_row from {table.place}
        )
        where current_row < previous_row
    """


def _grains(table: Table) -> Iterator[str]:
    """Each value that several rows have of what must tell rows apart, and each table that does not say what that is.

    The tables of nobody's models are left out: seeds, and the figures of the attacks.
    """
    if table.name in NOT_MODELS or table.schema == "reference":
        return
    grains = declared_grains().get(table.name, [])
    if not grains:
        yield f"select '{table.name}' as place, 'does not declare what tells its rows apart' as detail"
    for columns in grains:
        if not set(columns) <= table.types.keys():
            continue
        named = ", ".join(f'"{column}"' for column in columns)
        yield f"""
            select '{table.name}.{columns[0]}' as place, {literal(f"has several rows with one {', '.join(columns)}")} as detail
            from {table.place}
            where "{columns[-1]}" is not null or {len(columns) > 1}
            group by {named}
            having count(*) > 1
        """


def _public_values(table: Table) -> Iterator[str]:
    """Each number of a public table: of how many persons a cell is, or a mean. The other columns name the cell.

    A table without a number gives its cells too: nobody expects them. Reference data has no persons.
    """
    if table.name.startswith("reference."):
        return
    numbers = [name for name, data_type in table.types.items() if name == "persons" or data_type in ("FLOAT", "DOUBLE")]
    names = [f"coalesce(cast(\"{name}\" as varchar), '')" for name in table.types if name not in numbers]
    cell = f"concat_ws('|', {', '.join(names)})" if names else "''"
    for measure, value in [(name, f'cast("{name}" as double)') for name in numbers] or [("", "null")]:
        yield f"""
            select '{table.name}' as relation, {cell} as cell, '{measure}' as measure, {value} as value
            from {table.database}.{table.name}
        """
