"""Two warehouses of the same people, compared: what differs once pseudonyms are matched and shifts are taken back.

Both are attached, as ``original`` and ``rebuilt``; the table ``persons`` says who is who.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import duckdb

from consonance.study.keyring import RECORD_IDS
from consonance.study.shared_macros import with_macros

# Ids of tracks: those of private tracks are keyed, too.
TRACK_IDS = ("track_id", "playing_track_id")
# The column that is made of the pseudonym: where it is what it must be, it is left out (rule M7 checks that it is).
FOLD = "fold"
# The two warehouses, as they are attached.
SIDES = ("original", "rebuilt")
# What no model makes: the figures of the attacks, the note of a run at the desk.
NOT_MODELS = ("audit.privacy_risk", "desk.made_relations")
# Data moves through the layers in this order: the first difference is nearest to its cause.
LAYERS = ("reference", "anonymized", "sessionized", "features", "marts", "audit")

# Of a relation: its comment, and its columns, each with type and comment.
Shape = tuple[str | None, tuple[tuple[str, str, str | None], ...]]


@dataclass(frozen=True)
class Difference:
    """One thing right of the wall that depends on what it must not depend on, or gives it away.

    Attributes:
        relation: Schema and name of the table.
        column: Its name; empty if it is not one column.
        what: What is wrong with it.
        changed: The declared relation in which this was changed.
    """

    relation: str
    column: str
    what: str
    changed: str = "identities"

    @property
    def place(self) -> str:
        return f"{self.relation}.{self.column}" if self.column else self.relation

    @property
    def file(self) -> str:
        """What writes the table."""
        layer, name = self.relation.split(".")
        return {"raw": "consonance/study/keyring.py", "reference": f"seeds/{name}.csv"}.get(
            layer, f"models/{layer}/{name}.sql"
        )


@dataclass(frozen=True)
class Comparison:
    """How two warehouses are compared.

    Attributes:
        connection: With both warehouses and the table ``persons``.
        marker: A text that occurs only in what identifies people in ``rebuilt``.
        finding: What is wrong with a column that differs.
        changed: The declared relation that was applied to ``rebuilt``.
        with_order: Whether the order of rows is compared too.
        left_out: Tables, and columns as ``schema.table.column``, that are not compared.
    """

    connection: duckdb.DuckDBPyConnection
    marker: str
    finding: str = "depends on who people are"
    changed: str = "identities"
    with_order: bool = False
    left_out: frozenset[str] = frozenset()

    def shared(self) -> dict[str, dict[str, str]]:
        """The relations that have the same columns on both sides: each with the types of its columns."""
        original, rebuilt = (_shapes(self.connection, side) for side in SIDES)
        return {
            relation: {
                name: data_type
                for name, data_type, _ in original[relation][1]
                if f"{relation}.{name}" not in self.left_out
            }
            for relation in sorted(original.keys() & rebuilt.keys() - self.left_out, key=_place_of)
            if original[relation] == rebuilt[relation]
        }

    def differences(self) -> Iterator[Difference]:
        """What differs, in the order in which data moves."""
        original, rebuilt = (_shapes(self.connection, side) for side in SIDES)
        for relation in sorted(original.keys() ^ rebuilt.keys()):
            if relation not in NOT_MODELS:
                yield self._difference(relation, "", "exists in only one of the two warehouses")
        for relation in sorted(original.keys() & rebuilt.keys()):
            if original[relation] != rebuilt[relation]:
                yield self._difference(relation, "", "has other columns, types or comments")
        for relation, types in self.shared().items():
            yield from self._differences(relation, types)

    def _differences(self, relation: str, types: dict[str, str]) -> Iterator[Difference]:
        """What differs in a relation that has the same columns on both sides."""
        if "participant_id" not in types:
            for name, data_type in types.items():
                if _is_temporal(data_type):
                    yield self._difference(relation, name, "has a time, but the table has no participants")
        (rows, whole), (other_rows, other_whole) = self._fingerprints(relation, types, whole=True)
        if rows != other_rows:
            yield self._difference(
                relation,
                "",
                f"has {rows:,} rows, and {other_rows:,} in the paired rebuild: their number {self.finding}",
            )
            return
        for name in types:
            if name in RECORD_IDS and shares_values(self.connection, relation, name):
                yield self._difference(relation, name, "does not depend on any secret: it can be guessed")
        # A text that equals one without a canary has none; but ids are not compared.
        texts = [name for name in types if types[name] == "VARCHAR" and (whole != other_whole or name.endswith("_id"))]
        for name, found in zip(texts, self._with_marker(relation, texts), strict=True):
            if found:
                yield self._difference(relation, name, "contains a canary, which was planted in an identifying field")
        if whole != other_whole:
            yield from self._differing_columns(relation, types)
        elif self.with_order and len({*self._orders(relation, types)}) > 1:
            yield self._difference(relation, "", f"has the same rows in another order, which {self.finding}")

    def _differing_columns(self, relation: str, types: dict[str, str]) -> Iterator[Difference]:
        (_, *columns), (_, *other_columns) = self._fingerprints(relation, types, whole=False)
        differing = [name for name, one, other in zip(types, columns, other_columns, strict=True) if one != other]
        for name in differing:
            yield self._difference(relation, name, self.finding)
        if not differing:
            yield self._difference(relation, "", f"has the same values, but their combinations: each {self.finding}")

    def _difference(self, relation: str, column: str, what: str) -> Difference:
        return Difference(relation, column, what, self.changed)

    def _with_marker(self, relation: str, columns: list[str]) -> tuple[int, ...]:
        """For each of the text columns, in how many rows of the rebuild it holds the marker."""
        counts = ", ".join(f"count(*) filter (where contains(lower(\"{name}\"), '{self.marker}'))" for name in columns)
        found = self.connection.execute(f"select {counts} from rebuilt.{relation}").fetchall() if columns else [()]
        return tuple(found[0])

    def _fingerprints(self, relation: str, types: dict[str, str], *, whole: bool) -> list[tuple[Any, ...]]:
        """The fingerprint of a relation on each side: the number of rows, and a sum of hashes of whole rows, or one sum
        for each column.

        The sum of 64-bit hashes does not depend on order. Pseudonyms are replaced by numbers, ids of records and of
        private tracks and the folds of pseudonyms are left out, shifts are taken back. Means are rounded: the order in
        which threads add is not always the same.
        """
        has_person = "participant_id" in types
        person = "persons.person" if has_person else "0"

        def fingerprint(side: str) -> tuple[Any, ...]:
            values = [_comparable(name, data_type, side, has_person=has_person) for name, data_type in types.items()]
            hashed = [", ".join(values)] if whole else [f"{person}, {value}" for value in values]
            sums = ", ".join(f"sum(hash({what}))" for what in hashed)
            return self.connection.execute(f"select count(*), {sums} {self._rows(relation, types, side)}").fetchall()[0]

        return [fingerprint(side) for side in SIDES]

    def _orders(self, relation: str, types: dict[str, str]) -> list[Any]:
        """For each side, what stands at which place: of a table with persons, whose rows and of which time; else all of
        the row. Rows of private tracks have random ids, and so random places: they are left out.
        """
        has_person = "participant_id" in types

        def order(side: str) -> Any:
            values = [
                _comparable(name, data_type, side, has_person=has_person)
                for name, data_type in types.items()
                if not has_person or name == "participant_id" or _is_temporal(data_type)
            ]
            keyed = [f"private_{name}.track_id is null" for name in TRACK_IDS if name in types and not has_person]
            rows = self._rows(relation, types, side, keyed)
            placed = (
                f"select row_number() over (order by relation.rowid) as place, hash({', '.join(values)}) as said {rows}"
            )
            return self.connection.execute(f"select sum(hash(place, said)) from ({placed})").fetchall()[0][0]

        return [order(side) for side in SIDES]

    def _rows(self, relation: str, types: dict[str, str], side: str, conditions: Sequence[str] = ()) -> str:
        """The rows that are compared, with the tables that make them comparable."""
        joins = ""
        conditions = ["true", *conditions]
        if "participant_id" in types:
            joins += f" left join persons on persons.{side}_pseudonym = relation.participant_id"
        for name in TRACK_IDS:
            if name in types:
                joins += (
                    f" left join (select distinct track_id from {side}.anonymized.anon_tracks where is_private) as private_{name}"
                    f" on private_{name}.track_id = relation.{name}"
                )
        return f"from {side}.{relation} as relation{joins} where {' and '.join(conditions)}"


def match_persons(
    connection: duckdb.DuckDBPyConnection, codes: Iterable[tuple[str, str, int]], keyring: str, other_keyring: str
) -> None:
    """Make the table ``persons``: each person's pseudonym, and by how many weeks their times differ from the true ones of
    ``original``, on both sides.

    Args:
        connection: With both keyrings.
        codes: Who is who: participant codes on both sides, and by how many weeks all moments were moved.
        keyring, other_keyring: The tables with their secrets.
    """
    connection.execute(
        "create or replace temp table codes (participant_code varchar, other_code varchar, moved_weeks integer)"
    )
    if pairs := [list(pair) for pair in codes]:  # of a study with nobody there are none
        connection.executemany("insert into codes values (?, ?, ?)", pairs)
    connection.execute(
        f"""
        create or replace temp table persons as
        select
            cast(row_number() over (order by keys.participant_no) as varchar) as person,
            keys.pseudonym as original_pseudonym,
            keys.shift_weeks as original_shift,
            others.pseudonym as rebuilt_pseudonym,
            others.shift_weeks + codes.moved_weeks as rebuilt_shift
        from {keyring} as keys
        inner join codes on codes.participant_code = keys.participant_code
        inner join {other_keyring} as others on others.participant_code = codes.other_code
        """
    )


def shares_values(connection: duckdb.DuckDBPyConnection, relation: str, column: str) -> bool:
    """Whether a value of the column occurs in both warehouses."""
    ((shared,),) = connection.execute(
        f"""
        select count(*)
        from (
            select "{column}" from original.{relation} where "{column}" is not null
            intersect
            select "{column}" from rebuilt.{relation}
        )
        """
    ).fetchall()
    return bool(shared)


def _shapes(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, Shape]:
    rows = connection.execute(
        """
        select
            columns.schema_name || '.' || columns.table_name,
            any_value(tables.comment),
            list({'name': columns.column_name, 'type': columns.data_type, 'comment': columns.comment} order by columns.column_index)
        from duckdb_columns() as columns
        left join duckdb_tables() as tables
            on tables.database_name = columns.database_name
            and tables.schema_name = columns.schema_name
            and tables.table_name = columns.table_name
        where columns.database_name = $database and not columns.internal
        group by all
        """,
        {"database": database},
    ).fetchall()
    return {
        relation: (comment, tuple((column["name"], column["type"], column["comment"]) for column in columns))
        for relation, comment, columns in rows
    }


def _place_of(relation: str) -> tuple[int, str]:
    layer = relation.partition(".")[0]
    return (LAYERS.index(layer) if layer in LAYERS else len(LAYERS), relation)


def _comparable(name: str, data_type: str, side: str, *, has_person: bool) -> str:
    """SQL for a column's value without what must differ between the two sides."""
    column = f'relation."{name}"'
    if name == "participant_id":
        return f"coalesce(persons.person, {column})"
    if name in RECORD_IDS:
        return f"({column} is null)"
    if name == FOLD and has_person:
        return f"nullif({column}, {_fold_of('relation.participant_id')})"
    if name in TRACK_IDS:
        return f"case when private_{name}.track_id is null then {column} end"
    if has_person and _is_temporal(data_type):
        return f"(cast({column} as timestamp) - to_days(7 * coalesce(persons.{side}_shift, 0)))"
    if data_type in ("DOUBLE", "FLOAT"):
        return f"round({column}, 9)"
    return column


@cache
def _fold_of(participant_id: str) -> str:
    return with_macros(f"{{{{ fold_of('{participant_id}') }}}}", ("folds.sql",))


def _is_temporal(data_type: str) -> bool:
    return data_type == "DATE" or data_type.startswith("TIMESTAMP")
