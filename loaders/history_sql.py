"""The SQL that turns the rows of one member into plays, generated from the listed kinds.

DuckDB's JSON reader gives each row as a map from key to raw JSON value, so nothing is guessed about
types. A row is *usual* if it has just the keys of the first recognisable row, in that order, and
every value is what it should be. As a rule all rows are: they are typed by position and inserted in
one statement, straight from the file. Only where rows are missing after it are the *odd* ones read
again, typed field by field by key, and judged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from loaders.formats import ACCOUNT_KEY, EXTENDED, Field, FieldType, Kind

MAX_ROW_BYTES = 1 << 20  # a larger row is read another way
MAX_DURATION_MS = 10**12
KEPT_REJECT_CHARS = 2000
KEY_NAME = "[A-Za-z_][A-Za-z0-9_]{0,63}"
UNNAMED_KEY = "(no plain name)"
NUMBER = r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?"

SALVAGED_ROWS = "salvaged_rows"
ODD_FIELDS = "odd_fields"
ODD_ROWS = "odd_rows"
# Counts the rows of a file while they are read; of the session, never reset.
ROW_NUMBERS = "row_numbers"
COUNT_ROWS = f"create temp sequence if not exists {ROW_NUMBERS}"
ROWS_COUNTED = f"select nextval('{ROW_NUMBERS}')"


def json_rows(address: str) -> str:
    """The rows of the JSON array at ``address``, in the order of the file."""
    return f"""(
        select fields, cast(null as varchar) as fault
        from read_json('{address}', format = 'array', records = false, maximum_object_size = {MAX_ROW_BYTES}, columns = {{fields: 'MAP(VARCHAR, JSON)'}})
    )"""


# What DuckDB refuses was split elsewhere into one text (or the fault found there) a row.
SALVAGE = f"""
    create or replace temp table {SALVAGED_ROWS} as
    with elements as (
        select unnest($texts::varchar[]) as element, unnest($faults::varchar[]) as fault
    ),
    checked as (
        select
            element,
            case
                when fault is not null then fault
                when not json_valid(element) then 'invalid_json'
                when json_type(element) <> 'OBJECT' then 'not_an_object'
                when len(list_distinct(json_keys(element))) < len(json_keys(element)) then 'duplicate_key'
            end as fault
        from elements
    )
    select case when fault is null then from_json(element, '"MAP(VARCHAR, JSON)"') end as fields, fault
    from checked
