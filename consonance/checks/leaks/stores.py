"""What the stores hold that no rule looks at: words of the loaders, entries of the audit log, and the desk as a whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import duckdb

from consonance.checks.leaks.leak import Leak
from consonance.checks.leaks.sought import CODE, DIGEST, PSEUDONYM, USER_NAME
from consonance.checks.leaks.tokens import Finder, named
from consonance.study.desk import DESK, differences
from consonance.study.folder import Study
from consonance.study.last_run import is_the_last_run_complete
from consonance.study.vault import attach_to_read, lock_down, open_study, session_settings

LOG = "raw.audit_log"
# What the loaders write in words: (store, table, key, text).
WORDS_OF_LOADERS = (
    ("vault", LOG, "entry_no", "facts"),
    ("catalogue", "music.archive_files", "source_id", "concat_ws(' ', file, read_from, report)"),
    ("catalogue", "music.dumps", "source_id", "cast(report as varchar)"),
)
# Of which layers the desk may have tables: others have the elapsed clock. Written here once more, so that who changes
# LAYERS of consonance/study/desk.py does not change what is looked for.
FOR_ANALYSTS = ("marts", "audit", "reference")
# What a fact of the audit log may be beside a count: a word, a hash, a token. A path, a date or a sentence is none.
WORD = re.compile(r"[a-z0-9_]+")


def in_words(connection: duckdb.DuckDBPyConnection, finder: Finder) -> Iterator[Leak]:
    """Names in what the loaders write in words: those who read it are not those who may read the tables.

    Args:
        connection: With vault and catalogue.
        finder: Of what is searched for.
    """
    for store, table, key, text in WORDS_OF_LOADERS:
        written = connection.execute(f"select {key}, {text} from {store}.{table} order by all").fetchall()
        for number, words in written:
            place = f"{store}.{table} ({key} {number})"
            remedy = (
                f"Look at what writes {table}: consonance/study/audit_log.py and who calls its record()."
                if store == "vault"
                else f"Look at what writes {table}: loaders/catalogue.py and loaders/dumps.py."
            )
            for hit in finder.find(_without_keys(str(words))):
                if hit.sought.kinds & {CODE, USER_NAME, DIGEST, PSEUDONYM}:
                    yield Leak(place, f"contains {named(hit.sought.kinds)}", remedy)
            if table == LOG and not all(map(_is_fact, json.loads(words).values())):
                yield Leak(place, "has something else than counts, words, hashes and tokens", remedy)


def of_desk(study: Study) -> tuple[bool, list[Leak]]:
    """Whether the desk is as the warehouse, whose every text the rules search; and what is wrong with it.

    A desk that differs is a leak if the last run was complete.
    """
    if not (study.desk_path.exists() and study.warehouse_path.exists()):
        return False, []
    found = list(differences(study))
    with open_study(study, read_only=True, warehouse=True) as connection:
        is_complete = is_the_last_run_complete(connection)
    problems = [what for what in found if is_complete]
    problems += [
        f"has tables of {layer}, which are not for analysts" for layer in _layers(study) if layer not in FOR_ANALYSTS
    ]
    remedy = "Look at consonance/study/desk.py, which writes the file, and run 'dbt run' again."
    return not found, [Leak(study.within(study.desk_path), what, remedy) for what in problems]


def _layers(study: Study) -> list[str]:
    with duckdb.connect(config=session_settings()) as connection:
        attach_to_read(connection, study.desk_path, DESK)
        lock_down(connection, [])
        found = connection.execute(
            "select distinct schema_name from duckdb_tables() where database_name = $desk order by all", {"desk": DESK}
        ).fetchall()
    return [layer for (layer,) in found]


def _is_fact(fact: object) -> bool:
    if isinstance(fact, list):
        return all(isinstance(one, str) and WORD.fullmatch(one) for one in fact)
    return fact is None or isinstance(fact, int) or (isinstance(fact, str) and bool(WORD.fullmatch(fact)))


def _without_keys(written: str) -> str:
    """A JSON object without the words that the program itself gives to its parts."""
    return re.sub(r'"[a-z_]+":', " ", written)
