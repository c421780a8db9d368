"""The files of donation tools in the inbox: they lie in ``inbox/`` itself, not in the folder of a participant."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from consonance.study.files import remove_within, replace_file, sync
from consonance.study.folder import Study
from loaders.donation_ids import read_donation_ids
from loaders.donation_tools import ddm, osd2f, port
from loaders.donation_tools.documents import Share, read_document, written
from loaders.export_kinds import BYTE_ORDER_MARK
from loaders.member_content import PEEK
from loaders.refusals import MemberBroken


class _Tool(Protocol):
    """A module that reads the files of one tool, in which there may be several persons."""

    START: re.Pattern[bytes]

    def shares_in(self, document: Any) -> list[Share]: ...

    def without(self, document: Any, tool_ids: Collection[str]) -> Any: ...


TOOLS: tuple[_Tool, ...] = (ddm, osd2f)


@dataclass(frozen=True)
class Held:
    """What a file of a tool holds of a participant: the file, and the bytes of it that are theirs."""

    path: Path
    size: int


def shares_in(path: Path) -> list[Share]:
    """What each person donated in the file ``path``, which lies in the inbox itself; none if it is of no known tool.

    Raises:
        MemberBroken: it is of a tool, but cannot be read.
    """
    if path.is_symlink() or not path.is_file():
        return []
    if port.is_port(path.name):
        return [port.share_of(path)]
    if (tool := _tool_of(path)) is None:
        return []
    return tool.shares_in(read_document(path))


def held_of(study: Study, code: str) -> list[Held]:
    """What the files of tools hold of the participant ``code``. Files that cannot be read are left out."""
    ids = ids_of(study, code)
    return [Held(path, share.size) for path, shares in _readable(study) for share in shares if share.tool_id in ids]


def unreadable(study: Study) -> list[Path]:
    """The files of tools that cannot be read, so that nobody knows whose they are."""
    return [path for path in _files(study) if _shares(path) is None]


def tool_ids(study: Study) -> set[str]:
    """Every id that names a person in a file of a tool, or in ``donation_ids.csv``."""
    named = {share.tool_id for _, shares in _readable(study) for share in shares}
    return (named | set(read_donation_ids(study))) - {""}


def ids_of(study: Study, code: str) -> Collection[str]:
    """The ids by which files of tools mean the participant ``code``."""
    codes = read_donation_ids(study)
    return {tool_id for tool_id, meant in codes.items() if meant == code} | ({code} - codes.keys())


def remove(study: Study, code: str) -> None:
    """Remove the participant ``code`` from the files of tools: their part of a file, or the file if nobody else is in it."""
    # A person may have two ids in one file.
    for path in dict.fromkeys(held.path for held in held_of(study, code)):
        tool = None if port.is_port(path.name) else _tool_of(path)
        left = tool.without(read_document(path), ids_of(study, code)) if tool else None
        if left is None:
            remove_within(study.root, path)
            sync(study.inbox)
        else:
            replace_file(path, written(left), path.stat().st_mode & 0o777)


def _tool_of(path: Path) -> _Tool | None:
    """The tool whose file begins so; Port's are known by their names."""
    with path.open("rb") as file:
        start = file.read(PEEK).removeprefix(BYTE_ORDER_MARK)
    return next((tool for tool in TOOLS if tool.START.match(start)), None)


def _readable(study: Study) -> Iterator[tuple[Path, list[Share]]]:
    for path in _files(study):
        if shares := _shares(path):
            yield path, shares


def _shares(path: Path) -> list[Share] | None:
    try:
        return shares_in(path)
    except (MemberBroken, OSError):
        return None


def _files(study: Study) -> list[Path]:
    if not study.inbox.is_dir():
        return []
    return sorted(path for path in study.inbox.iterdir() if path.is_file() and not path.is_symlink())