"""


def csv_rows(address: str, delimiter: str, kind: Kind) -> str:
    """Set the rows of the CSV at ``address`` aside, each as the JSON of its kind would have given it.

    What is no flag or no number where one belongs stays a text, and is judged as such.
    """
    types = {field.key: field.type for field in kind.fields} | {kind.duration_key: "stamp"}
    numbers, flags = (_listing(key for key, type in types.items() if type == wanted) for wanted in ("stamp", "flag"))
    value = f"""case
        when field.value is null then 'null'
        when list_contains({numbers}, field.key) and regexp_full_match(field.value, '-?(0|[1-9][0-9]*)([.][0-9]+)?') then field.value
        when list_contains({flags}, field.key) and lower(field.value) in ('true', 'false') then lower(field.value)
        else cast(to_json(field.value) as varchar)
    end"""
    return f"""
        create or replace temp table {SALVAGED_ROWS} as
        with lines as (
            from read_csv('{address}', all_varchar = true, header = true, delim = '{delimiter}', quote = '"', escape = '"', nullstr = '', strict_mode = true, parallel = false)
        ),
        keyed as (
            select map_entries(from_json(to_json(lines), '"MAP(VARCHAR, VARCHAR)"')) as entries
            from lines
        )
        select
            map_from_entries(list_transform(entries, lambda field : {{key: field.key, value: cast({value} as json)}})) as fields,
            cast(null as varchar) as fault
        from keyed
    """


def _listing(names: Iterable[str]) -> str:
    return "[" + ", ".join("'" + name.replace("'", "''") + "'" for name in names) + "]"


@dataclass(frozen=True)
class MemberSql:
    """The statements for one member.

    Attributes:
        kind: What it is.
        keys: The keys of its first recognisable row.
        rows: The relation its rows are read from: (fields, fault).
    """

    kind: Kind
    keys: tuple[str, ...]
    rows: str

    def land_usual(self) -> str:
        """Insert the usual rows. $username is the account that they name."""
        columns = {"participant_no": "$participant_no", "member_id": "$member_id", "row_no": "row_no - $rows_before"}
        columns |= {"key_count": str(len(self.keys))} if self.kind is EXTENDED else {"kind": f"'{self.kind.name}'"}
        columns |= {name: name for name in self._landed_columns}
        return f"""
            insert into vault.raw.{self.kind.table} ({", ".join(columns)})
            {self._usual()}
            select {", ".join(columns.values())}
            from typed
            where not ({self._is_odd})
        """

    def find_odd(self) -> str:
        """Set aside the fields of the odd rows."""
        return f"""
            create or replace temp table {ODD_FIELDS} as
            {self._usual()}
            select row_no - $rows_before as row_no, fields, fault, map_keys(fields) as keys
            from typed
            where {self._is_odd}
        """

    def _usual(self) -> str:
        """CTEs that type every row by position."""
        place = self._place
        present = [field for field in self.kind.fields if field.key in place]
        columns = {field.column: f"cast(null as {_SQL_TYPE[field.type]})" for field in self.kind.fields}
        columns |= {field.column: _plainly_typed(field.type, place[field.key]) for field in present}
        time, duration = (_raw(place.get(key, "null")) for key in (self.kind.time_key, self.kind.duration_key))
        return f"""
            with numbered as (
                select nextval('{ROW_NUMBERS}') as row_no, fields, fault, map_values(fields) as field_values
                from {self.rows}
            ),
            typed as (
                select
                    *,
                    case when regexp_full_match({time}, '"{self.kind.usual_time}"') then try_cast(trim({time}, chr(34)) as timestamp) end as {self.kind.time_column},
                    case when regexp_full_match({duration}, '\\d{{1,12}}') then cast({duration} as bigint) end as ms_played,
                    {_aliased(columns)}
                from numbered
            )
        """

    @property
    def _place(self) -> dict[str, str]:
        return {key: f"field_values[{position}]" for position, key in enumerate(self.keys, start=1)}

    @property
    def _is_odd(self) -> str:
        place = self._place
        doubts = [
            "fault is not null",
            f"coalesce(hash(map_keys(fields)) <> hash({_listing(self.keys)}), true)",
            f"{self.kind.time_column} is null",
            "ms_played is null",
            *(_is_doubtful(field.type, place[field.key]) for field in self.kind.fields if field.key in place),
        ]
        if ACCOUNT_KEY in place:
            doubts.append(f"{_raw(place[ACCOUNT_KEY])} is distinct from $username")
        return f"coalesce({' or '.join(doubts)}, false)"

    def judge_odd(self) -> str:
        """Type the odd rows by key and say what is wrong. $foreign_shapes: key lists of other kinds."""

        def value(key: str) -> str:
            return f"fields['{key}']"

        columns = {field.column: _typed(field, value(field.key)) for field in self.kind.fields}
        columns["username"] = _text(value(ACCOUNT_KEY)) if self.kind is EXTENDED else "cast(null as varchar)"
        wrong = {field.key: f"not {_has_right_type(field, value(field.key))}" for field in self.kind.fields}
        duration = value(self.kind.duration_key)
        return f"""
            create or replace temp table {ODD_ROWS} as
            with read as (
                select
                    *,
                    {_text(value(self.kind.time_key))} as time_text,
                    coalesce({_text(duration)}, {_raw(duration)}) as duration_text,
                    {_aliased(columns)},
                    list_filter([{", ".join(f"case when {condition} then '{key}' end" for key, condition in wrong.items())}], lambda key : key is not null) as wrong_types
                from {ODD_FIELDS}
            ),
            measured as (
                select
                    *,
                    {self._time("time_text")} as {self.kind.time_column},
                    case when regexp_full_match(duration_text, '{NUMBER}') then try_cast(duration_text as double) end as duration
                from read
            ),
            judged as (
                select
                    *,
                    case
                        when fault is not null then fault
                        when fields is null then 'not_an_object'
                        when len(list_distinct(keys)) < len(keys) then 'duplicate_key'
                        when list_contains($foreign_shapes, hash(keys)) then 'other_kind'
                        when regexp_full_match(trim({_raw(value(self.kind.time_key))}, '"'), '{NUMBER}') then 'numeric_time'
                        when time_text is null then 'missing_time'
                        when not regexp_full_match(time_text, '{self.kind.time_pattern}') then 'unreadable_time'
                        when {self.kind.time_column} is null then 'impossible_time'
                        when coalesce(duration_text, '""') = '""' then 'missing_duration'
                        when duration is null then 'unreadable_duration'
                        when duration < 0 then 'negative_duration'
                        when duration <> floor(duration) then 'fractional_duration'
                        when duration > {MAX_DURATION_MS} then 'impossible_duration'
                    end as reason,
                    case when reason is null then cast(duration as bigint) end as ms_played
                from measured
            )
            select row_no, fields, keys, reason, wrong_types, {", ".join(self._landed_columns)}, username
            from judged
        """

    def land_odd(self) -> str:
        """Insert the odd rows that have no reason against them."""
        columns = {"participant_no": "$participant_no", "member_id": "$member_id", "row_no": "row_no"}
        columns |= {"key_count": "len(keys)"} if self.kind is EXTENDED else {"kind": f"'{self.kind.name}'"}
        columns |= {name: name for name in self._landed_columns}
        return f"""
            insert into vault.raw.{self.kind.table} ({", ".join(columns)})
            select {", ".join(columns.values())}
            from {ODD_ROWS}
            where reason is null
        """

    def reject_odd(self) -> str:
        """Keep the odd rows that have one, with what their listed fields held."""
        # By key, not by entry: a key that stands there twice would make no map.
        listed = f"map_from_entries(list_transform(list_filter({_listing(self.kind.listed_keys)}, lambda key : list_contains(keys, key)), lambda key : {{'key': key, 'value': fields[key]}}))"
        return f"""
            insert into vault.raw.rejected_rows (participant_no, member_id, row_no, reason, listed_fields)
            select $participant_no, $member_id, row_no, reason, left(cast(to_json({listed}) as varchar), {KEPT_REJECT_CHARS})
            from {ODD_ROWS}
            where reason is not null
        """

    @property
    def _landed_columns(self) -> list[str]:
        return [self.kind.time_column, "ms_played", *(field.column for field in self.kind.fields)]

    def _time(self, text: str) -> str:
        return f"case when regexp_full_match({text}, '{self.kind.time_pattern}') and {text} >= '0001' then timezone('UTC', try_cast({text} as timestamptz)) end"


_SQL_TYPE = {"text": "varchar", "flag": "boolean", "stamp": "bigint"}


def _aliased(columns: dict[str, str]) -> str:
    return ", ".join(f"{expression} as {column}" for column, expression in columns.items())


def _plainly_typed(type: FieldType, value: str) -> str:
    """The typed value, if ``_is_doubtful`` does not hold of it."""
    if type == "text":
        return f"nullif(json_extract_string({value}, '$'), '')"
    return f"try_cast({_raw(value)} as {_SQL_TYPE[type]})"


def _is_doubtful(type: FieldType, value: str) -> str:
    if type == "text":
        return f"not starts_with({value}, '\"')"
    if type == "flag":
        return f"{_raw(value)} not in ('true', 'false')"
    return f"not regexp_full_match({_raw(value)}, '\\d{{1,15}}')"


def _raw(value: str) -> str:
    """The JSON text of a JSON value."""
    return f"cast({value} as varchar)"


def _text(value: str) -> str:
    """The string that a JSON value is; null if it is none, or empty."""
    return f"case when starts_with({value}, '\"') then nullif(json_extract_string({value}, '$'), '') end"


def _typed(field: Field, value: str) -> str:
    if field.type == "text":
        return _text(value)
    if field.type == "flag":
        return f"case {_raw(value)} when 'true' then true when 'false' then false end"
    return f"case when {_is_whole(value)} then cast(try_cast({_raw(value)} as double) as bigint) end"


def _has_right_type(field: Field, value: str) -> str:
    accepted = {
        "text": f"starts_with({value}, '\"')",
        "flag": f"{_raw(value)} in ('true', 'false')",
        "stamp": _is_whole(value),
    }[field.type]
    return f"({accepted} or {_raw(value)} = '\"\"')"


def _is_whole(value: str) -> str:
    number = f"try_cast({_raw(value)} as double)"
    return f"(regexp_full_match({_raw(value)}, '{NUMBER}') and {number} = floor({number}) and abs({number}) < 1e15)"


# The key lists of odd rows, each with its hash.
ODD_SHAPES = f"select distinct hash(keys), keys from {ODD_FIELDS} where keys is not null"

# Rejected rows by reason.
REASONS = f"select reason, count(*) from {ODD_ROWS} where reason is not null group by reason order by reason"

# Odd rows by key; a key that looks like no name of Spotify's stays unnamed.
ODD_KEYS = f"""
    select case when regexp_full_match(key, '{KEY_NAME}') then key else '{UNNAMED_KEY}' end as name, count(*)
    from (select unnest(keys) as key from {ODD_ROWS})
    group by name
    order by name
"""

# Landed rows by key whose value has another JSON type than listed.
WRONG_TYPES = f"select key, count(*) from (select unnest(wrong_types) as key from {ODD_ROWS} where reason is null) group by key order by key"

# The accounts that odd rows name.
USERNAMES = f"select distinct username from {ODD_ROWS} where username is not null order by username"
