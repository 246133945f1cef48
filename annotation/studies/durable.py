"""Files that are on the disk when a call returns."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, BinaryIO

BLOCK_BYTES = 1024 * 1024


def sync(path: Path) -> None:
    """Wait until the disk has a file's content, or a folder's names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(descriptor)


def replace(path: Path, content: bytes) -> None:
    """Put a file that only its owner reads in another's place, complete or not at all."""
    fresh = path.with_suffix(f".{os.getpid()}.tmp")
    write(fresh, content)
    fresh.rename(path)
    sync(path.parent)


def write_new(contents: Mapping[Path, BinaryIO]) -> None:
    """Write files whose names stand for their content: what is there already is the same and stays.

    All are written and sent to the disk before any is waited for; each has its name once the disk has it.
    """
    with ExitStack() as opened:
        fresh = {
            target: opened.enter_context(_begun(target, content))
            for target, content in contents.items()
            if not target.exists()
        }
        for written in fresh.values():
            os.fsync(written.fileno())
        for target, written in fresh.items():
            with suppress(FileExistsError):  # another process was faster with the same content
                os.link(written.name, target)
        sync_all({target.parent for target in contents})


def sync_all(folders: Iterable[Path]) -> None:
    """Wait until the disk has the names in some folders, and theirs."""
    folders = set(folders)
    for folder in sorted(folders | {one.parent for one in folders}):
        sync(folder)


def _begun(target: Path, content: BinaryIO) -> IO[bytes]:
    """Write a file beside its place; the disk begins at once to take it."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = tempfile.NamedTemporaryFile(dir=target.parent, prefix=".new-")  # noqa: SIM115 - the caller's
    content.seek(0)
    shutil.copyfileobj(content, written, BLOCK_BYTES)
    written.flush()
    os.posix_fadvise(written.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return written
