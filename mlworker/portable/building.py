"""A stored model version → the network that it is."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from annotation.learning.files import content_of
from annotation.learning.models import ModelVersion
from mlworker.encode import network_of
from mlworker.encoders.networks import ADJACENT, VOLUME, Preprocessing
from mlworker.heads.artefact import kind_of, unpacked
from mlworker.portable.model import MULTI, PortableModel


@dataclass(frozen=True)
class Portable:
    """A model version ready to be written: its network, and with what arguments that is built again."""

    version: ModelVersion
    network: PortableModel
    arguments: dict[str, Any]

    @property
    def how(self) -> Preprocessing:
        """How images enter it."""
        return self.network.how

    @property
    def name(self) -> str:
        """Name its folder."""
        return f"fovea-model-{self.version.number}"

    @property
    def input_shape(self) -> list[int]:
        """Shape of one case of one plane, or one volume: (case, channel, y, x, plane)."""
        channels = 3 if self.how.seen == ADJACENT else self.how.channels
        return [1, channels, self.how.size, self.how.size, self.planes or 1]

    @property
    def planes(self) -> int | None:
        """How many planes a case has: fixed for volumes, else None, any number."""
        return self.how.slices if self.how.seen == VOLUME else None


def portable(version: ModelVersion) -> Portable:
    """Load a version's encoder and heads into one network, each checked against its digest."""
    encoder, how = network_of(version.encoder)
    content = content_of(version.artefact_name, digest=version.artefact_digest)
    ensemble, told = unpacked(content)
    kind = kind_of(content)
    arguments: dict[str, Any] = {
        "preprocessing": plain(how),
        "kind": kind,
        "choices": len(version.classes),
        "heads": len(ensemble.heads.bias),
    }
    network = PortableModel(**arguments)
    network.encoder.load_state_dict(encoder.state_dict())
    decisions = len(version.classes) if kind == MULTI else 1
    temperatures = np.broadcast_to(np.reshape(told.get("temperature", 1.0), -1), (decisions,))
    for name, values in {
        "mean": ensemble.scaling.mean,
        "deviation": ensemble.scaling.deviation,
        "weights": ensemble.heads.weights,
        "bias": ensemble.heads.bias,
        "temperatures": temperatures,
    }.items():
        getattr(network, name).copy_(torch.from_numpy(np.array(values, dtype=np.float32)))
    return Portable(version, network.eval(), arguments)


def plain(how: Preprocessing) -> dict[str, Any]:
    """Write how images enter as JSON does."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in how.as_row().items()}
