"""An ensemble as bytes: safetensors with its description in the header, never pickle."""

import json
from typing import Any

import numpy as np
from safetensors.numpy import load, save

from mlworker.heads.ensemble import Ensemble
from mlworker.heads.features import Scaling
from mlworker.heads.logistic import Heads
from mlworker.heads.ordinal import OrdinalHeads

FORMAT = "fovea-heads-1"


def packed(ensemble: Ensemble, *, description: dict[str, Any]) -> bytes:
    """Serialise: the same ensemble and description always give the same bytes, so a digest can name it."""
    tensors = {
        "bias": ensemble.heads.bias,
        "deviation": ensemble.scaling.deviation,
        "mean": ensemble.scaling.mean,
        "weights": ensemble.heads.weights,
    }
    ordered = isinstance(ensemble.heads, OrdinalHeads)
    facts = {"format": FORMAT, "ordered": ordered, "penalty": ensemble.penalty}
    text = json.dumps({**description, **facts}, sort_keys=True)
    return save({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, {"fovea": text})


def unpacked(content: bytes) -> tuple[Ensemble, dict[str, Any]]:
    """Read what `packed` wrote.

    raises: ValueError where the bytes are not such an artefact.
    """
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    description = json.loads(header.get("__metadata__", {}).get("fovea", "{}"))
    if description.get("format") != FORMAT:
        raise ValueError(f"format is {description.get('format')!r}, not {FORMAT!r}: this is no head artefact")
    tensors = load(content)
    scaling = Scaling(tensors["mean"], tensors["deviation"])
    kind = OrdinalHeads if description.get("ordered") else Heads
    heads = kind(tensors["weights"], tensors["bias"])
    return Ensemble(scaling, heads, float(description["penalty"])), description
