"""Merging shards: what the shares of a load landed comes into the study's vault, in one transaction.

A shard says who somebody is by participant code, and which donation or file something is by its hash: what the vault has
already is not brought again, and whoever is held by now is left out. So a merge may be repeated.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from jinja2 import Environment, StrictUndefined

from consonance.consent.coverage import withhold_columns
from consonance.consent.state import held_codes
from consonance.erasure.erased_plays import erase_returned
from consonance.study.audit_log import anchor, record
from consonance.study.files import remove_within
from consonance.study.folder import Study
from consonance.study.key import read_key
from consonance.study.migrations import VERSION
from consonance.study.schema import lay_out_stores, owners, tables
from consonance.study.settings import Settings
from consonance.study.store_errors import StoreError, StoreInUse
from consonance.study.tokens import Tokens
from consonance.study.tombstones import refuse_unfinished
from consonance.study.vault import (
    CATALOGUE,
    attach_study,
    attach_under_key,
    lock_down,
    session_settings,
)
from loaders.load import note_who_takes_part
from loaders.shards import BadShards, Share, complete_shards

MERGE_SHARD = Environment(undefined=StrictUndefined, autoescape=False).from_string(
    Path(__file__).with_name("merge_shard.sql").read_text(encoding="utf-8")
)


@dataclass(frozen=True)
class Merged:
    """What a merge brought into the vault.

    Attributes:
        shards: How many there were.
        donations, plays: How many came into the vault.
        participants_left: Of so many nothing came, because the vault changed meanwhile: the next load reads them.
    """

    shards: int
    donations: int
    plays: int
    participants_left: int

    def as_json(self) -> dict[str, int]:
        return asdict(self)


def merge_shards(study: Study) -> Merged:
    """Bring every shard of ``study`` into its vault, and delete the shards.

    It is all or nothing. A load must follow: it reads everything that no shard has.

    Raises:
        BadShards: a shard is missing, of another study, damaged, or not what its name says. Nothing was merged.
        ConsonanceError: see ``load_study``.
    """
    refuse_unfinished(study)
    settings = Settings.read(study)
    shards = complete_shards(study)
    loaded_at = datetime.now(UTC).replace(tzinfo=None)
    with duckdb.connect(config=session_settings()) as connection:
        attach_study(connection, study, writes_catalogue=True)
        attached = {_attach(connection, study, share, path): path for share, path in shards.items()}
        lock_down(connection, [])
        lay_out_stores(connection)
        connection.execute(f"detach {CATALOGUE}")
        for name, share in zip(attached, shards, strict=True):
            _refuse_foreign(connection, study, name, share, attached[name])
        note_who_takes_part(connection, study, settings, loaded_at)
        withhold_columns(connection)
        connection.begin()
        try:
            merged = _merge(connection, list(attached), loaded_at)
            record(connection, study, "shards_merged", merged.as_json())
            _step("merged")
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        _step("committed")
        anchor(connection, study)
        connection.execute("checkpoint vault")
    if not remove_within(study.root, study.shards):
        raise BadShards(
            f"{study.shards} cannot be deleted.", "Delete it: all that is in it is in the vault now. Then load."
        )
    return merged


def _attach(connection: duckdb.DuckDBPyConnection, study: Study, share: Share, path: Path) -> str:
    """Attach the shard ``path`` for reading; its name."""
    name = f"shard_{share.number}"
    try:
        attach_under_key(connection, path, name, read_key(study), read_only=True)
    except StoreInUse:
        raise
    except StoreError:
        raise BadShards(
            f"The shard {study.within(path)} cannot be opened with the key of this study: it is of another study, older than "
            "the last change of the key, or damaged.",
            _again(share),
        ) from None
    return name


def _refuse_foreign(connection: duckdb.DuckDBPyConnection, study: Study, name: str, share: Share, path: Path) -> None:
    """Check that a shard is of this study, of this version, and the share that its name says.

    Raises:
        BadShards: it is not.
    """
    secrets = "select secret from {}.raw.secrets where name = 'tokens'"
    try:
        ours, theirs = (connection.execute(secrets.format(database)).fetchall() for database in ("vault", name))
        ((version,),) = connection.execute(f"select max(version) from {name}.raw.store_version").fetchall()
        ((number, of),) = connection.execute(f"select number, shares from {name}.main.share").fetchall()
    except (duckdb.CatalogException, ValueError):
        raise BadShards(f"{study.within(path)} is no shard of a load.", _again(share)) from None
    if ours != theirs:
        raise BadShards(f"The shard {study.within(path)} is of another study.", _again(share))
    if version != VERSION:
        raise BadShards(f"The shard {study.within(path)} was made by another version of consonance.", _again(share))
    if (number, of) != (share.number, share.of):
        raise BadShards(
            f"{study.within(path)} is the shard {number}/{of}: it was renamed, or there are two of it.", _again(share)
        )


def _again(share: Share) -> str:
    return f"Delete it, run 'consonance load --shard {share}', then merge again."


def _merge(connection: duckdb.DuckDBPyConnection, shards: list[str], loaded_at: datetime) -> Merged:
    admitted = [code for code, reason in held_codes(connection, "listening_history").items() if reason is None]
    columns = {table: list(tables()[table].columns) for table in owners("listening_history")}
    # What belongs to no donation is not landed: hashes of erased plays, which no shard has.
    landed = {table: names for table, names in columns.items() if {"donation_id", "member_id"} & set(names)}
    donations, left, before = 0, 0, _plays(connection)
    for shard in shards:
        values = {"admitted": admitted, "refused": _erased(connection, shard), "loaded_at": loaded_at}
        for name, value in values.items():
            connection.execute(f"set variable {name} = $value", {"value": value})
        connection.execute(MERGE_SHARD.render(shard=shard, tables=landed))
        ((here, without),) = connection.execute(
            "select (select count(*) from donation_map), (select count(*) from people_left)"
        ).fetchall()
        donations, left = donations + int(here), left + int(without)
    erase_returned(connection)
    return Merged(len(shards), donations, _plays(connection) - before, left)


def _plays(connection: duckdb.DuckDBPyConnection) -> int:
    ((plays,),) = connection.execute(
        "select (select count(*) from vault.raw.extended_plays) + (select count(*) from vault.raw.account_plays)"
    ).fetchall()
    return int(plays)


def _erased(connection: duckdb.DuckDBPyConnection, shard: str) -> list[str]:
    """The donations of a shard that were erased with a withdrawal, under whatever code."""
    tokens = Tokens.of(connection)
    erased = {token for (token,) in connection.execute("select token from vault.raw.erased_donations").fetchall()}
    hashes = connection.execute(f"select sha256 from {shard}.raw.donations").fetchall() if erased else []
    return [sha256 for (sha256,) in hashes if tokens.donation(sha256) in erased]


def _step(name: str) -> None:
    """Where a merge can be killed; tests do."""
