"""Files on disk that are there wholly or not at all, also after a power cut."""

import os
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

from annotation.studies.durable import UNFINISHED, remove_unfinished, sync, write_new


class DurableFileSystemStorage(FileSystemStorage):
    """Writes beside the target, syncs, then links it under its name: never half a file, never another's."""

    def _save(self, name: str, content: "File[bytes]") -> str:
        target = Path(self.path(name))
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=UNFINISHED) as written:
            for block in content.chunks():
                written.write(block)
            written.flush()
            os.fsync(written.fileno())
            while True:
                try:
                    os.link(written.name, target)
                    break
                except FileExistsError:
                    name = self.get_available_name(name)
                    target = Path(self.path(name))
        sync(target.parent)
        return name.replace("\\", "/")

    def save_new(self, contents: Mapping[str, BinaryIO]) -> None:
        """Store files under names of their content: what is there already is the same and stays."""
        write_new({self.path(name): content for name, content in contents.items()})

    def remove_unfinished(self, before: datetime) -> int:
        """Remove what was last written to before a time and has no name yet; gives how many files."""
        return remove_unfinished(Path(self.location), before=before.timestamp())

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """Read these bytes; fewer where the file ends before."""
        with Path(self.path(name)).open("rb") as stored:
            stored.seek(offset)
            return stored.read(length)

    def fill_at_once(self, name: str, offset: int, target: memoryview) -> bool:
        """Fill a buffer where all of it is in memory; false where the disk would have to be waited for."""
        try:
            stored = os.open(self.path(name), os.O_RDONLY)
        except OSError:
            return False
        try:
            return os.preadv(stored, [target], offset, os.RWF_NOWAIT) == len(target)
        except OSError:  # nothing of it is in memory, or this file system does not know
            return False
        finally:
            os.close(stored)
