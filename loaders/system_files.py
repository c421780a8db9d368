"""What computers leave in folders and beside files: no part of what anybody hands in."""

from __future__ import annotations

import re

# What macOS and Windows leave in folders and beside files: no part of what was donated.
FILES = frozenset(
    (".ds_store", ".localized", ".apdisk", ".directory", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r")
)
FOLDERS = frozenset(("__macosx", ".fseventsd", ".spotlight-v100", ".trashes", ".temporaryitems"))
PATTERN = re.compile(r"\._.*|.*(?:zone\.identifier|:smartscreen|:com\.dropbox\.attr(?:ibute)?s)(?::\$data)?")


def is_system_file(name: str) -> bool:
    """Whether a file at the path ``name`` is one that macOS or Windows made, not a person."""
    *folders, file = (part.casefold() for part in name.split("/"))
    return not FOLDERS.isdisjoint((*folders, file)) or file in FILES or PATTERN.fullmatch(file) is not None
