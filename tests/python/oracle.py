"""What the numbers mean, once more, in plain slow Python: an independent recount of docs/numbers.md.

It shares no code with the project: it opens the zips, parses the JSON and follows the definitions.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

EXTENDED = {"ts", "ms_played"}
ACCOUNT = {
    "music": ("trackName", "artistName"),
    "podcast": ("episodeName", "podcastName"),
    "audiobook": ("chapterName", "audiobookName"),
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = 60_000
GAP = 30 * MINUTE
EXITS = ("unexpected-exit", "unexpected-exit-while-paused", "logout")


@dataclass
class Row:
    """One landed row."""

    source: str
    member: str
    row_no: int
    keys: int
    reported_ms: int
    ms: int
    uri: str | None
    title: str | None
    creator: str | None
    content: str
    reason_end: str | None = None
    offline: bool | None = None
    stamp: int | None = None
    private: bool | None = None
    started: int = 0
    ended: int = 0
    quality: str = ""
    fate: str = ""


@dataclass
class Listener:
    """What is known of a person beside the donations."""

    zone: str = "Europe/Berlin"
    purposes: frozenset[str] = frozenset({"listening_history", "podcasts_audiobooks", "private_sessions"})
    first: date | None = None
    last: date | None = None


@dataclass
class Recount:
    """One person's rows with their fates, and what follows from them."""

    rows: list[Row] = field(default_factory=list)

    def fates(self) -> Counter[tuple[str, str]]:
        return Counter((row.source, row.fate) for row in self.rows)

    def kept(self) -> list[Row]:
        return [row for row in self.rows if row.fate == "kept"]

    def qualities(self) -> Counter[str]:
        return Counter(row.quality for row in self.kept())

    def contents(self) -> Counter[str]:
        return Counter(row.content for row in self.kept())

    def skips(self) -> Counter[bool | None]:
        return Counter(
            None
            if row.source == "account" or row.reason_end in (None, "unknown")
            else row.reason_end in ("fwdbtn", "backbtn", "endplay")
            for row in self.kept()
        )

    def sessions(self) -> int:
        return len(_sessions(self.kept()))

    def windows(self, report: int) -> dict[str, tuple[int, int, int]]:
        """Plays, milliseconds and sessions of the windows around a report at that moment, in milliseconds UTC."""
        kept, windows = self.kept(), {}
        for minutes in (15, 30, 60, 180):
            length = minutes * MINUTE
            windows[f"before_{minutes}m"] = [row for row in kept if report - length <= row.ended < report]
            windows[f"after_{minutes}m"] = [row for row in kept if report <= row.started <= report + length]
        around = [
            session
            for session in _sessions(kept)
            if session[0].started <= report <= max(row.ended for row in session) + GAP
        ]
        windows["session"] = around[0] if around else []
        return {name: (len(rows), sum(row.ms for row in rows), len(_sessions(rows))) for name, rows in windows.items()}


def _sessions(rows: list[Row]) -> list[list[Row]]:
    sessions: list[list[Row]] = []
    latest = 0
    for row in sorted(rows, key=lambda row: (row.started, row.ended)):
        if not sessions or row.started - latest > GAP:
            sessions.append([])
            latest = row.ended
        sessions[-1].append(row)
        latest = max(latest, row.ended)
    return sessions


def recount(donations: list[Path], listener: Listener) -> Recount:
    """Recount the donations of one person; paths of zips, or of folders."""
    members: dict[str, list[Row]] = {}
    holds: dict[str, list[str]] = {}
    for path in donations:
        contents = _contents(path)
        donation = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else _folder_hash(contents)
        if donation in holds:
            continue
        holds[donation] = []
        for _, content in contents:
            digest = hashlib.sha256(content).hexdigest()
            rows = members.get(digest)
            if rows is None:
                rows = _rows(content, digest)
            if rows is not None:
                members[digest] = rows
                if digest not in holds[donation]:
                    holds[donation].append(digest)
        if not holds[donation]:
            del holds[donation]
    result = Recount([row for rows in members.values() for row in rows])
    place = _places(members, holds)
    _extended_duplicates(result, place)
    _account_duplicates(result, members, holds)
    _supersede(result)
    for row in result.rows:
        _time(row)
        row.fate = row.fate or _consent(row, listener)
    return result


