"""Shards: shares of a study's donations, each loaded into a vault of its own, so that many processes load side by side.

Whose donations are in which share is decided by a hash of the participant code alone: each process decides it by itself,
and it does not matter which donations are in its inbox, in which order, or who else is enrolled.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from loaders.system_files import is_system_file

FILE = re.compile(r"(?P<number>\d+)-of-(?P<of>\d+)\.duckdb")
MOST_SHARDS = 999


class BadShare(ConsonanceError):
    """These are not the number of a share and the number of shares."""


class BadShards(ConsonanceError):
    """The shards cannot be merged; nothing was."""


@dataclass(frozen=True)
class Share:
    """The share ``number``, from 1 on, of ``of`` shares.

    Raises:
        BadShare: there is no such share.
    """

    number: int
    of: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of <= MOST_SHARDS:
            raise BadShare(
                f"There is no share {self} of a load.",
                f"Write the number of the share and the number of shares, at most {MOST_SHARDS}, such as 3/16.",
            )

    @classmethod
    def parse(cls, text: str) -> Share:
        """The share that ``text``, such as ``3/16``, stands for.

        Raises:
            BadShare: it stands for none.
        """
        found = re.fullmatch(r"([0-9]{1,3})/([0-9]{1,3})", text)
        return cls(int(found[1]), int(found[2])) if found else cls(0, 0)

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def includes(self, code: str) -> bool:
        """Whether the donations of the participant ``code`` belong to it: SHA-256 of the code, modulo the number of shares."""
        digest = hashlib.sha256(code.encode()).digest()
        return int.from_bytes(digest) % self.of == self.number - 1

    def path(self, study: Study) -> Path:
        """Where its shard is."""
        return study.shards / f"{self.number}-of-{self.of}.duckdb"


def refuse_link(study: Study) -> None:
    """Check that shards are in the study folder itself, where a withdrawal deletes them.

    Raises:
        BadShards: their folder is a link.
    """
    if study.shards.is_symlink():
        raise BadShards(
            f"{study.shards} is a link.", "Delete the link, and what it leads to: shards stay in the study folder."
        )


def complete_shards(study: Study) -> dict[Share, Path]:
    """The shards of ``study``, in their order: each share of one load once.

    Raises:
        BadShards: their folder is a link, there is none, one is missing, those of two loads are mixed, or there is another file.
    """
    refuse_link(study)
    files = sorted(path for path in study.shards.glob("*") if not is_system_file(path.name))
    if not files:
        raise BadShards(
            f"There are no shards in {study.shards}.", "Make them first: 'consonance load --shard 1/2', then 2/2."
        )
    found: dict[Share, Path] = {}
    for path in files:
        name = FILE.fullmatch(path.name)
        if name is None or path.is_symlink() or not path.is_file():
            raise BadShards(
                f"{study.within(path)} is no shard of a load.",
                "Move it away. A shard has a name such as 3-of-16.duckdb.",
            )
        found[Share(int(name["number"]), int(name["of"]))] = path
    counts = sorted({share.of for share in found})
    if len(counts) > 1:
        raise BadShards(
            f"There are shards of a load in {counts[0]} shares and of one in {counts[1]}.",
            "Delete those of one of the two.",
        )
    if missing := [number for number in range(1, counts[0] + 1) if Share(number, counts[0]) not in found]:
        more = f" ({len(missing)} are missing)" if len(missing) > 1 else ""
        raise BadShards(
            f"The shard {missing[0]}/{counts[0]} is missing{more}.",
            f"Run 'consonance load --shard {missing[0]}/{counts[0]}', then merge again.",
        )
    return dict(sorted(found.items(), key=lambda one: one[0].number))
