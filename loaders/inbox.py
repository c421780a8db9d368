"""The inbox: which donations are there, and whom they are from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from consonance.study.files import printable
from consonance.study.folder import Study
from loaders.archive import ARCHIVE_MAGIC, Member, fingerprint, fingerprint_of, open_donation
from loaders.donation_ids import read_donation_ids
from loaders.donation_tools.documents import Share
from loaders.donation_tools.files import shares_in
from loaders.export_kinds import BYTE_ORDER_MARK
from loaders.history_layouts import may_hold_history
from loaders.member_content import PEEK
from loaders.refusals import MemberBroken
from loaders.system_files import is_system_file

README_OF_SPOTIFY = re.compile(r"read[ _-]*me.*\.pdf$", re.IGNORECASE)


@dataclass(frozen=True)
class Donation:
    """A donation in the inbox, not read.

    Attributes:
        participant_code: Whose it is; empty if that is not known.
        path: A zip, a folder, or a file of a donation tool.
        loose: It is only these files of the folder.
        shares: It is only these parts of the file of a donation tool.
        broken: Why nobody knows whose the file of a donation tool is.
    """

    participant_code: str
    path: Path
    loose: tuple[Path, ...] = ()
    shares: tuple[Share, ...] = field(default=(), compare=False, repr=False)
    broken: MemberBroken | None = field(default=None, compare=False, repr=False)

    @property
    def size(self) -> int:
        """Bytes on disk, or 0 where they are not known: the largest donation is read first."""
        try:
            if self.shares:
                return sum(share.size for share in self.shares)
            if self.path.is_file():
                return self.path.stat().st_size
            files = self.loose or [path for path in self.path.rglob("*") if path.is_file()]
            return sum(path.stat().st_size for path in files)
        except OSError:  # it will be reported when it is read
            return 0

    @contextmanager
    def opened(self) -> Iterator[list[Member]]:
        """Its files, in order.

        Raises:
            DonationRefused, MemberBroken: it is no donation, is damaged, or tries something.
        """
        if self.shares:
            yield list(chain.from_iterable(share.members() for share in self.shares))
            return
        with open_donation(self.path, self.loose) as members:
            yield members

    def fingerprint(self, members: list[Member]) -> str:
        """By what it is known when it is loaded again; ``members`` are its own."""
        return fingerprint_of(members) if self.shares else fingerprint(self.path, members)


def find_donations(study: Study) -> list[Donation]:
    """Every donation in the inbox, by participant code and name.

    Below ``inbox/<code>/`` each zip and each folder is a donation; loose files that are JSON or a history
    together are one unpacked donation. Any other file is a donation too, so that it is reported. Files
    directly in the inbox are those of donation tools, which say whose they are, or belong to no participant. Only what
    computers and Spotify put beside a history is passed over.

    Raises:
        BadTable: ``donation_ids.csv`` cannot be used.
    """
    found: list[Donation] = []
    codes = read_donation_ids(study)
    for entry in _donated(study.inbox):
        code = printable(entry.name)
        try:
            paths = _donated(entry)
        except NotADirectoryError:
            found += _of_tool(entry, codes)
            continue
        except OSError:  # it is refused when it is read
            found.append(Donation(code, entry))
            continue
        loose = tuple(path for path in paths if _is_loose(path))
        found += [Donation(code, path) for path in paths if path not in loose]
        if loose:
            found.append(Donation(code, entry, loose))
    return found


def _of_tool(path: Path, codes: Mapping[str, str]) -> list[Donation]:
    """What each person donated in the file ``path`` of a donation tool; one of nobody if it is of no known tool."""
    try:
        shares = shares_in(path)
    except MemberBroken as broken:
        return [Donation("", path, broken=broken)]
    except OSError:  # it is refused when it is read
        shares = []
    by_code: dict[str, list[Share]] = {}
    for share in shares:
        by_code.setdefault(codes.get(share.tool_id, share.tool_id), []).append(share)
    return [Donation(code, path, shares=tuple(theirs)) for code, theirs in by_code.items()] or [Donation("", path)]


def _donated(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.iterdir() if not is_system_file(path.name) and not README_OF_SPOTIFY.search(path.name)
    )


def _is_loose(path: Path) -> bool:
    """Whether a file is one of those that an unpacked donation is made of."""
    try:
        if path.is_symlink() or not path.is_file():
            return False
        with path.open("rb") as file:
            start = file.read(PEEK)
    except OSError:  # it is reported when it is read: a file among others, or a donation by itself
        return path.suffix.lower() == ".json"
    if start.startswith(ARCHIVE_MAGIC):
        return False
    is_json = path.suffix.lower() == ".json" or start.removeprefix(BYTE_ORDER_MARK).lstrip()[:1] in (b"[", b"{")
    return is_json or (start != b"" and may_hold_history(start))
