"""Archives of a delivery: zip and tar, their members listed and unpacked one by one, with bounds."""

import os
import stat
import tarfile
import tempfile
import weakref
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from annotation.exchange.uploads import ARCHIVES, UploadError, check_path
from annotation.studies.door.limits import FILE_BYTES, MEBIBYTE
from annotation.studies.intake import UnreadableFileError

MAX_MEMBERS = 200_000
MAX_UNPACKED_BYTES = 64 * 1024 * MEBIBYTE
IN_MEMORY_BYTES = 8 * MEBIBYTE
COPY_BYTES = 1024 * 1024


class DeliveryError(Exception):
    """A delivery cannot be read at all; the message says what to do."""


@dataclass(frozen=True)
class ZipMember:
    """A file in a zip, which stays open for as long as any of its members is known: its list is read once."""

    path: str
    size: int
    archive: zipfile.ZipFile
    entry: zipfile.ZipInfo
    problem: str = ""

    def open(self) -> BinaryIO:
        """Unpack it into a temporary file, no further than its announced size."""
        if self.problem:
            raise UnreadableFileError(self.problem)
        unpacked = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 - the caller closes it
        try:
            with self.archive.open(self.entry) as member:
                while block := member.read(COPY_BYTES):
                    unpacked.write(block)
        except (
            zipfile.BadZipFile,
            NotImplementedError,
            RuntimeError,
            EOFError,
            OSError,
            ValueError,
        ) as error:
            unpacked.close()
            raise UnreadableFileError("the zip is damaged or encrypted here") from error
        unpacked.rollover()
        unpacked.seek(0)
        return cast("BinaryIO", unpacked)


class Plain:
    """A tar that is not packed, open for as long as any of its members is known."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        weakref.finalize(self, stream.close)


@dataclass(frozen=True)
class TarMember:
    """A file in a tar."""

    path: str
    size: int
    archive: Plain
    offset: int
    problem: str = ""

    def open(self) -> BinaryIO:
        """Copy it into a temporary file."""
        if self.problem:
            raise UnreadableFileError(self.problem)
        copy = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 - the caller closes it
        place, end = self.offset, self.offset + self.size
        while place < end:
            block = os.pread(self.archive.stream.fileno(), min(COPY_BYTES, end - place), place)
            if not block:
                copy.close()
                raise UnreadableFileError("the tar breaks off here")
            copy.write(block)
            place += len(block)
        copy.rollover()
        copy.seek(0)
        return cast("BinaryIO", copy)


def members_of_tar(source: Path) -> Iterator[TarMember]:
    """List a tar, packed or not.

    raises: DeliveryError where it is damaged or holds too much.
    """
    try:
        archive = Plain(_unpacked(source))
        with tarfile.open(fileobj=archive.stream, mode="r:") as opened:
            members = [one for _, one in zip(range(MAX_MEMBERS + 1), opened, strict=False) if not one.isdir()]
    except (tarfile.TarError, EOFError, OSError) as error:
        raise DeliveryError("the tar is damaged: pack it again") from error
    _check_amount("tar", [member.size for member in members])
    seen: set[str] = set()
    for number, member in enumerate(members):
        problem = problem_of_tar_member(member)
        path, problem = usable(member.name.removeprefix("./"), number, problem, seen)
        yield TarMember(path, member.size, archive, member.offset_data, problem)


def _unpacked(source: Path) -> BinaryIO:
    """Open a tar so that any place of it can be read: what gzip, bzip2 or xz packed is unpacked first.

    raises: DeliveryError.
    """
    with suppress(tarfile.ReadError), tarfile.open(source, mode="r:"):
        return source.open("rb")
    with tarfile.open(source, mode="r:*") as packed:
        fileobj = cast("BinaryIO", packed.fileobj)
        fileobj.seek(0)
        plain = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - its members keep it
        try:
            size = 0
            while block := fileobj.read(COPY_BYTES):
                size += len(block)
                if size > MAX_UNPACKED_BYTES:
                    raise DeliveryError("the tar unpacks to more than 64 GiB: import it in parts")
                plain.write(block)
            plain.seek(0)
        except BaseException:
            plain.close()
            raise
        return plain


def problem_of_tar_member(member: tarfile.TarInfo) -> str:
    """Say why a member cannot be read; "" where it can."""
    if member.issym() or member.islnk():
        return "a link: links are not followed"
    if not member.isreg() or member.issparse():
        return "not a plain file"
    return _problem_of_size_and_name(member.size, member.name)


def members_of_zip(source: Path) -> Iterator[ZipMember]:
    """List a zip.

    raises: DeliveryError where it is damaged or holds too much.
    """
    try:
        archive = zipfile.ZipFile(source)  # its members keep it, and it closes itself
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise DeliveryError("the zip is damaged: pack it again") from error
    members = [member for member in archive.infolist() if not member.is_dir()]
    _check_amount("zip", [member.file_size for member in members])
    seen: set[str] = set()
    for number, member in enumerate(members):
        path, problem = usable(member.filename, number, problem_of_zip_member(member), seen)
        yield ZipMember(path, member.file_size, archive, member, problem)


def _check_amount(kind: str, sizes: list[int]) -> None:
    if len(sizes) > MAX_MEMBERS or sum(sizes) > MAX_UNPACKED_BYTES:
        raise DeliveryError(f"the {kind} has over {MAX_MEMBERS} files or 64 GiB: import it in parts")


def usable(path: str, number: int, problem: str, seen: set[str]) -> tuple[str, str]:
    """Give a member's path and problem; an unusable path is replaced by a number: it still is counted."""
    try:
        check_path(path)
    except UploadError:
        path, problem = f"member {number}", "its path leaves the delivery or is no path"
    if path in seen:
        path, problem = f"member {number}", "a second member of the same path"
    seen.add(path)
    return path, problem


def problem_of_zip_member(member: zipfile.ZipInfo) -> str:
    """Say why a member cannot be read; "" where it can."""
    if stat.S_ISLNK(member.external_attr >> 16):
        return "a link: links are not followed"
    if member.flag_bits & 1:
        return "encrypted: pack the zip without a password"
    return _problem_of_size_and_name(member.file_size, member.filename)


def _problem_of_size_and_name(size: int, name: str) -> str:
    if size > FILE_BYTES:
        return f"the file is larger than {FILE_BYTES // MEBIBYTE} MiB"
    if name.lower().endswith(".zip"):
        return "a zip inside a zip is not opened: import it by itself"
    if name.lower().endswith(ARCHIVES):
        return "an archive inside an archive is not opened: import it by itself"
    return ""
