"""Files of the learning room, named by their content: written once, never changed."""

import hashlib
from dataclasses import dataclass
from io import BytesIO
from typing import IO

from django.core.files.base import File
from django.core.files.storage import default_storage

BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class StoredFile:
    """Name in the file store, and SHA-256 of the content."""

    name: str
    digest: str


def keep(content: bytes, *, folder: str, suffix: str) -> StoredFile:
    """Store bytes under their digest."""
    return keep_stream(BytesIO(content), folder=folder, suffix=suffix)


def keep_stream(content: IO[bytes], *, folder: str, suffix: str) -> StoredFile:
    """Store a file of any size under the digest of its content, once."""
    content.seek(0)
    told = hashlib.sha256()
    while block := content.read(BLOCK_BYTES):
        told.update(block)
    digest = told.hexdigest()
    name = f"{folder}/{digest[:2]}/{digest}{suffix}"
    content.seek(0)
    if not default_storage.exists(name):
        written = default_storage.save(name, File(content))
        if written != name:  # another process was first
            default_storage.delete(written)
    return StoredFile(name, digest)


def content_of(name: str, *, digest: str = "") -> bytes:
    """Read a file back, checked against its digest where one is known.

    raises: ValueError where the content is not what its name says.
    """
    with default_storage.open(name, "rb") as stored:
        content: bytes = stored.read()
    if digest and hashlib.sha256(content).hexdigest() != digest:
        raise ValueError(
            f"{name} does not hold the content that its digest names: restore it from the backup"
        )
    return content
