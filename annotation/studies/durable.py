"""Files that are on the disk when a call returns."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

BLOCK_BYTES = 1024 * 1024
UNFINISHED = ".new-"  # how a file is called that does not have its name yet
FRESH = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


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


def write_new(contents: Mapping[str, BinaryIO]) -> None:
    """Write files whose names stand for their content: what is there already is the same and stays.

    All are written and sent to the disk before any is waited for; each has its name once the disk has it.
    What is there already counts as written now: a clean-up takes nothing that somebody is about to claim.
    """
    begun: dict[str, tuple[str, int]] = {}
    try:
        for target, content in contents.items():
            if not _touched(target):
                begun[target] = _begin(target)
                _fill(begun[target][1], content)
        for _, descriptor in begun.values():
            os.fsync(descriptor)
        for target, (fresh, _) in begun.items():
            os.rename(fresh, target)
    finally:
        for fresh, descriptor in begun.values():
            os.close(descriptor)
            with suppress(FileNotFoundError):
                os.unlink(fresh)
    sync_all({os.path.dirname(target) for target in contents})


def sync_all(folders: set[str]) -> None:
    """Wait until the disk has the names in some folders, and theirs."""
    for folder in sorted(folders | {os.path.dirname(one) for one in folders}):
        sync(Path(folder))


def remove_unfinished(root: Path, *, before: float) -> int:
    """Remove files, in a folder and all below it, whose writer died before they had their names.

    before: in seconds since 1970, when they were last written to. gives: how many there were.
    """
    removed = 0
    for folder, _, names in os.walk(root):
        for path in (Path(folder, name) for name in names if name.startswith(UNFINISHED)):
            with suppress(FileNotFoundError):
                if path.lstat().st_mtime < before:
                    path.unlink()
                    removed += 1
    return removed


def _touched(target: str) -> bool:
    """Whether a file is there; one that is, is as if written now."""
    try:
        os.utime(target)
    except FileNotFoundError:
        return False
    return True


def _begin(target: str) -> tuple[str, int]:
    """Open a new file beside its place; gives its name and its descriptor."""
    folder = os.path.dirname(target)
    fresh = f"{folder}/{UNFINISHED}{uuid4().hex}"
    try:
        return fresh, os.open(fresh, FRESH, 0o600)
    except FileNotFoundError:
        os.makedirs(folder, 0o700, exist_ok=True)
        return fresh, os.open(fresh, FRESH, 0o600)


def _fill(descriptor: int, content: BinaryIO) -> None:
    """Write a file; the disk begins at once to take it."""
    content.seek(0)
    while block := content.read(BLOCK_BYTES):
        left = memoryview(block)
        while left:
            left = left[os.write(descriptor, left) :]
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
