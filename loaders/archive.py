"""Reading a donation, a zip or an unpacked folder, without trusting it.

Nothing is ever extracted by name: members are listed, judged, and streamed into memory one at a
time under caps. Python's ``zipfile`` by itself accepts any compression ratio, renames traversal
paths, resolves duplicate names to the last and turns links into files, so each is refused here.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from isal import isal_zlib

from stores.errors import ConsonanceError
from stores.files import sha256_of

MIB = 1 << 20
PEEK = 4096
ARCHIVE_MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ")
ENCRYPTED = 0x1
LOCAL_HEADER = struct.Struct("<4s5H3I2H")


@dataclass(frozen=True)
class Caps:
    """How much one donation may unpack to.

    A lifetime of listening is about 30 members of 13 MB each, compressed 15 to 30 times; every cap
    lies an order of magnitude above.
    """

    members: int = 2_000
    member_bytes: int = 256 * MIB
    total_bytes: int = 4096 * MIB
    ratio: int = 300
    ratio_from_bytes: int = 4 * MIB


class DonationRefused(ConsonanceError):
    """The donation as a whole is not taken; ``reason`` is the short name of why."""

    def __init__(self, reason: str, what: str, remedy: str) -> None:
        super().__init__(what, remedy)
        self.reason = reason


class MemberBroken(ConsonanceError):
    """One member of a donation cannot be used; ``reason`` is the short name of why."""

    def __init__(self, reason: str, what: str, remedy: str) -> None:
        super().__init__(what, remedy)
        self.reason = reason


ASK_AGAIN = "Ask the participant for the zip as Spotify delivered it."
DOWNLOAD_AGAIN = "Ask the participant to download it again from Spotify and to hand over that file."


@dataclass(frozen=True)
class Member:
    """One file of a donation, not read yet.

    Attributes:
        name: Its path inside the donation.
        position: Its place among the members, by name.
        size: Unpacked bytes, as declared.
        read: Gives the whole content; raises ``MemberBroken``.
        peek: Gives its first few KiB; raises ``MemberBroken``.
    """

    name: str
    position: int
    size: int
    read: Callable[[], bytes]
    peek: Callable[[], bytes]


@contextmanager
def open_donation(path: Path, loose: Sequence[Path] = (), caps: Caps = Caps()) -> Iterator[list[Member]]:
    """The members of the donation at ``path``, in order of their names.

    Args:
        path: A zip, or a folder with the files of an unpacked one.
        loose: If given, the donation is only these files of the folder.
        caps: How much it may hold.

    Raises:
        DonationRefused: it is no donation, is damaged, or tries something.
    """
    if path.is_dir():
        yield _folder_members(path, loose or _files_below(path), caps)
        return
    with path.open("rb") as file, _open_zip(file, path.name) as archive:
        yield _zip_members(archive, file, path.name, caps)


def fingerprint(path: Path, members: list[Member]) -> str:
    """SHA-256 of a zip's bytes, or of the names and contents of an unpacked folder."""
    if path.is_file():
        return sha256_of(path)
    digest = hashlib.sha256()
    for member in members:
        digest.update(
            f"{member.name}\0{hashlib.sha256(member.read()).hexdigest()}\n".encode("utf-8", "surrogateescape")
        )
    return digest.hexdigest()


