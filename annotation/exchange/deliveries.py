"""What lies in a delivery: a folder or a zip, walked with bounds; all is counted, no link is followed."""

import os
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from annotation.exchange.uploads import UploadError, check_path
from annotation.studies.door.limits import FILE_BYTES, MEBIBYTE
from annotation.studies.intake import UnreadableFileError

MAX_MEMBERS = 200_000
MAX_UNPACKED_BYTES = 64 * 1024 * MEBIBYTE
MAX_PATH = 1024
IN_MEMORY_BYTES = 8 * MEBIBYTE
COPY_BYTES = 1024 * 1024
TABLE = "labels.csv"


class DeliveryError(Exception):
    """A delivery cannot be read at all; the message says what to do."""


@dataclass(frozen=True)
class FolderFile:
    """A file in a folder."""

    path: str
    size: int
    where: Path
    problem: str = ""

    def open(self) -> BinaryIO:
        """Open it, unless it is or has become a link or anything but a plain file."""
        if self.problem:
            raise UnreadableFileError(self.problem)
        descriptor = os.open(self.where, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise UnreadableFileError("not a plain file")
        return os.fdopen(descriptor, "rb")


@dataclass(frozen=True)
class ZipFileMember:
    """A file in a zip."""

    path: str
    size: int
    archive: Path
    name: str
    problem: str = ""

    def open(self) -> BinaryIO:
        """Unpack it into a temporary file, no further than its announced size."""
        if self.problem:
            raise UnreadableFileError(self.problem)
        unpacked = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 - the caller closes it
        try:
            with zipfile.ZipFile(self.archive) as archive, archive.open(self.name) as member:
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


DeliveredFile = FolderFile | ZipFileMember


@dataclass(frozen=True)
class Delivery:
    """A delivery's files in the order of their paths; base: the folder that the table's paths start from."""

    files: list[DeliveredFile]
    base: str
    table: DeliveredFile | None


def open_source(source: Path) -> Delivery:
    """List a folder or a zip.

    raises: DeliveryError naming what is wrong with it.
    """
    if source.is_dir():
        found = sorted(_folder(source), key=lambda one: one.path)
    elif source.is_file() and zipfile.is_zipfile(source):
        found = sorted(_archive(source), key=lambda one: one.path)
    elif source.is_file():
        found = [FolderFile(source.name, source.stat().st_size, source)]
    else:
        raise DeliveryError("there is no such folder, zip or file: check the path")
    if not found:
        raise DeliveryError("there is no file in it")
    base = _base([one.path for one in found])
    table = next((one for one in found if one.path == base + TABLE and not one.problem), None)
    return Delivery([one for one in found if one is not table], base, table)


def _base(paths: list[str]) -> str:
    """Find the top folder of a delivery that is nothing but one folder, as browsers send it."""
    shown = [path for path in paths if not _is_litter(path)]
    tops = {path.split("/")[0] for path in shown}
    wrapped = len(tops) == 1 and all("/" in path for path in shown)
    return f"{tops.pop()}/" if wrapped else ""


def _is_litter(path: str) -> bool:
    return path.startswith("__MACOSX/") or path.rsplit("/", maxsplit=1)[-1] in (
        ".DS_Store",
        "Thumbs.db",
        "desktop.ini",
    )


def _folder(root: Path) -> Iterator[DeliveredFile]:
    count = 0
    for folder, folders, names in os.walk(root, followlinks=False):
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in [*names, *links]:
            count += 1
            if count > MAX_MEMBERS:
                raise DeliveryError(f"it has more than {MAX_MEMBERS} files: import it in parts")
            yield _folder_file(root, Path(folder, name))


def _folder_file(root: Path, where: Path) -> FolderFile:
    status = where.lstat()
    path = os.fsencode(where.relative_to(root).as_posix()).decode(errors="replace")[:MAX_PATH]
    problem = ""
    if stat.S_ISLNK(status.st_mode):
        problem = "a link: links are not followed"
    elif not stat.S_ISREG(status.st_mode):
        problem = "not a plain file"
    elif status.st_size > FILE_BYTES:
        problem = f"the file is larger than {FILE_BYTES // MEBIBYTE} MiB"
    return FolderFile(path, status.st_size, where, problem)


def _archive(source: Path) -> Iterator[DeliveredFile]:
    try:
        with zipfile.ZipFile(source) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise DeliveryError("the zip is damaged: pack it again") from error
    if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > MAX_UNPACKED_BYTES:
        raise DeliveryError(f"the zip has over {MAX_MEMBERS} files or 64 GiB: import it in parts")
    seen: set[str] = set()
    for number, member in enumerate(members):
        yield _member(source, member, number, seen)


def _member(source: Path, member: zipfile.ZipInfo, number: int, seen: set[str]) -> ZipFileMember:
    """Describe one member; an unusable path is replaced by a number, so that it still is counted."""
    problem = _member_problem(member)
    path = member.filename
    try:
        check_path(path)
    except UploadError:
        path, problem = (
            f"member {number}",
            "its path leaves the delivery or is no path",
        )
    if path in seen:
        path, problem = f"member {number}", "a second member of the same path"
    seen.add(path)
    return ZipFileMember(path, member.file_size, source, member.filename, problem)


def _member_problem(member: zipfile.ZipInfo) -> str:
    if stat.S_ISLNK(member.external_attr >> 16):
        return "a link: links are not followed"
    if member.flag_bits & 1:
        return "encrypted: pack the zip without a password"
    if member.file_size > FILE_BYTES:
        return f"the file is larger than {FILE_BYTES // MEBIBYTE} MiB"
    if member.filename.lower().endswith(".zip"):
        return "a zip inside a zip is not opened: import it by itself"
    return ""
