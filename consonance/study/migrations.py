"""From the stores of an earlier version to those of this one: numbered steps, in this one place.

``raw.store_version`` says which version the stores have. A missing table, and a missing column that may be null, is
added without a step (``consonance.study.schema``); whatever else changes is a step here. Each step may run twice:
a step that was interrupted runs again.
"""

from __future__ import annotations

from collections.abc import Callable

import duckdb

from consonance.study.errors import ConsonanceError

# What version 0.1 of the program made with dbt under names that no model has any more.
MODELS_OF_0_1 = {
    "vault.reconciled": (
        "account_copies", "account_repeats", "clock_origins", "consent_state", "extended_duplicates", "known_names",
        "landed_plays", "listeners", "member_precedence", "play_account", "play_fates", "spellings", "zone_days",
    ),
    "warehouse.anonymized": ("emotion_answers", "library", "participants", "plays", "row_account", "tracks"),
    "warehouse.features": ("emotion_report_plays", "emotion_scores", "track_features", "track_matches"),
    "warehouse.sessionized": ("play_sessions",),
}  # fmt: skip


class NewerStores(ConsonanceError):
    """The stores were written by a newer version of the program."""


def _let_dbt_drop_models_of_0_1(connection: duckdb.DuckDBPyConnection) -> None:
    """Note the models that were renamed, also in vaults from before dbt noted them; the next complete run drops them."""
    connection.executemany(
        "insert or ignore into vault.raw.made_relations values (?, ?, ?)",
        [(*schema.split("."), name) for schema, names in MODELS_OF_0_1.items() for name in names],
    )


def _drop_former_notes(connection: duckdb.DuckDBPyConnection) -> None:
    """Runs of dbt and archives of features were noted in tables of another shape; both are noted anew."""
    connection.execute("drop table if exists vault.raw.last_build; drop table if exists catalogue.music.archives")


def _rename_taken_down(connection: duckdb.DuckDBPyConnection) -> None:
    """Releases that were unpublished were noted in ``raw.taken_down``."""
    if connection.execute(
        "select 1 from duckdb_tables() where database_name = 'vault' and table_name = 'taken_down'"
    ).fetchall():
        connection.execute("insert or ignore into vault.raw.unpublished select * from vault.raw.taken_down")
        connection.execute("drop table vault.raw.taken_down")


def _read_archives_again(connection: duckdb.DuckDBPyConnection) -> None:
    """Features had a row for each track in ``track_features``; the next load reads the files of ``catalogue/`` again."""
    connection.execute("drop table if exists catalogue.music.track_features; delete from catalogue.music.archive_files")


def _drop_keys_of_recordings(connection: duckdb.DuckDBPyConnection) -> None:
    """Recordings had the keys of their names; keys are made now of those that a track can be."""
    for column in ("artist_keys", "first_artist_key", "title_key", "exact_title_key", "album_key"):
        connection.execute(f"alter table catalogue.music.recordings drop column if exists {column}")


def _read_classifiers_again(connection: duckdb.DuckDBPyConnection) -> None:
    """Genres of AcousticBrainz were not read: a dump of its classifiers may be added once more, and lands them."""
    connection.execute("delete from catalogue.music.dumps where source_id = 'acousticbrainz_highlevel'")


# The step at place n leads to version n + 2: stores without a version are those of version 1.
STEPS: tuple[Callable[[duckdb.DuckDBPyConnection], None], ...] = (
    _let_dbt_drop_models_of_0_1,
    _drop_former_notes,
    _rename_taken_down,
    _read_archives_again,
    _drop_keys_of_recordings,
    _read_classifiers_again,
)
VERSION = len(STEPS) + 1


def store_version(connection: duckdb.DuckDBPyConnection) -> int | None:
    """The version of the attached stores; ``None`` if they have no table yet."""
    there = connection.execute(
        "select table_name from duckdb_tables() where database_name = 'vault' and schema_name = 'raw'"
    ).fetchall()
    if ("store_version",) not in there:
        return 1 if there else None
    return int(connection.execute("select coalesce(max(version), 1) from vault.raw.store_version").fetchall()[0][0])


def refuse_newer_stores(connection: duckdb.DuckDBPyConnection) -> None:
    """See that this program knows the version of the attached stores.

    Raises:
        NewerStores: it does not.
    """
    found = store_version(connection)
    if found is not None and found > VERSION:
        raise NewerStores(
            f"The vault of this study was written by a newer version of consonance: it has stores of version {found}, "
            f"and this one knows them up to version {VERSION}.",
            "Install the newer version again. CHANGELOG.md says what changed.",
        )


def migrate(connection: duckdb.DuckDBPyConnection, found: int | None) -> None:
    """Run the steps that stores of version ``found`` lack, and note the version that they have now.

    Args:
        connection: With vault and catalogue attached for writing, every table and column of this version in place.
        found: ``store_version`` as it was before.
    """
    if found == VERSION:
        return
    for step in STEPS[found - 1 :] if found else ():
        step(connection)
    connection.execute("begin")
    connection.execute("delete from vault.raw.store_version")
    connection.execute("insert into vault.raw.store_version (version) values ($version)", {"version": VERSION})
    connection.execute("commit")
