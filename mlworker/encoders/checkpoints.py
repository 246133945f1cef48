"""Training state on disk, complete or not there: temporary file, fsync, rename."""

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import torch


def save(path: Path, state: dict[str, Any]) -> str:
    """Replace a checkpoint in one step; return its SHA-256."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getvalue()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.rename(path)
    _sync_folder(path.parent)
    return hashlib.sha256(content).hexdigest()


def load(path: Path) -> dict[str, Any] | None:
    """Read what `save` wrote: tensors and plain values only; None where there is nothing."""
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