def _open_zip(file: IO[bytes], name: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except NotImplementedError:
        raise DonationRefused(
            "unsupported_zip", f"{name} uses a zip feature that Spotify never uses.", ASK_AGAIN
        ) from None
    except Exception:  # zipfile raises half a dozen kinds on damaged bytes, UnicodeDecodeError among them
        file.seek(0)
        if file.read(4) == ARCHIVE_MAGIC[0]:
            raise DonationRefused("damaged_zip", f"{name} is a cut-off or damaged zip.", DOWNLOAD_AGAIN) from None
        raise DonationRefused("not_a_zip", f"{name} is no zip file.", ASK_AGAIN) from None


def _zip_members(archive: zipfile.ZipFile, file: IO[bytes], zip_name: str, caps: Caps) -> list[Member]:
    entries = archive.infolist()
    zip_bytes = os.fstat(file.fileno()).st_size
    _refuse_too_much(zip_name, len(entries), sum(entry.file_size for entry in entries), caps)
    seen: set[str] = set()
    members: list[Member] = []
    for entry in sorted(entries, key=lambda entry: entry.orig_filename):
        name = entry.orig_filename
        _refuse_unsafe_name(zip_name, name)
        if name in seen:
            raise DonationRefused("duplicate_name", f"{zip_name} holds two members of one name.", ASK_AGAIN)
        seen.add(name)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise DonationRefused("link", f"{zip_name} holds a link or a device, not only files.", ASK_AGAIN)
        if entry.flag_bits & ENCRYPTED:
            raise DonationRefused(
                "encrypted",
                f"{zip_name} is protected by a password.",
                "Ask the participant for the zip without a password, over a safe way.",
            )
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DonationRefused(
                "unsupported_zip", f"{zip_name} is packed in a way that Spotify never uses.", ASK_AGAIN
            )
        if entry.is_dir():  # Spotify's own zips hold a directory entry with 11 bytes of content
            continue
        _refuse_big_member(zip_name, entry.file_size, entry.compress_size, caps)
        if entry.compress_size > zip_bytes or not 0 <= entry.header_offset < zip_bytes:
            raise DonationRefused("damaged_zip", f"{zip_name} points to places it does not have.", DOWNLOAD_AGAIN)
        stream = _ZipStream(file, entry)
        members.append(Member(name, len(members), entry.file_size, stream.read, stream.peek))
    for member in members:
        _refuse_nested(zip_name, member)
    return members


def _files_below(folder: Path) -> list[Path]:
    return [Path(directory, name) for directory, subfolders, names in os.walk(folder) for name in subfolders + names]


def _folder_members(folder: Path, paths: Sequence[Path], caps: Caps) -> list[Member]:
    sizes: dict[Path, int] = {}
    for path in paths:
        status = path.lstat()
        if stat.S_ISREG(status.st_mode):
            sizes[path] = status.st_size
        elif not stat.S_ISDIR(status.st_mode):
            raise DonationRefused("link", f"{folder.name} holds a link or a device, not only files.", ASK_AGAIN)
    _refuse_too_much(folder.name, len(sizes), sum(sizes.values()), caps)
    members = []
    for position, path in enumerate(sorted(sizes)):
        _refuse_big_member(folder.name, sizes[path], sizes[path], caps)
        stream = _FileStream(path, sizes[path])
        members.append(Member(path.relative_to(folder).as_posix(), position, sizes[path], stream.read, stream.peek))
    for member in members:
        _refuse_nested(folder.name, member)
    return members


def _refuse_too_much(name: str, count: int, size: int, caps: Caps) -> None:
    if count > caps.members:
        raise DonationRefused(
            "too_many_members", f"{name} holds {count:,} files; a donation has at most {caps.members:,}.", ASK_AGAIN
        )
    if size > caps.total_bytes:
        raise DonationRefused(
            "too_big",
            f"{name} unpacks to {size // MIB:,} MiB; a donation has at most {caps.total_bytes // MIB:,}.",
            ASK_AGAIN,
        )


def _refuse_big_member(name: str, size: int, packed: int, caps: Caps) -> None:
    if size > caps.member_bytes:
        raise DonationRefused(
            "too_big", f"{name} holds a file of {size // MIB:,} MiB; Spotify writes at most about 13.", ASK_AGAIN
        )
    if size > caps.ratio_from_bytes and size > caps.ratio * max(packed, 1):
        raise DonationRefused(
            "bomb", f"{name} holds a file that unpacks more than {caps.ratio} times: a zip bomb.", ASK_AGAIN
        )


def _refuse_unsafe_name(zip_name: str, name: str) -> None:
    parts = re.split(r"[/\\]", name)
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name) or ".." in parts or "\0" in name or "\\" in name:
        raise DonationRefused(
            "unsafe_name", f"{zip_name} holds a member whose name points outside the archive.", ASK_AGAIN
        )


def _refuse_nested(name: str, member: Member) -> None:
    try:
        start = member.peek()
    except MemberBroken:
        return  # the member itself will be reported
    if start.startswith(ARCHIVE_MAGIC):
        raise DonationRefused(
            "nested_archive", f"{name} holds another archive.", "Put the inner archive into the inbox by itself."
        )


class _FileStream:
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
                "unreadable", f"{self._path.name} cannot be read.", "Give yourself the right to read it."
            ) from None


class _ZipStream:
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
        return Path(self._entry.orig_filename).name

    def _inflated(self, packed: bytes, wanted: int) -> bytes:
        """Up to ``wanted`` unpacked bytes, never more, whatever the header claims."""
        if self._entry.compress_type == zipfile.ZIP_STORED:
            return packed[:wanted]
        try:
            return bytes(isal_zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, wanted))
        except isal_zlib.IsalError:  # type: ignore[misc]  # its stub forgets that it is an exception
            raise MemberBroken(
                "damaged_member", f"{self._name} is damaged (it does not unpack).", DOWNLOAD_AGAIN
            ) from None

    def _packed(self, wanted: int) -> bytes:
        """The member's first packed bytes; zipfile offers no way to them that leaves inflating to us."""
        self._file.seek(self._entry.header_offset)
        header = self._file.read(LOCAL_HEADER.size)
        if len(header) == LOCAL_HEADER.size:
            magic, *_, name_length, extra_length = LOCAL_HEADER.unpack(header)
            if magic == ARCHIVE_MAGIC[0]:
                self._file.seek(name_length + extra_length, io.SEEK_CUR)
                return self._file.read(min(wanted, self._entry.compress_size))
        raise MemberBroken("damaged_member", f"{self._name} is not where the zip says.", DOWNLOAD_AGAIN)
