"""The vault's key: it is in a file that only its owner may read."""

from __future__ import annotations

import os
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from consonance.study.errors import ConsonanceError
from consonance.study.files import sync
from consonance.study.folder import Study

KEY_VARIABLE = "CONSONANCE_VAULT_KEY"
KEY_SHAPE = re.compile(r"[0-9A-Za-z+/=_-]{32,}")


class VaultKeyError(ConsonanceError):
    """The vault's key is missing, exposed or unusable."""


def create_key(study: Study) -> None:
    """Write 256 random bits, in hex, into the study's key file with mode 0600.

    Raises:
        FileExistsError: there is a key already; a key is never overwritten.
    """
    handle = os.open(study.key_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32) + "\n")


def read_key(study: Study) -> str:
    """The vault's key, from ``$CONSONANCE_VAULT_KEY`` or the study's key file.

    Raises:
        VaultKeyError: no key, a key file that others may read, or a key of an impossible shape.
    """
    key = os.environ.get(KEY_VARIABLE)
    return _read_file(study.key_path) if key is None else _checked(key, f"${KEY_VARIABLE}")


def pending_key(study: Study) -> str | None:
    """The new key of a rotation that was killed before it had replaced the old one, if there is one.

    Raises:
        VaultKeyError: see ``read_key``.
    """
    if KEY_VARIABLE in os.environ or not study.new_key_path.exists():
        return None
    return _read_file(study.new_key_path)


def adopt_pending_key(study: Study) -> None:
    """Make the new key of a rotation that was killed the key of the study: the vault has it already."""
    with suppress(FileNotFoundError):  # the rotation itself, or another command, did it first
        study.new_key_path.replace(study.key_path)
        sync(study.root)


def _read_file(path: Path) -> str:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise VaultKeyError(
                f"The vault's key {path} can be read by others (mode {mode:04o}).",
                f"Run 'chmod 600 {path}' and ask who could have copied it.",
            )
        key = path.read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        raise VaultKeyError(
            f"The vault's key {path} is missing.",
            f"Restore it from your safe copy, or set {KEY_VARIABLE}. Without the key nobody can read the vault.",
        ) from None
    except PermissionError:
        raise VaultKeyError(f"The vault's key {path} cannot be read by this user.", "Run as its owner.") from None
    return _checked(key, str(path))


def _checked(key: str, source: str) -> str:
    key = key.strip()
    if not KEY_SHAPE.fullmatch(key):
        raise VaultKeyError(
            f"The vault's key in {source} is not a valid key.",
            "A key is one line of at least 32 letters and digits, as 'consonance init' writes it.",
        )
    return key
