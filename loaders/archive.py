"""Reading a donation, a zip or an unpacked folder, without trusting it.

Nothing is ever extracted by name: members are listed, judged, and streamed into memory one at a
time under caps. Python's ``zipfile`` by itself accepts any compression ratio, renames traversal
paths, resolves duplicate names to the last and turns links into files, so each is refused here.

People pack as people do: a zip in the donation is opened too, one level deep and under the same caps
over the sum; folders may be separated by back-slashes; what a computer leaves beside files is no file
of the donation.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from consonance.study.files import printable, sha256_of
from loaders.member_content import LOCAL_MAGIC, BrokenContent, Content, FileContent, ZipContent
from loaders.refusals import ASK_AGAIN, DOWNLOAD_AGAIN, DonationRefused, MemberBroken
from loaders.system_files import is_system_file

MIB = 1 << 20
ZIP_MAGIC = (LOCAL_MAGIC, b"PK\x05\x06")
ARCHIVE_MAGIC = (*ZIP_MAGIC, b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ")
ENCRYPTED = 0x1
# By these a zip is known as a document of Word, LibreOffice or Pages, as a book or as a program.
DOCUMENT_PARTS = frozenset(("[Content_Types].xml", "mimetype", "Index/Document.iwa", "META-INF/MANIFEST.MF"))


@dataclass(frozen=True)
class Caps:
    """How much one donation may unpack to.

    A lifetime of listening is about 30 members of 13 MB each, compressed 15 to 30 times; every cap
    is ten times as much.
    """

    members: int = 2_000
    member_bytes: int = 256 * MIB
    total_bytes: int = 4096 * MIB
    ratio: int = 300
    ratio_from_bytes: int = 4 * MIB


@dataclass(frozen=True)
class Member:
    """One file of a donation, not read yet.

    Attributes:
        name: Its path inside the donation.
        position: Its place among the members, by name.
        size: Unpacked bytes, as declared.
        read: Gives the whole content; raises ``MemberBroken``.
        peek: Gives its first few KiB; raises ``MemberBroken``.
        are_texts: Every value in it is a text, as in a CSV: a donation tool has made one of it.
    """

    name: str
    position: int
    size: int
    read: Callable[[], bytes]
    peek: Callable[[], bytes]
    are_texts: bool = False


@dataclass(frozen=True)
class Found:
    """A file of a donation before it has its place: its bytes unpacked and packed, as declared."""

    name: str
    size: int
    packed: int
    content: Content


@contextmanager
def open_donation(path: Path, loose: Sequence[Path] = (), caps: Caps = Caps()) -> Iterator[list[Member]]:
    """The members of the donation at ``path``, in order of their names; what ``is_system_file`` is left out.

    Args:
        path: A zip, or a folder with the files of an unpacked one.
        loose: If given, the donation is only these files of the folder.
        caps: How much it may unpack to.

    Raises:
        DonationRefused: it is no donation, is damaged, or tries something.
    """
    if path.is_dir():
        found = _folder_members(path, loose or _files_below(path), caps)
        yield _unpacked(found, printable(path.name), caps)
        return
    name = printable(path.name)
    if not stat.S_ISREG(path.stat().st_mode):  # to open a pipe would wait for ever
        raise DonationRefused("no_file", f"{name} is no file.", "Put the donation itself into the inbox.")
    with path.open("rb") as file, _open_zip(file, name) as archive:
        yield _unpacked(_zip_members(archive, file, os.fstat(file.fileno()).st_size, name, caps), name, caps)


def fingerprint(path: Path, members: list[Member]) -> str:
    """SHA-256 of a zip's bytes, or of the names and contents of an unpacked folder."""
    return sha256_of(path) if path.is_file() else fingerprint_of(members)


def fingerprint_of(members: list[Member]) -> str:
    """SHA-256 of the names and contents of ``members``."""
    digest = hashlib.sha256()
    for member in members:
        try:
            content = hashlib.sha256(member.read()).hexdigest()
        except MemberBroken as broken:  # the other files count; once it can be read this is another donation
            content = broken.reason
        digest.update(f"{member.name}\0{content}\n".encode())
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
        if file.read(4) == LOCAL_MAGIC:
            raise DonationRefused("damaged_zip", f"{name} is a cut-off or damaged zip.", DOWNLOAD_AGAIN) from None
        raise DonationRefused("not_a_zip", f"{name} is no zip file.", ASK_AGAIN) from None


def _zip_members(archive: zipfile.ZipFile, file: IO[bytes], zip_bytes: int, zip_name: str, caps: Caps) -> list[Found]:
    entries = archive.infolist()
    _refuse_too_much(zip_name, len(entries), sum(entry.file_size for entry in entries), caps)
    seen: set[str] = set()
    found: list[Found] = []
    for entry in entries:
        name = _safe_name(zip_name, entry.orig_filename)
        if name in seen:
            raise DonationRefused("duplicate_name", f"{zip_name} has two files with the same name.", ASK_AGAIN)
        seen.add(name)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise DonationRefused("link", f"{zip_name} has a link or a device in it, not only files.", ASK_AGAIN)
        if entry.flag_bits & ENCRYPTED:
            raise DonationRefused(
                "encrypted",
                f"{zip_name} is protected by a password.",
                "Ask the participant for the zip without a password, sent in a safe way.",
            )
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DonationRefused(
                "unsupported_zip", f"{zip_name} is packed in a way that Spotify never uses.", ASK_AGAIN
            )
        # Spotify's own zips have a directory entry with 11 bytes of content.
        if entry.orig_filename.endswith(("/", "\\")) or is_system_file(name):
            continue
        _refuse_big_member(zip_name, entry.file_size, entry.compress_size, caps)
        if entry.compress_size > zip_bytes or not 0 <= entry.header_offset < zip_bytes:
            raise DonationRefused("damaged_zip", f"{zip_name} is damaged: parts of it are missing.", DOWNLOAD_AGAIN)
        found.append(Found(name, entry.file_size, entry.compress_size, ZipContent(file, entry)))
    return found


