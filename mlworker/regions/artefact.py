"""A pixel head as bytes: safetensors with its description in the header, never pickle."""

import json
from dataclasses import asdict

import numpy as np
from safetensors.numpy import load, save

from mlworker.regions.forest import Forest
from mlworker.regions.head import PixelHead

FORMAT = "fovea-pixels-1"


def packed(head: PixelHead) -> bytes:
    """Serialise: the same head always gives the same bytes, so a digest can name it."""
    facts = {key: value for key, value in asdict(head).items() if key != "forest"}
    text = json.dumps(facts | {"format": FORMAT}, sort_keys=True)
    tensors = {name: np.ascontiguousarray(tensor) for name, tensor in vars(head.forest).items()}
    return save(tensors, {"fovea": text})


def unpacked(content: bytes) -> PixelHead:
    """Read what `packed` wrote.

    raises: ValueError where the bytes are not such an artefact.
    """
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    facts = json.loads(header.get("__metadata__", {}).get("fovea", "{}"))
    if facts.pop("format", None) != FORMAT:
        raise ValueError(f"this is no pixel head: its format is not {FORMAT!r}")
    facts["classes"] = tuple(facts["classes"])
    return PixelHead(**facts, forest=Forest(**load(content)))
