"""The inbox: which donations are there, and whom they are from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from consonance.study.files import printable
from consonance.study.folder import Study
from loaders.archive import ARCHIVE_MAGIC
from loaders.export_kinds import BYTE_ORDER_MARK
from loaders.history_layouts import may_hold_history
from loaders.member_content import PEEK
from loaders.system_files import is_system_file

README_OF_SPOTIFY = re.compile(r"read[ _-]*me.*\.pdf$", re.IGNORECASE)


@dataclass(frozen=True)
class Donation:
    """A donation in the inbox, not read. ``loose``: it is these files of the folder ``path``."""

    participant_code: str
    path: Path
    loose: tuple[Path, ...] = ()

    @property
    def size(self) -> int:
        """Bytes on disk, or 0 where they are not known: the largest donation is read first."""
        try:
            if self.path.is_file():
                return self.path.stat().st_size
            files = self.loose or [path for path in self.path.rglob("*") if path.is_file()]
            return sum(path.stat().st_size for path in files)
        except OSError:  # it will be reported when it is read
            return 0


def find_donations(study: Study) -> list[Donation]:
    """Every donation in the inbox, by participant code and name.

    Below ``inbox/<code>/`` each zip and each folder is a donation; loose files that are JSON or a history
    together are one unpacked donation. Any other file is a donation too, so that it is reported. Files
    directly in the inbox belong to no participant. Only what computers and Spotify put beside a history is passed over.
    """
    found: list[Donation] = []
    for entry in _donated(study.inbox):
        code = printable(entry.name)
        try:
            paths = _donated(entry)
        except NotADirectoryError:
            found.append(Donation("", entry))
            continue
        except OSError:  # it is refused when it is read
            found.append(Donation(code, entry))
            continue
        loose = tuple(path for path in paths if _is_loose(path))
        found += [Donation(code, path) for path in paths if path not in loose]
        if loose:
            found.append(Donation(code, entry, loose))
    return found


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
