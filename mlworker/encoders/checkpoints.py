"""Training state on disk, complete or not there: temporary file, fsync, rename."""

import hashlib
import io
from pathlib import Path
from typing import Any

import torch

from annotation.studies import durable


def save(path: Path, state: dict[str, Any]) -> str:
    """Replace a checkpoint in one step; return its SHA-256."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getvalue()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    durable.replace(path, content)
    return hashlib.sha256(content).hexdigest()


def load(path: Path) -> dict[str, Any] | None:
    """Read what `save` wrote: tensors and plain values only; None where there is nothing."""
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state
