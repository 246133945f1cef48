"""Predictions of a stored model version."""

import numpy as np
from numpy.typing import NDArray

from annotation.learning.files import content_of
from annotation.learning.models import ModelVersion
from mlworker.evaluation.calibration import cooled
from mlworker.heads.artefact import unpacked

Floats = NDArray[np.floating]
BLOCK = 8_192


def predictions(model: ModelVersion, vectors: Floats) -> Floats:
    """Predict by a stored artefact, calibrated: (case, feature) → (case, decision, class)."""
    ensemble, told = unpacked(content_of(model.artefact_name, digest=model.artefact_digest))
    temperature = np.reshape(told.get("temperature", 1.0), (-1, 1))
    blocks = [vectors[start : start + BLOCK] for start in range(0, max(len(vectors), 1), BLOCK)]
    return np.concatenate([cooled(ensemble.mean_probabilities(block), temperature) for block in blocks])
