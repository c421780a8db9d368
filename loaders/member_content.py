"""The content of one file of a donation: read from a zip or from a folder, only as far as it is wanted."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO, Protocol

from isal import isal_zlib

from consonance.study.files import printable
from loaders.refusals import DOWNLOAD_AGAIN, MemberBroken

PEEK = 4096
LOCAL_MAGIC = b"PK\x03\x04"
LOCAL_HEADER = struct.Struct("<4s5H3I2H")


class Content(Protocol):
    def read(self) -> bytes: ...

    def peek(self) -> bytes: ...


class BrokenContent:
    """The content of a file that is known to be unusable."""

    def __init__(self, reason: str, what: str) -> None:
        self._reason, self._what = reason, what

    def read(self) -> bytes:
        raise MemberBroken(self._reason, self._what, DOWNLOAD_AGAIN)

    peek = read


class FileContent:
    """The content of one file of an unpacked donation."""

    def __init__(self, path: Path, size: int) -> None:
        self._path, self._size = path, size

    def peek(self) -> bytes:
        return self._first(PEEK)

    def read(self) -> bytes:
        return self._first(self._size)

    def _first(self, wanted: int) -> bytes:
        try:
            with self._path.open("rb") as file:
                return file.read(wanted)
        except OSError:
            raise MemberBroken(
                "unreadable", f"{printable(self._path.name)} cannot be read.", "Give yourself the right to read it."
            ) from None


class ZipContent:
    """The content of one zip member, inflated by ISA-L (twice as fast as zlib) under the caps."""

    def __init__(self, file: IO[bytes], entry: zipfile.ZipInfo) -> None:
        self._file, self._entry = file, entry

    def peek(self) -> bytes:
        return self._inflated(self._packed(PEEK), PEEK)

    def read(self) -> bytes:
        content = self._inflated(self._packed(self._entry.compress_size), self._entry.file_size + 1)
        if len(content) != self._entry.file_size:
            raise MemberBroken("wrong_size", f"{self._name} is not as long as the zip says.", DOWNLOAD_AGAIN)
        if isal_zlib.crc32(content) != self._entry.CRC:
            raise MemberBroken("wrong_crc", f"{self._name} is damaged (its checksum is wrong).", DOWNLOAD_AGAIN)
        return content

    @property
    def _name(self) -> str:
        return printable(self._entry.orig_filename.replace("\\", "/").rsplit("/", 1)[-1])

    def _inflated(self, packed: bytes, wanted: int) -> bytes:
        """Up to ``wanted`` unpacked bytes, never more, whatever the header claims."""
        if self._entry.compress_type == zipfile.ZIP_STORED:
            return packed[:wanted]
        try:
            return bytes(isal_zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, wanted))
        except isal_zlib.IsalError:  # type: ignore[misc]  # its stub forgets that it is an exception
            raise MemberBroken(
                "damaged_member", f"{self._name} is damaged (it cannot be unpacked).", DOWNLOAD_AGAIN
            ) from None

    def _packed(self, wanted: int) -> bytes:
        """The member's first packed bytes; zipfile offers no way to them that leaves inflating to us."""
        self._file.seek(self._entry.header_offset)
        header = self._file.read(LOCAL_HEADER.size)
        if len(header) == LOCAL_HEADER.size:
            magic, *_, name_length, extra_length = LOCAL_HEADER.unpack(header)
            if magic == LOCAL_MAGIC:
                self._file.seek(name_length + extra_length, io.SEEK_CUR)
                return self._file.read(min(wanted, self._entry.compress_size))
        raise MemberBroken("damaged_member", f"{self._name} is not where the zip says.", DOWNLOAD_AGAIN)