def _contents(path: Path) -> list[tuple[str, bytes]]:
    if path.is_file():
        with zipfile.ZipFile(path) as archive:
            return [
                (entry.filename, archive.read(entry))
                for entry in sorted(archive.infolist(), key=lambda entry: entry.filename)
                if not entry.is_dir()
            ]
    return [
        (file.relative_to(path).as_posix(), file.read_bytes()) for file in sorted(path.rglob("*")) if file.is_file()
    ]


def _folder_hash(contents: list[tuple[str, bytes]]) -> str:
    return hashlib.sha256(
        "".join(f"{name}\0{hashlib.sha256(content).hexdigest()}\n" for name, content in contents).encode()
    ).hexdigest()


def _kind(row: Any) -> str | None:
    if not isinstance(row, dict):
        return None
    if set(row) >= EXTENDED:
        return "extended"
    for kind, names in ACCOUNT.items():
        if {"endTime", "msPlayed"} <= set(row) and any(name in row for name in names):
            return kind
    return None


def _rows(content: bytes, digest: str) -> list[Row] | None:
    try:
        document = json.loads(content)
    except ValueError:
        return None
    if not isinstance(document, list):
        return None
    kind = next((kind for kind in map(_kind, document) if kind), None)
    if kind is None:
        return None
    rows = []
    for number, raw in enumerate(document, start=1):
        if _kind(raw) != kind:
            continue
        moment, ms = _moment(raw, kind), _whole(raw["ms_played" if kind == "extended" else "msPlayed"])
        if moment is None or ms is None:
            continue
        rows.append(_row(kind, raw, digest, number, moment, ms))
    return rows


def _row(kind: str, raw: dict[str, Any], digest: str, number: int, moment: int, ms: int) -> Row:
    def text(key: str) -> str | None:
        value = raw.get(key)
        return value if isinstance(value, str) and value else None

    def flag(key: str) -> bool | None:
        value = raw.get(key)
        return value if isinstance(value, bool) else None

    if kind != "extended":
        title, creator = ACCOUNT[kind]
        content = {"music": "track", "podcast": "episode"}.get(kind, "audiobook")
        return Row("account", digest, number, len(raw), moment, ms, None, text(title), text(creator), content)
    groups = (
        (
            "track",
            text("master_metadata_track_name"),
            text("master_metadata_album_artist_name"),
            text("spotify_track_uri"),
        ),
        ("episode", text("episode_name"), text("episode_show_name"), text("spotify_episode_uri")),
        (
            "audiobook",
            text("audiobook_chapter_title"),
            text("audiobook_title"),
            text("audiobook_chapter_uri") or text("audiobook_uri"),
        ),
    )
    content, title, creator, _ = next((group for group in groups if any(group[1:])), ("unknown", None, None, None))
    uri = next((group[3] for group in groups if group[3]), None)
    stamp = raw.get("offline_timestamp")
    return Row(
        "extended",
        digest,
        number,
        len(raw),
        moment,
        ms,
        uri,
        title,
        creator,
        content,
        text("reason_end"),
        flag("offline"),
        stamp if isinstance(stamp, int) and not isinstance(stamp, bool) else None,
        flag("incognito_mode"),
    )


def _moment(raw: dict[str, Any], kind: str) -> int | None:
    text = raw["ts" if kind == "extended" else "endTime"]
    try:
        moment = datetime.fromisoformat(text) if kind == "extended" else datetime.strptime(text, "%Y-%m-%d %H:%M")
    except (ValueError, TypeError):
        return None
    return round((moment.replace(tzinfo=moment.tzinfo or UTC) - EPOCH) / timedelta(milliseconds=1))


