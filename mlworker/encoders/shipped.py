"""The encoder that Fovea brings along: taught on images from formulas, so of nobody and under no licence."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mlworker.encoders import formulas, networks, weights
from mlworker.encoders.augmentation import Strength
from mlworker.encoders.encoding import prepared
from mlworker.encoders.networks import NARROW, Preprocessing
from mlworker.encoders.objectives import Classified, balance_of
from mlworker.encoders.training import Plan, Point, Training

FILE: Final = Path(__file__).with_name("formulas.safetensors")
TITLE: Final = "Narrow ResNet, taught on formulas"
LICENCE: Final = "as Fovea's own; its images were generated"
SOURCE: Final = "made with Fovea"
SEED: Final = 1
CALIBRATED_ON, FEWEST_CALIBRATED_ON = 256, 32


def preprocessing(channels: int = 1) -> Preprocessing:
    """How images enter it."""
    return Preprocessing(architecture=NARROW, channels=channels)


def network_for(sample: NDArray[np.float32], how: Preprocessing, file: Path = FILE) -> nn.Module:
    """Load it; for colour, each channel counts a third. Normalisation is set anew where images suffice.

    Means and deviations of real images are others than those of formulas (Li 2016, arXiv 1603.04779).
    sample: (image, channel, y, x), 0…1, of the data that it is to see.
    """
    network = weights.loaded(networks.built(how), weights.read_file(file))
    if len(sample) >= FEWEST_CALIBRATED_ON:
        images = torch.from_numpy(sample[:CALIBRATED_ON])
        networks.calibrate_normalisation(network, prepared(images, how))
    return network


def taught(
    folder: Path,
    *,
    kinds: tuple[str, ...],
    classes: int,
    each: int,
    epochs: int,
    told: Callable[[Point], None],
) -> nn.Module:
    """Teach it anew: to name the formula of each image, a head a kind of formula (FractalDB, RCDB).

    kinds: of formulas.KINDS. classes, each: formulas of a kind, and images of each. folder: keeps the
    checkpoint from which a broken run goes on.
    """
    how = preprocessing()
    sources = [
        formulas.generated(kind, classes=classes, each=each, size=how.size, seed=SEED) for kind in kinds
    ]
    made = networks.random_network(how, seed=0)
    labels = [source.labels for source in sources if source.labels is not None]
    balance = [balance_of(one, classes) for one in labels]
    torch.manual_seed(SEED)
    objective = Classified(networks.dimension_of(how), how, Strength(area=0.5), balance)
    plan = Plan(epochs=epochs, minutes=60.0 * 24.0, threads=1, patience=epochs, seed=SEED)
    Training(made, objective, plan, folder / "checkpoint.pt").run(sources, [], told)
    return made
