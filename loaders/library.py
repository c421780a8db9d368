"""What people saved: the track URIs of their library and playlists, of those who grant ``library``.

Nothing else of these files is landed: no names of playlists, no descriptions, no dates, no episodes, and
no local files, whose URIs contain typed text. The files are known by their keys, as all files of an export.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb

from consonance.consent.state import held_codes
from loaders.archive import Member
from loaders.export_kinds import BYTE_ORDER_MARK
from loaders.inbox import Donation
from loaders.load_report import DonationReport
from loaders.refusals import MemberBroken

TRACK_URI = re.compile(r"spotify:track:[0-9A-Za-z]{22}")
LIBRARY_START = re.compile(rb'\s*\{\s*"(tracks|playlists)"')


def load_library(
    connection: duckdb.DuckDBPyConnection, donations: Sequence[Donation], reports: Sequence[DonationReport]
) -> int:
    """Replace ``raw.library_items`` by what is in the donations of those who consent now.

    A person must have granted ``library``, and ``listening_history``, without which no donation is read.
    What cannot be read was reported with its donation, and is left out here.

    Args:
        connection: With the vault attached.
        donations: As ``find_donations`` gives them.
        reports: What ``load_donations`` reported of each. Of those that it held or refused nothing lands, such as those
            of somebody who was erased; but for those that are whole and have no history.

    Returns:
        The number of items: one for each track that a person saved, and for each in their playlists.
    """
    library, numbers = held_codes(connection, "library"), _participant_numbers(connection)
    items: set[tuple[int, str, str]] = set()
    for donation, report in zip(donations, reports, strict=True):
        code = donation.participant_code
        was_read = report.status in ("loaded", "partly", "already") or report.reason == "no_history"
        if was_read and library.get(code, "") is None:
            items.update((numbers[code], origin, uri) for origin, uri in _items(donation))
    connection.begin()
    try:
        connection.execute("delete from vault.raw.library_items")
        connection.execute(
            """
            insert into vault.raw.library_items by name
            select
                unnest($numbers::integer[]) as participant_no,
                unnest($origins::varchar[]) as origin,
                unnest($uris::varchar[]) as track_uri
            """,
            dict(zip(("numbers", "origins", "uris"), map(list, zip(*sorted(items), strict=True)), strict=True))
            if items
            else {"numbers": [], "origins": [], "uris": []},
        )
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    return len(items)


def _participant_numbers(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return dict(connection.execute("select participant_code, participant_no from vault.raw.keyring").fetchall())


def _items(donation: Donation) -> Iterator[tuple[str, str]]:
    """(origin, URI) of every track in the library files of one donation."""
    if donation.path.is_symlink():
        return
    try:
        with donation.opened() as members:
            for member in members:
                yield from _items_of_file(_object(member))
    except MemoryError:
        raise
    except Exception:  # it was reported with its donation, whatever it is
        return


def _object(member: Member) -> Mapping[str, Any]:
    if not LIBRARY_START.match(member.peek().removeprefix(BYTE_ORDER_MARK)):
        return {}
    try:
        content = json.loads(member.read().removeprefix(BYTE_ORDER_MARK))
    except (MemberBroken, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _items_of_file(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for track in _objects(content.get("tracks")):
        yield from _item("saved", track.get("uri"))
    for playlist in _objects(content.get("playlists")):
        for entry in _objects(playlist.get("items")):
            for track in _objects([entry.get("track")]):
                yield from _item("playlist", track.get("trackUri"))


def _item(origin: str, uri: object) -> Iterator[tuple[str, str]]:
    if isinstance(uri, str) and TRACK_URI.fullmatch(uri):
        yield origin, uri


def _objects(value: object) -> list[dict[str, Any]]:
    return [element for element in value if isinstance(element, dict)] if isinstance(value, list) else []
