"""Reading the JSON of a donation tool, and handing a list of rows in it on as a file of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consonance.study.files import printable
from loaders.archive import MIB, Caps, Member
from loaders.export_kinds import BYTE_ORDER_MARK
from loaders.member_content import PEEK
from loaders.refusals import MemberBroken

AGAIN = "Download it from the donation tool again."
LONGEST_NAME = 100


@dataclass(frozen=True)
class Share:
    """What one person donated in one file of a tool.

    Attributes:
        tool_id: How the tool calls the person; empty if it does not say.
        members: Gives the lists of rows, each as a file of a donation; raises ``MemberBroken``.
        size: Bytes, where they are known without reading.
    """

    tool_id: str
    members: Callable[[], list[Member]]
    size: int = 0


def read_document(path: Path) -> Any:
    """The JSON of the file ``path``.

    Raises:
        MemberBroken: it cannot be read, is too large, or is no JSON.
    """
    name = printable(path.name)
    try:
        if path.stat().st_size > Caps().member_bytes:
            raise MemberBroken(
                "too_big",
                f"{name} has more than {Caps().member_bytes // MIB:,} MiB.",
                "Download the donations of fewer participants at a time.",
            )
        content = path.read_bytes().removeprefix(BYTE_ORDER_MARK)
    except OSError:
        raise MemberBroken("unreadable", f"{name} cannot be read.", "Give yourself the right to read it.") from None
    try:
        return json.loads(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise MemberBroken(
            "wrong_encoding", f"{name} is not UTF-8: it was saved again by another program.", AGAIN
        ) from None
    except RecursionError:
        raise MemberBroken("too_deep", f"{name} has values nested deeper than any donation.", AGAIN) from None
    except ValueError:  # its message quotes what stands there
        raise MemberBroken("malformed_json", f"{name} is cut off, or no well-formed JSON.", AGAIN) from None


def written(document: Any) -> bytes:
    """The bytes of a file with ``document`` in it; the same for the same content."""
    return json.dumps(document).encode("ascii")


def as_member(name: str, position: int, rows: bytes, *, are_texts: bool = False) -> Member:
    """A list of rows as a file of a donation; ``are_texts``: the tool has made a text of every value."""
    return Member(
        printable(name)[:LONGEST_NAME], position, len(rows), lambda: rows, lambda: rows[:PEEK], are_texts=are_texts
    )


def broken_member(name: str, position: int, broken: MemberBroken) -> Member:
    """A file of a donation that cannot be read."""

    def refuse() -> bytes:
        raise broken

    return Member(printable(name)[:LONGEST_NAME], position, 0, refuse, refuse)


def share_of(tool_id: str, members: list[Member]) -> Share:
    """The share of a person whose ``members`` are read already."""
    return Share(printable(tool_id), lambda: members, sum(member.size for member in members))
