"""Training from scratch on few labels: what the same readings would give without a pretrained encoder.

The network: four 3 × 3 convolutions (16, 32, 64, 128 channels) with batch normalisation and max pooling,
global average pooling, dropout 0.3, one linear layer: 98,000 weights. AdamW 2e-3, cosine, weight decay 1e-2,
batches of 32, 600 steps, class-balanced loss; flips, shifts of ± 4 pixels, contrast changes as augmentation.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from benchmarks.images import Images
from mlworker.evaluation import metrics

CHANNELS = (16, 32, 64, 128)
STEPS, BATCH, RATE, DECAY, SHIFT = 600, 32, 2e-3, 1e-2, 4


def network(classes: int) -> nn.Sequential:
    """Make the small network."""
    layers: list[nn.Module] = []
    for before, after in zip((1, *CHANNELS), CHANNELS, strict=False):
        layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        layers += [nn.MaxPool2d(2)]
    return nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.3), nn.Linear(CHANNELS[-1], classes)
    )


def curve(
    images: Images, *, judge: str, readings: list[int], seed: int, threads: int = 1
) -> list[tuple[int, float]]:
    """Balanced accuracy after each number of readings drawn at random, a network from scratch each time."""
    torch.set_num_threads(threads)
    classes = sorted(set(images.labels.tolist()))
    labels = np.array([classes.index(label) for label in images.labels])
    train, judged = (
        np.flatnonzero(images.splits == "train"),
        np.flatnonzero(np.isin(images.splits, judge.split("+"))),
    )
    order = np.random.default_rng(seed).permutation(train)
    found = []
    for count in readings:
        model = trained(images.planes[order[:count]], labels[order[:count]], len(classes), seed)
        found.append((count, score(model, images.planes[judged], labels[judged])))
    return found


def trained(planes: NDArray[np.float32], labels: NDArray[np.intp], classes: int, seed: int) -> nn.Module:
    """Train from random weights."""
    torch.manual_seed(seed)
    model = network(classes)
    images, truth = torch.from_numpy(planes), torch.from_numpy(labels)
    counts = torch.bincount(truth, minlength=classes).clamp(min=1)
    weight = len(truth) / (classes * counts.float())
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    model.train()
    for _ in range(STEPS):
        rows = torch.randint(len(truth), (min(BATCH, max(len(truth), 2)),))
        loss = functional.cross_entropy(model(augmented(images[rows])), truth[rows], weight=weight)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return model.eval()


def augmented(images: torch.Tensor) -> torch.Tensor:
    """Flip half of the batch, shift it, change its contrast. images: (image, 1, y, x), 0…1."""
    flipped = torch.where(torch.rand(len(images), 1, 1, 1) < 0.5, images.flip(3), images)
    down, right = (int(torch.randint(-SHIFT, SHIFT + 1, (1,))) for _ in range(2))
    contrast = torch.empty(len(images), 1, 1, 1).uniform_(0.8, 1.25)
    return (torch.roll(flipped, (down, right), (2, 3)) * contrast).clamp(0.0, 1.0)


def score(model: nn.Module, planes: NDArray[np.float32], labels: NDArray[np.intp]) -> float:
    """Balanced accuracy on what judges."""
    with torch.inference_mode():
        parts = [model(part).softmax(dim=1).numpy() for part in torch.split(torch.from_numpy(planes), 256)]
    found = np.concatenate(parts)
    return float(metrics.balanced_accuracy(found, labels, np.ones((1, len(labels))))[0])
