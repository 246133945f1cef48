"""An ensemble as bytes: safetensors with its description in the header, never pickle."""

import json
from typing import Any

import numpy as np
from safetensors.numpy import load, save

from mlworker.heads.ensemble import AnyHeads, Ensemble
from mlworker.heads.features import Scaling
from mlworker.heads.logistic import Heads
from mlworker.heads.multilabel import MultilabelHeads
from mlworker.heads.ordinal import OrdinalHeads
from mlworker.targets import MULTI, ORDINAL, SINGLE

FORMAT = "fovea-heads-1"
KINDS: dict[str, type[AnyHeads]] = {SINGLE: Heads, ORDINAL: OrdinalHeads, MULTI: MultilabelHeads}


def packed(ensemble: Ensemble, *, description: dict[str, Any]) -> bytes:
    """Serialise: the same ensemble and description always give the same bytes, so a digest can name it."""
    tensors = {
        "bias": ensemble.heads.bias,
        "deviation": ensemble.scaling.deviation,
        "mean": ensemble.scaling.mean,
        "weights": ensemble.heads.weights,
    }
    kind = next(name for name, one in KINDS.items() if isinstance(ensemble.heads, one))
    facts = {"format": FORMAT, "kind": kind, "penalty": ensemble.penalty}
    text = json.dumps({**description, **facts}, sort_keys=True)
    return save({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, {"fovea": text})


def unpacked(content: bytes) -> tuple[Ensemble, dict[str, Any]]:
    """Read what `packed` wrote.

    raises: ValueError where the bytes are not such an artefact.
    """
    description = described(content)
    tensors = load(content)
    scaling = Scaling(tensors["mean"], tensors["deviation"])
    heads = KINDS[kind_of(content)](tensors["weights"], tensors["bias"])
    return Ensemble(scaling, heads, float(description["penalty"])), description


def kind_of(content: bytes) -> str:
    """Name the kind of question that an artefact learned."""
    description = described(content)
    older = ORDINAL if description.get("ordered") else SINGLE  # of versions that told no kind
    return str(description.get("kind", older))


def described(content: bytes) -> dict[str, Any]:
    """Read an artefact's description alone.

    raises: ValueError where the bytes are not such an artefact.
    """
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    description: dict[str, Any] = json.loads(header.get("__metadata__", {}).get("fovea", "{}"))
    if description.get("format") != FORMAT:
        raise ValueError(f"format is {description.get('format')!r}, not {FORMAT!r}: this is no head artefact")
    return description