def _unpacked(found: list[Found], donation: str, caps: Caps) -> list[Member]:
    """The members of a donation in order of their names, with those of the zips in it.

    Raises:
        DonationRefused: there is an archive in it that is no zip, or a zip within an inner zip, or
            all of it is more than ``caps`` allow.
    """
    flat: list[Found] = []
    packed_bytes = 0
    for one in found:
        start = _start_of(one)
        if not start.startswith(ARCHIVE_MAGIC):
            flat.append(one)
        elif not start.startswith(ZIP_MAGIC):
            raise _nested(donation)
        else:
            packed_bytes += one.size
            if packed_bytes > caps.member_bytes:
                raise DonationRefused(
                    "too_big", f"The zips within {donation} have more than {caps.member_bytes // MIB:,} MiB.", ASK_AGAIN
                )
            flat += _of_inner_zip(one, donation, caps)
    _refuse_too_much(donation, len(flat), sum(one.size for one in flat), caps)
    flat.sort(key=lambda one: one.name)
    return [
        Member(one.name, position, one.size, one.content.read, one.content.peek) for position, one in enumerate(flat)
    ]


def _of_inner_zip(outer: Found, donation: str, caps: Caps) -> list[Found]:
    """The members of a zip in a donation; the zip itself, to be counted as one file, if it is a document."""
    try:
        file = io.BytesIO(outer.content.read())
    except MemberBroken:
        return [outer]  # it will be reported
    name = outer.name.rsplit("/", 1)[-1]
    try:
        archive = _open_zip(file, name)
    except DonationRefused:
        if not name.casefold().endswith((".zip", ".json")):
            return [outer]
        return [replace(outer, content=BrokenContent("damaged_zip", f"{name} is a cut-off or damaged zip."))]
    with archive:
        # Documents of office programs, books and programs are zips too. None of them is a donation.
        if not DOCUMENT_PARTS.isdisjoint(archive.namelist()):
            return [outer]
        inner = _zip_members(archive, file, outer.size, f"{donation} (its {name})", caps)
    unpacked = []
    for one in inner:
        if _start_of(one).startswith(ARCHIVE_MAGIC):
            raise _nested(donation)
        # A zip that is packed well itself hides how far its members unpack.
        packed = one.packed * outer.packed // max(outer.size, 1)
        _refuse_big_member(donation, one.size, packed, caps)
        unpacked.append(replace(one, name=f"{outer.name}/{one.name}", packed=packed))
    return unpacked


def _start_of(found: Found) -> bytes:
    try:
        return found.content.peek()
    except MemberBroken:
        return b""  # the member itself will be reported


def _nested(donation: str) -> DonationRefused:
    return DonationRefused(
        "nested_archive", f"{donation} has another archive in it.", "Put the inner archive into the inbox by itself."
    )


def _files_below(folder: Path) -> list[Path]:
    def unreadable(error: OSError) -> None:
        raise error

    return [
        Path(directory, name)
        for directory, subfolders, names in os.walk(folder, onerror=unreadable)
        for name in subfolders + names
    ]


def _folder_members(folder: Path, paths: Sequence[Path], caps: Caps) -> list[Found]:
    sizes: dict[Path, int] = {}
    for path in paths:
        status = path.lstat()
        if is_system_file(path.relative_to(folder).as_posix()):
            continue
        if stat.S_ISREG(status.st_mode):
            sizes[path] = status.st_size
        elif not stat.S_ISDIR(status.st_mode):
            raise DonationRefused(
                "link", f"{printable(folder.name)} has a link or a device in it, not only files.", ASK_AGAIN
            )
    _refuse_too_much(printable(folder.name), len(sizes), sum(sizes.values()), caps)
    found = []
    for path in sorted(sizes):
        _refuse_big_member(printable(folder.name), sizes[path], sizes[path], caps)
        name = printable(path.relative_to(folder).as_posix())
        found.append(Found(name, sizes[path], sizes[path], FileContent(path, sizes[path])))
    return found


def _refuse_too_much(name: str, count: int, size: int, caps: Caps) -> None:
    if count > caps.members:
        raise DonationRefused(
            "too_many_members", f"{name} has {count:,} files; a donation has at most {caps.members:,}.", ASK_AGAIN
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
            "too_big", f"A file in {name} has {size // MIB:,} MiB; Spotify writes at most about 13.", ASK_AGAIN
        )
    if size > caps.ratio_from_bytes and size > caps.ratio * max(packed, 1):
        raise DonationRefused(
            "bomb",
            f"A file in {name} becomes more than {caps.ratio} times as large when it is unpacked: a zip bomb.",
            ASK_AGAIN,
        )


def _safe_name(zip_name: str, written: str) -> str:
    """The path of a member below the archive's root, with ``/`` between folders; some programs write back-slashes.

    Raises:
        DonationRefused: it points outside the archive.
    """
    parts = re.split(r"[/\\]", written)
    if written.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", written) or ".." in parts or "\0" in written:
        raise DonationRefused("unsafe_name", f"The name of a file in {zip_name} points outside the archive.", ASK_AGAIN)
    return printable("/".join(part for part in parts if part not in ("", ".")))
