"""``consonance vault export``: the raw tables, the catalogue and the reference data as Parquet, for a cluster to read."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb
import yaml

from consonance.export.consent import note
from consonance.export.folder import FOLDER_MODE, CannotExport, new_folder, write_json
from consonance.study.dbt_command import PROJECT
from consonance.study.folder import Study
from consonance.study.literals import literal
from consonance.study.schema import owners
from consonance.study.vault import attach_study, lock_down, open_study, session_settings

WHAT = "vault"
# About as many rows are in a bucket: some 100 MB of plays. Of one table nobody is in two buckets.
ROWS_OF_A_BUCKET = 2_000_000
# The schema of the export, and where its tables are in the study's stores.
STORES = {"raw": "vault.raw", "music": "catalogue.music"}
PARQUET = "format parquet, compression zstd"
README = """# Export of the vault: identified data

These are the raw tables of the study, as its vault has them, with user names, participant codes, true times and the
secrets of the pseudonyms. They are **not encrypted**. Keep them where only the persons may read them who may read the
vault, and delete them when the cluster has built the marts.

`raw/` and `music/` are the tables of the vault and of the catalogue, `reference/` the seeds of the project. Each table
is a folder of Parquet files; `bucket=N` has some of the participants, and all of their rows. docs/spark.md of consonance
says how a cluster builds the marts of it.

The audit log of the study has an entry of this export. If a participant withdraws, this copy and what was built of it
have to be made again.
"""


@dataclass(frozen=True)
class VaultExport:
    """What was exported: how many rows of how many tables, of how many participants, and the entry of the audit log."""

    folder: Path
    tables: int
    rows: int
    persons: int
    entry: int


def export_vault(study: Study, folder: Path, rows_of_a_bucket: int = ROWS_OF_A_BUCKET) -> VaultExport:
    """Write what the models read into the new folder ``folder``: identified data, not encrypted.

    The entry of the audit log is made first: if the export is interrupted, a withdrawal still names it.

    Args:
        study: Loaded.
        folder: It must not exist yet, and be where its owner alone can read it.
        rows_of_a_bucket: About how many rows of a table are in one file.

    Raises:
        CannotExport: ``folder`` exists, is in the study folder or under version control, or others might read it.
        StoreError, VaultKeyError: a store cannot be opened.
    """
    _refuse_a_place_of_others(folder)
    with new_folder(folder, study) as draft:
        if stat.S_IMODE(draft.stat().st_mode) != FOLDER_MODE:
            raise CannotExport(
                f"{folder.parent} is on a file system that cannot close a folder to others.",
                "Name a folder on a disk whose files have an owner and a mode.",
            )
        with open_study(study) as connection:
            rows = sum(_count(connection, store, name) for _, store, name in _tables())
            persons = _count(connection, STORES["raw"], "participants")
            entry = note(connection, study, {"what": WHAT, "release": None, "rows": rows, "persons": persons})
        with _reading(study, draft) as connection:
            written = {
                f"{schema}.{name}": _write(connection, draft / schema, f"{store}.{name}", rows_of_a_bucket)
                for schema, store, name in _tables()
            }
            for name, types in _seeds().items():
                written[f"reference.{name}"] = _write_seed(connection, draft / "reference", name, types)
        write_json(draft / "manifest.json", {"what": "identified data", "audit_entry": entry, "rows": written})
        (draft / "README.md").write_text(README, encoding="utf-8")
    return VaultExport(folder, len(written), rows, persons, entry)


def _refuse_a_place_of_others(folder: Path) -> None:
    parent = folder.absolute().parent.resolve()
    for place in (parent, *parent.parents):
        if (place / ".git").exists():
            raise CannotExport(
                f"{folder} is under version control, of {place}.",
                "Name a folder outside of it: this is identified data.",
            )
    mode = parent.stat().st_mode if parent.is_dir() else 0
    if mode & 0o022 and not mode & stat.S_ISVTX:
        raise CannotExport(
            f"{parent} can be changed by others, who could put a folder of theirs in the place of this one.",
            f"Run 'chmod go-w {parent}', or name a folder that is your own.",
        )


@contextmanager
def _reading(study: Study, draft: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reads the stores of ``study`` and the seeds, writes into ``draft``, and reaches nothing else."""
    settings = session_settings() | {"preserve_insertion_order": False}
    with duckdb.connect(config=settings) as connection:
        attach_study(connection, study, read_only=True, may_be_older=False)
        lock_down(connection, [draft, PROJECT / "seeds"])
        yield connection


@cache
def _tables() -> tuple[tuple[str, str, str], ...]:
    """(schema of the export, schema of the store, table) of every table that the models read."""
    declared = yaml.safe_load((PROJECT / "models/staging/_staging__sources.yml").read_text(encoding="utf-8"))
    return tuple(
        (source["name"], STORES[source["name"]], table["name"])
        for source in declared["sources"]
        for table in source["tables"]
    )


@cache
def _seeds() -> Mapping[str, Mapping[str, str]]:
    """Each seed with the types of its columns."""
    declared = yaml.safe_load((PROJECT / "seeds/_seeds.yml").read_text(encoding="utf-8"))
    return {seed["name"]: seed["config"]["column_types"] for seed in declared["seeds"]}


def _count(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> int:
    ((rows,),) = connection.execute(f"select count(*) from {schema}.{table}").fetchall()
    return int(rows)


def _write(connection: duckdb.DuckDBPyConnection, folder: Path, table: str, rows_of_a_bucket: int) -> int:
    """Write a table into a folder of its name: by bucket of the participant, where its rows are of participants."""
    schema, _, name = table.rpartition(".")
    rows = _count(connection, schema, name)
    # Other engines have no UUIDs: they are texts there.
    uuids = _uuids(connection, table)
    columns = f"select * replace ({uuids})" if uuids else "select *"
    place = folder / name
    place.mkdir(parents=True)
    owner, _ = owners().get(name, (None, None)) if schema == STORES["raw"] else (None, None)
    if rows == 0 or owner is None:
        # A table without rows has a file with its columns.
        _copy(connection, f"{columns} from {table}", place / "rows.parquet", PARQUET)
        return rows
    buckets = -(-rows // rows_of_a_bucket)
    _copy(
        connection,
        f"{columns}, cast(md5_number_lower(cast({owner} as varchar)) % {buckets} as integer) as bucket from {table}",
        place,
        f"{PARQUET}, partition_by (bucket), overwrite_or_ignore",
    )
    return rows


def _uuids(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    described = connection.execute(f"describe {table}").fetchall()
    return ", ".join(f"cast({name} as varchar) as {name}" for name, kind, *_ in described if kind == "UUID")


def _write_seed(connection: duckdb.DuckDBPyConnection, folder: Path, name: str, types: Mapping[str, str]) -> int:
    read = literal(PROJECT / "seeds" / f"{name}.csv")
    columns = ", ".join(f"{literal(column)}: {literal(kind)}" for column, kind in types.items())
    (folder / name).mkdir(parents=True)
    statement = f"from read_csv({read}, header = true, types = {{{columns}}})"
    return _copy(connection, statement, folder / name / "rows.parquet", PARQUET)


def _copy(connection: duckdb.DuckDBPyConnection, query: str, place: Path, options: str) -> int:
    """Write what ``query`` finds; returns how many rows these are."""
    ((rows,),) = connection.execute(f"copy ({query}) to {literal(place)} ({options})").fetchall()
    return int(rows)
