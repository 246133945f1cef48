"""What lies in a delivery: a folder or an archive, walked with bounds; no link is followed."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from annotation.exchange.archives import MAX_MEMBERS, DeliveryError, Member, members_of
from annotation.studies.door.limits import FILE_BYTES, MEBIBYTE
from annotation.studies.intake import UnreadableFileError

MAX_PATH = 1024
TABLE = "labels.csv"
VOXELS = (".raw", ".zraw")  # beside a .mhd of the same name


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
class HeaderWithVoxels:
    """A MetaImage in two files (.mhd and .raw or .zraw), read as the one that it could be."""

    header: "FolderFile | Member"
    voxels: "FolderFile | Member"

    @property
    def path(self) -> str:
        """Where the header lies: it stands for both."""
        return self.header.path

    @property
    def size(self) -> int:
        """Bytes of both."""
        return self.header.size + self.voxels.size

    @property
    def problem(self) -> str:
        """Why one of them cannot be read; "" where both can."""
        return self.header.problem or self.voxels.problem

    def open(self) -> BinaryIO:
        """Give the header, then the voxels."""
        both = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        for part in (self.header, self.voxels):
            with part.open() as stream:
                shutil.copyfileobj(stream, both)
        both.seek(0)
        return both


DeliveredFile = FolderFile | Member | HeaderWithVoxels


@dataclass(frozen=True)
class Delivery:
    """A delivery's files in the order of their paths; base: the folder that the table's paths start from."""

    files: list[DeliveredFile]
    base: str
    table: DeliveredFile | None


def open_source(source: Path) -> Delivery:
    """List a folder, a zip or a tar.

    raises: DeliveryError naming what is wrong with it.
    """
    found: list[DeliveredFile]
    if source.is_dir():
        found = sorted(_folder(source), key=lambda one: one.path)
    elif source.is_file():
        members = members_of(source)
        single = FolderFile(source.name, source.stat().st_size, source)
        found = [single] if members is None else sorted(members, key=lambda one: one.path)
    else:
        raise DeliveryError("there is no such folder, archive or file: check the path")
    if not found:
        raise DeliveryError("there is no file in it")
    found = paired(found)
    base = _base([one.path for one in found])
    table = next((one for one in found if one.path == base + TABLE and not one.problem), None)
    return Delivery([one for one in found if one is not table], base, table)


def listed_folder(root: Path) -> list[DeliveredFile]:
    """List a folder's files by their paths.

    raises: DeliveryError where it holds too many.
    """
    return paired(sorted(_folder(root), key=lambda one: one.path))


def paired(found: Sequence[DeliveredFile]) -> list[DeliveredFile]:
    """Take a MetaImage's header and voxels as one file."""
    by_path = {one.path: one for one in found if not isinstance(one, HeaderWithVoxels)}
    pairs: dict[str, HeaderWithVoxels] = {}
    taken: set[str] = set()
    for path, header in by_path.items():
        stem = path.removesuffix(".mhd")
        voxels = next((by_path[stem + end] for end in VOXELS if stem + end in by_path), None)
        if path.endswith(".mhd") and voxels is not None:
            pairs[path] = HeaderWithVoxels(header, voxels)
            taken.add(voxels.path)
    return [pairs.get(one.path, one) for one in found if one.path not in taken]


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
