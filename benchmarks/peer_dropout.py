"""Time baal's MC dropout as its documentation says, on a sample of images; with the peers' packages.

    PYTHONPATH=.venv-oracles python benchmarks/peer_dropout.py IMAGES ENCODER.pt

The network is the product's encoder with a dropout layer and a linear one behind it. Nothing of Fovea is
imported here.
"""

import json
import sys
import time
import warnings

import torch
from torch import nn

ITERATIONS, BATCH, SIZE, CLASSES, WIDTH = 20, 16, 64, 3, 768


class Made(torch.utils.data.Dataset[tuple[torch.Tensor, int]]):
    """Images as a pool holds them: grey, one label that is not looked at."""

    def __init__(self, count: int) -> None:
        self.images = torch.rand(count, 1, SIZE, SIZE)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, at: int) -> "tuple[torch.Tensor, int]":
        return self.images[at], 0


def main() -> None:
    """Time one pass, after a short one to warm up."""
    warnings.simplefilter("ignore")
    from baal import ModelWrapper
    from baal.active.heuristics import BALD
    from baal.bayesian.dropout import patch_module

    encoder = torch.jit.load(sys.argv[2])  # type: ignore[no-untyped-call]
    model = patch_module(nn.Sequential(encoder, nn.Dropout(0.5), nn.Linear(WIDTH, CLASSES)))
    wrapper = wrapped(ModelWrapper, model)
    predicted(wrapper, Made(BATCH))
    count = int(sys.argv[1])
    pool = Made(count)
    started = time.perf_counter()
    BALD()(predicted(wrapper, pool))
    print(json.dumps({"seconds_an_image": (time.perf_counter() - started) / count}))


def wrapped(kind: type, model: nn.Module) -> object:
    """Wrap as baal 2 does."""
    from baal.modelwrapper import TrainingArgs

    return kind(model, TrainingArgs(batch_size=BATCH, use_cuda=False, replicate_in_memory=True))


def predicted(wrapper: object, images: Made) -> object:
    """Predict T times: (case, class, iteration)."""
    return wrapper.predict_on_dataset(images, iterations=ITERATIONS)  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
