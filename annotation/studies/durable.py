"""Files that are on the disk when a call returns."""

import os
from pathlib import Path


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
