"""``consonance export training``: the examples that models may be trained on, with dictionary and data package."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from consonance.export.consent import note, refuse_outdated, refuse_without_consent
from consonance.export.dictionary import Entry, describe, table_schema, write_dictionary
from consonance.export.folder import CannotExport, new_folder, reading, write_json
from consonance.release.contents import DATABASE, controlled_tables
from consonance.release.register import CURRENT
from consonance.study.files import sha256_of
from consonance.study.folder import Study
from consonance.study.literals import literal
from consonance.study.records import records
from consonance.study.settings import Settings
from consonance.study.vault import open_study

TABLE = "training_examples"
# As the macro grants_training asks for.
PURPOSES = ("ml_training", "emotion_reports", "listening_history")
FORMATS = {
    "parquet": ("application/vnd.apache.parquet", "format parquet, compression zstd"),
    "csv": ("text/csv", "format csv, header, timestampformat '%Y-%m-%dT%H:%M:%S'"),
}
ORDER = "participant_id, reported_at_local, instrument, report_id, emotion_window"
README = """# {title}: training examples

{rows} rows of {persons} participants, {origin}, {created}. One row is one emotion report and one window before it.
`dictionary.csv` says what every column is; `datapackage.json` is a Frictionless Data Package.

**Consent.** Every participant grants {purposes}. These are pseudonymous data of persons: keep them as your study
promised, and delete them when it asks you to. If a participant withdraws, every copy has to go.

**Permissions.** Every value of a feature is of a source that permits training: `permissions.csv` says which, and by
what. A model that was trained on them keeps what it has learnt: read the terms before you pass it on.

**Folds.** All rows of a participant have one `fold`. Judge a model on folds that it has not seen, never on rows drawn
at random: otherwise it recognises persons. Columns that end in `_between` are made of all rows of the same participant,
also of later ones.
"""


@dataclass(frozen=True)
class Export:
    """What was exported."""

    folder: Path
    rows: int
    persons: int
    entry: int


def export_training(study: Study, folder: Path, file_format: str, release: str | None = None) -> Export:
    """Write the training examples of a study, or of one of its releases, into the new folder ``folder``.

    Args:
        study: Loaded and built.
        folder: It must not exist yet.
        file_format: ``parquet`` or ``csv``.
        release: The number of a release, or ``current``; the warehouse if not given.

    Raises:
        CannotExport: there is nothing to export, it may not be exported, or not written to ``folder``.
        StoreError, VaultKeyError: a store cannot be opened.
    """
    number, database = _source(study, release)
    created = datetime.now(UTC).replace(microsecond=0)
    with new_folder(folder, study) as draft:
        persons, rows = _write(study, draft, database, file_format, number, created)
        with open_study(study, warehouse=number is None) as connection:
            if number is None:
                refuse_outdated(connection)
            refuse_without_consent(connection, persons, PURPOSES, number)
            facts = {"what": TABLE, "release": number, "rows": rows, "persons": len(persons)}
            digest = sha256_of(draft / f"{TABLE}.{file_format}")
            entry = note(connection, study, {**facts, "sha256": digest})
    return Export(folder, rows, len(persons), entry)


def _source(study: Study, release: str | None) -> tuple[int | None, Path]:
    """The number of the release, and the database to read."""
    if release is None:
        if not study.warehouse_path.exists():
            raise CannotExport(f"{study.root} has no warehouse yet.", "Run 'dbt run' first.")
        return None, study.warehouse_path
    place = study.published / release
    number = place.readlink().name if release == CURRENT and place.is_symlink() else release
    if not number.isdecimal() or not (place / DATABASE).is_file():
        raise CannotExport(
            f"There is no release {release} in {study.published}.", "Name the number of a release, or 'current'."
        )
    return int(number), place / DATABASE


def _write(
    study: Study, draft: Path, database: Path, file_format: str, release: int | None, created: datetime
) -> tuple[list[str], int]:
    """Write every file. Returns the pseudonyms and the number of rows."""
    with reading(database, draft) as connection:
        if not connection.execute(
            "select 1 from duckdb_tables() where database_name = 'source' and schema_name = 'marts' and table_name = $1",
            [TABLE],
        ).fetchall():
            raise CannotExport(
                f"{database} has no {TABLE}.",
                "Run 'dbt run' first." if release is None else "A public release has totals alone: name a controlled one.",
            )  # fmt: skip
        entries = describe(connection, "source", TABLE)
        if unlisted := [one.column for one in entries if one.column not in controlled_tables()[f"marts.{TABLE}"]]:
            raise CannotExport(
                f"Nothing was exported: marts.{TABLE}.{unlisted[0]} is not on the list of what may leave the study.",
                "Add it to consonance/release/controlled_tables.yml with its kind, or remove it from the model.",
            )
        persons = [
            person
            for (person,) in connection.execute(
                f"select distinct participant_id from source.marts.{TABLE} order by participant_id"
            ).fetchall()
        ]
        if not persons:
            raise CannotExport(
                f"Nothing was exported: nobody with emotion reports grants {', '.join(PURPOSES)}.",
                "Ask participants for the purpose ml_training, then 'consonance load' and 'dbt run'.",
            )
        ((rows,),) = connection.execute(f"select count(*) from source.marts.{TABLE}").fetchall()
        _, options = FORMATS[file_format]
        connection.execute(
            f"copy (from source.marts.{TABLE} order by {ORDER}) to {literal(draft / f'{TABLE}.{file_format}')} ({options})"
        )
        connection.execute(
            f"copy (from source.marts.training_sources order by all) to {literal(draft / 'permissions.csv')} (format csv, header)"
        )
        permissions = records(connection.execute("from source.marts.training_sources order by all"))
    write_dictionary(draft / "dictionary.csv", entries)
    title = Settings.read(study).title
    _write_datapackage(draft, title, file_format, entries, permissions, release, created)
    origin = "from the study's warehouse" if release is None else f"from release {release}"
    facts = {"title": title, "rows": f"{rows:,}", "persons": f"{len(persons):,}", "origin": origin}
    words = README.format(**facts, created=f"{created:%Y-%m-%d}", purposes=", ".join(PURPOSES))
    (draft / "README.md").write_text(words, encoding="utf-8")
    return persons, int(rows)


def _write_datapackage(
    draft: Path,
    title: str,
    file_format: str,
    entries: list[Entry],
    permissions: list[dict[str, Any]],
    release: int | None,
    created: datetime,
) -> None:
    """Write ``datapackage.json``. Source: https://specs.frictionlessdata.io/data-package/"""
    path = draft / f"{TABLE}.{file_format}"
    resource = {
        "name": TABLE.replace("_", "-"),
        "path": path.name,
        "description": "One row is one emotion report and one window before it.",
        "format": file_format,
        "mediatype": FORMATS[file_format][0],
        "bytes": path.stat().st_size,
        "hash": f"sha256:{sha256_of(path)}",
        "schema": table_schema(entries),
    }
    write_json(
        draft / "datapackage.json",
        {
            "profile": "data-package",
            "name": TABLE.replace("_", "-"),
            "title": f"{title}: training examples",
            "description": "See README.md for consent, permissions and folds, and dictionary.csv for the columns.",
            "created": f"{created:%Y-%m-%dT%H:%M:%SZ}",
            "release": release,
            "consent": {"purposes": list(PURPOSES)},
            "permissions": permissions,
            "resources": [resource],
        },
    )
