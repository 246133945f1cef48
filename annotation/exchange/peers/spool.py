"""What senders have given us and was acknowledged: on the disk until its rows are there."""

import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import UUID, uuid4

from annotation.studies.door.limits import FILE_BYTES, MEBIBYTE
from annotation.studies.durable import sync

MOST_WAITING = 50_000
LEAST_FREE_BYTES = 2048 * MEBIBYTE
COUNTED_FOR_SECONDS = 2.0
ABANDONED_SECONDS = 600
SUFFIX = ".dcm"


class SpoolFullError(OSError):
    """There is no room: the sender has to come again later."""


class FileTooLargeError(ValueError):
    """A file is larger than any that is read."""


@dataclass(frozen=True)
class SpooledFile:
    """One received file; its name is ours."""

    where: Path

    @property
    def path(self) -> str:
        """What it is called in the report."""
        return self.where.stem

    @property
    def size(self) -> int:
        """Bytes."""
        return self.where.stat().st_size

    def open(self) -> BinaryIO:
        """Give its bytes."""
        return self.where.open("rb")


class Spool:
    """A folder with a folder for each project and sender in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / ".incoming"
        self._counted_at, self._waiting = 0.0, 0

    def prepare(self) -> None:
        """Make the folders, and drop what was not wholly received when the receiver ended."""
        shutil.rmtree(self.incoming, ignore_errors=True)
        self.incoming.mkdir(mode=0o700, parents=True)

    def drop_abandoned(self) -> None:
        """Drop what a sender began and did not finish."""
        for path in self.incoming.iterdir():
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                    path.unlink()

    def check_room(self) -> None:
        """Take a file only where there is room for it.

        raises: SpoolFullError.
        """
        if time.monotonic() - self._counted_at > COUNTED_FOR_SECONDS:
            self._waiting = sum(len(files_in(folder)) for folder in self.folders())
            self._counted_at = time.monotonic()
        if self._waiting >= MOST_WAITING or shutil.disk_usage(self.root).free < LEAST_FREE_BYTES:
            raise SpoolFullError("the intake is full")

    def keep(self, received: Path, project_id: UUID, peer_id: UUID) -> None:
        """Make a received file durable under a name of ours: when this returns, no power cut loses it.

        raises: SpoolFullError, FileTooLargeError, OSError.
        """
        if received.stat().st_size > FILE_BYTES:
            raise FileTooLargeError("the file is larger than any that is read")
        self.check_room()
        folder = self.root / str(project_id) / str(peer_id)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync(received)
        received.rename(folder / f"{uuid4().hex}{SUFFIX}")
        for one in (folder, folder.parent, self.root):
            sync(one)
        self._waiting += 1

    def folders(self) -> Iterator[Path]:
        """List the folders of projects and senders."""
        for project in sorted(self.root.glob("*-*-*-*-*")):
            yield from sorted(project.iterdir())


def files_in(folder: Path) -> list[SpooledFile]:
    """List what waits in a folder, by name: the same order every time."""
    return [SpooledFile(path) for path in sorted(folder.glob(f"*{SUFFIX}"))]