def _whole(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return int(number) if number >= 0 and number == int(number) else None


def _places(members: dict[str, list[Row]], holds: dict[str, list[str]]) -> dict[str, tuple[int, int]]:
    reach = {
        donation: max((row.reported_ms for digest in digests for row in members[digest]), default=None)
        for donation, digests in holds.items()
    }
    order = sorted(
        (donation for donation in holds if reach[donation] is not None),
        key=lambda donation: (-(reach[donation] or 0), donation),
    )
    return {
        digest: min(
            (place, holds[donation].index(digest)) for place, donation in enumerate(order) if digest in holds[donation]
        )
        for digest in members
        if members[digest]
    }


def _is_same(one: Row, other: Row) -> bool:
    if not any((one.uri, one.title, one.creator, other.uri, other.title, other.creator)):
        return True
    if one.uri and one.uri == other.uri:
        return True
    names = (one.title, one.creator)
    if names != (other.title, other.creator):
        return False
    return all(names) if one.uri and other.uri else any(names)


def _extended_duplicates(result: Recount, place: dict[str, tuple[int, int]]) -> None:
    buckets: dict[tuple[int, int], list[Row]] = {}
    for row in result.rows:
        if row.source == "extended":
            buckets.setdefault((row.reported_ms, row.ms), []).append(row)
    for bucket in buckets.values():
        kept: list[Row] = []
        for row in sorted(bucket, key=lambda row: (-row.keys, place[row.member], row.row_no)):
            if any(_is_same(row, other) for other in kept):
                row.fate = "duplicate"
            else:
                kept.append(row)


def _account_key(row: Row) -> tuple[int, str | None, str | None, int]:
    return (row.reported_ms, row.title, row.creator, row.ms)


def _account_duplicates(result: Recount, members: dict[str, list[Row]], holds: dict[str, list[str]]) -> None:
    account = [row for row in result.rows if row.source == "account"]
    per_donation = [
        Counter(_account_key(row) for digest in digests for row in members[digest] if row.source == "account")
        for digests in holds.values()
    ]
    landed = Counter(map(_account_key, account))
    surplus = {key: count - max(counter[key] for counter in per_donation) for key, count in landed.items()}
    for row in account:
        if surplus[_account_key(row)] > 0:
            surplus[_account_key(row)] -= 1
            row.fate = "duplicate"


def _supersede(result: Recount) -> None:
    there = Counter(
        (row.reported_ms // 60_000, row.ms) for row in result.rows if row.source == "extended" and not row.fate
    )
    for row in result.rows:
        key = (row.reported_ms // 60_000, row.ms)
        if row.source == "account" and not row.fate and there[key] > 0:
            there[key] -= 1
            row.fate = "superseded_by_extended"


def _time(row: Row) -> None:
    row.started, row.ended, row.quality = row.reported_ms - row.ms, row.reported_ms, "exact"
    if row.source == "account":
        row.quality = "minute_resolution"
    elif row.reason_end in EXITS:
        stamp = None
        if row.offline is not True and row.stamp is not None and row.stamp > 1:
            stamp = row.stamp - row.stamp % 1000 if row.stamp >= 10**11 else row.stamp * 1000
            if not row.reported_ms - 7 * 86_400_000 <= stamp <= row.reported_ms:
                stamp = None
        if stamp is None:
            row.quality = "unreliable_exit"
        elif stamp < row.reported_ms - row.ms:
            row.started, row.ended, row.quality = stamp, stamp + row.ms, "offline_corrected"


def _consent(row: Row, listener: Listener) -> str:
    day = (EPOCH + timedelta(milliseconds=row.ended)).astimezone(ZoneInfo(listener.zone)).date()
    if (listener.first and day < listener.first) or (listener.last and day > listener.last):
        return "outside_consent_window"
    if "listening_history" not in listener.purposes:
        return "purpose_not_granted"
    if row.content in ("episode", "audiobook") and "podcasts_audiobooks" not in listener.purposes:
        return "purpose_not_granted"
    if row.private is True and "private_sessions" not in listener.purposes:
        return "purpose_not_granted"
    return "kept"
